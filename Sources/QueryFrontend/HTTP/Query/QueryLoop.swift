import ContainerRPC
import NIOCore
import NIOHTTP1

/// What the connections of one event loop share: routes, the JSON parser, requests that wait for their outcomes.
///
/// It is used on its event loop alone.
final class QueryLoop {
    /// A request that waits.
    private struct Pending {
        let handler: QueryHandler
        let route: Route
        let isBatch: Bool
        let firstQueryID: UInt64
        /// Empty for a request of one input.
        var outcomes: [Outcome?]
        var missing: Int

        mutating func note(_ delivery: Delivery) {
            if !outcomes.isEmpty { outcomes[delivery.item] = delivery.outcome }
            missing -= 1
        }
    }

    let eventLoop: any EventLoop
    let dispatcher: Dispatcher
    let limits: HTTPLimits
    let parser: PredictBodyParser
    private let server: QueryServerState
    private let sink: Int
    private var pending: [UInt64: Pending] = [:]
    private var nextRequest: UInt64 = 0
    var routes: Routes
    /// The connections, so that idle ones can be found and all can be closed.
    private var handlers: [ObjectIdentifier: QueryHandler] = [:]
    private var sweep: RepeatedTask?

    init(
        eventLoop: any EventLoop, dispatcher: Dispatcher, sink: Int, routes: Routes, limits: HTTPLimits,
        server: QueryServerState
    ) {
        self.eventLoop = eventLoop
        self.dispatcher = dispatcher
        self.sink = sink
        self.routes = routes
        self.limits = limits
        parser = PredictBodyParser(largestBatch: limits.largestBatch)
        self.server = server
    }

    var isDraining: Bool { server.isDraining }

    // MARK: Requests

    /// Sends a request's inputs to the dispatch thread; the handler gets the answer.
    func submit(
        _ body: PredictBodyParser.Body, model: ModelHandle?, route: Route, arrived: MonotonicTime,
        handler: QueryHandler
    ) {
        let count = body.inputs.count
        let request = nextRequest
        nextRequest += 1
        pending[request] = Pending(
            handler: handler, route: route, isBatch: body.isBatch && count > 1,
            firstQueryID: server.takeQueryIDs(count), outcomes: count == 1 ? [] : Array(repeating: nil, count: count),
            missing: count)
        let allowed = body.timeout.map { min($0, route.slo) } ?? route.slo
        let submission = Submission(
            sink: sink, request: request, application: route.handle, model: model, inputs: body.inputs,
            arrived: arrived, deadline: arrived + allowed)
        if !dispatcher.submit(submission) { deliver(submission.deliveries(.defaultOutput(.stopping))) }
    }

    /// Outcomes have come from the dispatch thread.
    func deliver(_ deliveries: [Delivery]) {
        for delivery in deliveries {
            // In place: a copy of the request would make each outcome of a large batch copy all the others.
            pending[delivery.request]?.note(delivery)
            guard pending[delivery.request]?.missing == 0,
                let request = pending.removeValue(forKey: delivery.request)
            else { continue }
            request.handler.answer(reply(to: request, last: delivery.outcome))
        }
    }

    private func reply(to request: Pending, last: Outcome) -> QueryReply {
        var body = ByteBuffer()
        body.reserveCapacity(128 * max(1, request.outcomes.count))
        guard request.isBatch else {
            body.writePrediction(id: request.firstQueryID, last, route: request.route, parser: parser)
            return QueryReply(status: .ok, body: body)
        }
        body.writeStaticString("{\"batch_predictions\":[")
        for (index, outcome) in request.outcomes.enumerated() {
            guard let outcome else { continue }
            if index > 0 { body.writeStaticString(",") }
            body.writePrediction(
                id: request.firstQueryID + UInt64(index), outcome, route: request.route, parser: parser)
        }
        body.writeStaticString("]}")
        return QueryReply(status: .ok, body: body)
    }

    /// Answers `GET /metrics`.
    func sendMetrics(asPrometheus: Bool, to handler: QueryHandler) {
        let handler = NIOLoopBound(handler, eventLoop: eventLoop)
        let dispatcher = dispatcher
        let eventLoop = eventLoop
        Task {
            let report = await dispatcher.report()
            let text = asPrometheus ? report.prometheusText() : report.clipperJSON()
            eventLoop.execute {
                handler.value.answer(
                    QueryReply(
                        status: .ok,
                        contentType: asPrometheus ? "text/plain; version=0.0.4; charset=utf-8" : "application/json",
                        body: ByteBuffer(string: text)))
            }
        }
    }

    // MARK: Connections

    func add(_ handler: QueryHandler) {
        handlers[ObjectIdentifier(handler)] = handler
        if sweep == nil {
            let loop = NIOLoopBound(self, eventLoop: eventLoop)
            sweep = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
                loop.value.closeIdle()
            }
        }
    }

    func remove(_ handler: QueryHandler) {
        handlers[ObjectIdentifier(handler)] = nil
        if handlers.isEmpty {
            // Without connections nothing wakes the loop.
            sweep?.cancel()
            sweep = nil
        }
    }

    private func closeIdle() {
        let now = NIODeadline.now()
        for handler in handlers.values { handler.closeIfIdle(now: now) }
    }

    /// Closes connections that wait for nothing, and the others when they have been answered.
    func drain() {
        for handler in handlers.values { handler.drain() }
    }
}

/// Takes the dispatch thread's outcomes to an event loop.
struct QueryLoopSink: OutcomeSink {
    let eventLoop: any EventLoop
    let loop: NIOLoopBoundBox<QueryLoop?>

    func deliver(_ deliveries: [Delivery]) {
        eventLoop.execute { loop.value?.deliver(deliveries) }
    }
}
