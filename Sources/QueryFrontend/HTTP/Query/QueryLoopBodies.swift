import NIOCore
import NIOHTTP1

extension QueryLoop {
    /// Asks what a body holds; the handler gets the answer.
    func predict(_ bytes: ByteBuffer, _ route: Route, _ trace: QueryTrace?, for handler: QueryHandler) {
        let arrived = arrival()
        do {
            let body = try parser.parse(bytes, inputType: route.inputType, readsUser: route.learns)
            var model = route.current
            if let version = body.version {
                guard let known = route.versions[version] else {
                    return handler.answer(.error(.badRequest, "Query processing error", cause: route.unknown(version)))
                }
                model = known
            }
            guard body.inputs.count > 0 else {
                return handler.answer(QueryReply(status: .ok, body: ByteBuffer(string: "{\"batch_predictions\":[]}")))
            }
            submit(body, model: model, route: route, trace: trace, arrived: arrived, handler: handler)
        } catch {
            handler.answer(.error(.badRequest, "Json error", cause: error.cause))
        }
    }

    /// Learns from the feedback that a body holds; the handler gets the answer.
    func update(_ bytes: ByteBuffer, _ route: Route, for handler: QueryHandler) {
        do {
            let feedback = try parser.parseFeedback(bytes, inputType: route.inputType, isStrict: !route.learns)
            submit(feedback, route: route, arrived: arrival(), handler: handler)
        } catch {
            handler.answer(.error(.badRequest, "Json error", cause: error.cause))
        }
    }
}

extension Route {
    /// Why a version that was asked for cannot answer.
    fileprivate func unknown(_ version: String) -> String {
        guard let modelName else {
            return "Requested version: \(version) does not exist: no model is linked to application: \(name)"
        }
        let missing = "Requested version: \(version) does not exist for model: \(modelName)"
        return unfitVersions.contains(version) ? missing + " with inputs of type \(inputType)" : missing
    }
}
