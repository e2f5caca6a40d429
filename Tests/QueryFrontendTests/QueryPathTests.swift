import Testing

@testable import QueryFrontend

@Suite("Paths of the query API")
struct QueryPathTests {
    @Test(
        "An application is named by the first segment",
        arguments: [
            ("/digits/predict", QueryPath.predict(application: "digits")),
            ("/digits/update", .update(application: "digits")),
            ("/digits/predict/", .predict(application: "digits")),
            ("/digits/predict?verbose=1", .predict(application: "digits")),
            ("/digits/predict/?a=/b/update", .predict(application: "digits")),
            ("http://host:1337/digits/predict", .predict(application: "digits")),
            ("/predict/predict", .predict(application: "predict")),
            ("/metrics/predict", .predict(application: "metrics")),
            ("/health/predict", .predict(application: "health")),
            ("/my-app_1.2/update", .update(application: "my-app_1.2")),
        ])
    func applications(target: String, path: QueryPath) {
        #expect(QueryPath(target: target) == path)
    }

    @Test(
        "A name is percent-decoded once",
        arguments: [
            ("/a%20b/predict", "a b"), ("/%67r%C3%BCn/predict", "grün"), ("/%2e/predict", "."),
            ("/a%2Fb/predict", "a/b"),
            ("/a%2520b/predict", "a%20b"), ("/a+b/predict", "a+b"), ("/%3F/predict?x", "?"),
        ])
    func decodes(target: String, name: String) {
        #expect(QueryPath(target: target) == .predict(application: name))
    }

    @Test(
        "Metrics and health have paths of their own",
        arguments: [
            ("/metrics", QueryPath.metrics), ("/metrics/", .metrics), ("/metrics?x=1", .metrics),
            ("/health/live", .live), ("/health/ready/", .ready),
        ])
    func ownPaths(target: String, path: QueryPath) {
        #expect(QueryPath(target: target) == path)
    }

    @Test(
        "Anything else is unknown",
        arguments: [
            "", "/", "//", "?", "/?a/predict", "/digits", "/predict", "//predict", "/digits/predicts",
            "/digits/Predict",
            "/a/b/predict", "/digits/predict//", "/digits//predict", "digits/predict", "predict", "*",
            "http://host", "/%/predict", "/%4/predict", "/%zz/predict", "/%+1/predict", "/%ff/predict",
            "/health", "/health/", "/health/live/x", "/metrics/x",
        ])
    func unknown(target: String) {
        #expect(QueryPath(target: target) == .unknown)
    }
}
