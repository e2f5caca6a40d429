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
        var outcomes: [Delivery?]
        var missing: Int

        mutating func note(_ delivery: Delivery) {
            if !outcomes.isEmpty { outcomes[delivery.item] = delivery }
            missing -= 1
        }

        /// How long its answer is, in bytes: about, because characters that JSON escapes take more.
        func answerLength(last: Delivery) -> Int {
            guard isBatch else { return length(of: last) }
            return outcomes.reduce(32) { length, delivery in length + (delivery.map(self.length) ?? 0) }
        }

        private func length(of delivery: Delivery) -> Int {
            let models = delivery.combined?.models.reduce(128) { $0 + 3 + $1.utf8.count } ?? 128
            if case .output(let text) = delivery.outcome { return models + text.count }
            return models + route.defaultOutput.utf8.count + (delivery.outcome.explanation?.utf8.count ?? 0)
        }

        /// Why it was turned away, where all of it was, because there are too many queries.
        func overload(last: Outcome) -> DefaultReason? {
            guard case .defaultOutput(let reason) = last, reason.isOverload else { return nil }
            let isWhole = outcomes.allSatisfy { delivery in
                if case .defaultOutput(let reason) = delivery?.outcome { reason.isOverload } else { false }
            }
            return isWhole ? reason : nil
        }
    }

    private static let mostUnannounced = 16
    /// Answers up to this length, in bytes, do not count as under way: connections bound them.
    private static let longestUncounted = 64 << 10

    let eventLoop: any EventLoop
    let dispatcher: Dispatcher
    let limits: HTTPLimits
    let parser: PredictBodyParser
    let server: QueryServerState
    let sink: Int
    private var pending: [UInt64: Pending] = [:]
    /// When this turn of the event loop took up its first request.
    private var turnBegan: MonotonicTime?
    /// Requests of this turn for which the dispatch thread is yet to be woken.
    private var unannounced = 0
    var pendingFeedback: [UInt64: PendingFeedback] = [:]
    var nextRequest: UInt64 = 0
    private var returnTime = ReturnTime()
    var date = HTTPDate()
    var routes: Routes {
        didSet { for handler in handlers.values { handler.take(routes) } }
    }
    /// The connections, so that idle ones can be found and all can be closed.
    private var handlers: [ObjectIdentifier: QueryHandler] = [:]
    private var sweep: RepeatedTask?
    /// Connections with more requests than a turn answers, in the order in which they go on.
    private var yielding: [QueryHandler] = []

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

    /// Answers a request from the cache, or sends its inputs to the dispatch thread; the handler gets the answer.
    func submit(
        _ body: PredictBodyParser.Body, model: RoutedModel?, route: Route, trace: QueryTrace?, arrived: MonotonicTime,
        handler: QueryHandler
    ) {
        let selects = route.selects && body.version == nil
        // Which model a policy chooses is not known here.
        let keys = selects ? [] : keys(of: body.inputs, model)
        // A query that is cached costs no change of thread. Of several, some may not be: they go together.
        if case .one = body.inputs, let key = keys.first, let output = dispatcher.cache.output(for: key) {
            var reply = ByteBuffer()
            reply.writePrediction(id: server.takeQueryIDs(1), .output(output), route: route, parser: parser)
            // Before the answer, so that whoever has it finds it counted.
            dispatcher.note(CacheHit(application: route.handle, model: key.model, latency: .now() - arrived))
            handler.answer(held(QueryReply(status: .ok, body: reply), of: route))
            return
        }
        let count = body.inputs.count
        let request = nextRequest
        nextRequest += 1
        let firstQueryID = server.takeQueryIDs(count)
        pending[request] = Pending(
            handler: handler, route: route, isBatch: body.isBatch && count > 1, firstQueryID: firstQueryID,
            outcomes: count == 1 ? [] : Array(repeating: nil, count: count),
            missing: count)
        let allowed = body.timeout.map { min($0, route.slo) } ?? route.slo
        let submission = Submission(
            sink: sink, request: request, application: route.handle, model: model?.handle,
            inputType: route.inputType, inputs: body.inputs, firstQueryID: firstQueryID, selects: selects,
            user: body.user, keys: keys, trace: trace, arrived: arrived,
            deadline: arrived + allowed - returnTime.allowance(within: allowed, now: arrived))
        switch dispatcher.hand(over: submission) {
        case .refused: deliver(submission.deliveries(.defaultOutput(.stopping)))
        case .gathers: break
        case .awaitsWake: announce()
        }
    }

    // MARK: Turns

    /// When the requests that this turn of the event loop reads had come: all of them by its first look at one, for one
    /// call of the system's told of them. Their SLO does not wait while others are parsed. (Of what one client sends at once,
    /// what is more than a turn answers comes with the turns that answer it.)
    func arrival() -> MonotonicTime {
        if let turnBegan { return turnBegan }
        let now = MonotonicTime.now()
        turnBegan = now
        // What is executed comes after the sockets of this turn.
        let loop = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { loop.value.endTurn() }
        return now
    }

    /// The dispatch thread is woken once for all that a turn reads: a wake-up costs more than a query takes, and queries
    /// that it finds together make one batch. Some are enough not to let it wait for the rest.
    private func announce() {
        unannounced += 1
        if unannounced == Self.mostUnannounced { dispatcher.wake() }
    }

    private func endTurn() {
        turnBegan = nil
        guard unannounced > 0 else { return }
        unannounced = 0
        dispatcher.wake()
    }

    private func keys(of inputs: Submission.Inputs, _ model: RoutedModel?) -> [CacheKey] {
        guard let model, model.caches, dispatcher.cache.isOn else { return [] }
        switch inputs {
        case .one(let input): return [CacheKey(model: model.handle, input: input)]
        case .many(let inputs): return inputs.map { CacheKey(model: model.handle, input: $0) }
        }
    }

    /// Outcomes have come that the dispatch thread gave away at a time.
    func deliver(_ deliveries: [Delivery], sent: MonotonicTime) {
        deliver(deliveries)
        let now = MonotonicTime.now()
        returnTime.note(now - sent, now: now)
    }

    private func deliver(_ deliveries: [Delivery]) {
        for delivery in deliveries {
            // In place: a copy of the request would make each outcome of a large batch copy all the others.
            pending[delivery.request]?.note(delivery)
            guard pending[delivery.request]?.missing == 0,
                let request = pending.removeValue(forKey: delivery.request)
            else { continue }
            request.handler.answer(reply(to: request, last: delivery))
        }
    }

    private func reply(to request: Pending, last: Delivery) -> QueryReply {
        if request.route.overload == .reject, let reason = request.overload(last: last.outcome) {
            server.noteRejected(request.route.handle)
            return .overloaded(because: reason.explanation)
        }
        let length = request.answerLength(last: last)
        // One output is as long as a container's message at most.
        if request.isBatch, length > limits.largestAnswer {
            return .error(
                .payloadTooLarge, "Answer too large",
                cause: "The answer would be longer than \(limits.largestAnswer) bytes: ask for fewer inputs at a time")
        }
        let heldBytes = length > Self.longestUncounted ? length : 0
        guard heldBytes == 0 || server.holdBody(bytes: heldBytes, limit: limits.bodies) else {
            return tooMuch(for: request.route)
        }
        return QueryReply(status: .ok, body: body(of: request, last: last, length: length), heldBytes: heldBytes)
    }

    /// A long answer counts as under way until it is written, or is not given where that would be too much.
    func held(_ reply: QueryReply, of route: Route?) -> QueryReply {
        let length = reply.body.readableBytes
        guard length > Self.longestUncounted else { return reply }
        guard server.holdBody(bytes: length, limit: limits.bodies) else { return tooMuch(for: route) }
        var reply = reply
        reply.heldBytes = length
        return reply
    }

    private func tooMuch(for route: Route?) -> QueryReply {
        if let route { server.noteRejected(route.handle) }
        return .overloaded(because: "what is under way would take more than \(limits.bodies) bytes with the answer")
    }

    private func body(of request: Pending, last: Delivery, length: Int) -> ByteBuffer {
        var body = ByteBuffer()
        body.reserveCapacity(length)
        guard request.isBatch else {
            body.writePrediction(
                id: request.firstQueryID, last.outcome, combined: last.combined, route: request.route, parser: parser)
            return body
        }
        body.writeStaticString("{\"batch_predictions\":[")
        for (index, delivery) in request.outcomes.enumerated() {
            guard let delivery else { continue }
            if index > 0 { body.writeStaticString(",") }
            body.writePrediction(
                id: request.firstQueryID + UInt64(index), delivery.outcome, combined: delivery.combined,
                route: request.route, parser: parser)
        }
        body.writeStaticString("]}")
        return body
    }

    /// Answers `GET /metrics`.
    func sendMetrics(asPrometheus: Bool, to handler: QueryHandler) {
        let handler = NIOLoopBound(handler, eventLoop: eventLoop)
        let loop = NIOLoopBound(self, eventLoop: eventLoop)
        let monitoring = Monitoring(dispatcher: dispatcher, server: server, pages: server.pages)
        let eventLoop = eventLoop
        Task {
            let page =
                asPrometheus
                ? await monitoring.page()
                : ByteBuffer(string: await monitoring.report(withSelections: false).clipperJSON())
            eventLoop.execute {
                let reply = QueryReply(
                    status: .ok, contentType: asPrometheus ? DispatchReport.prometheusType : "application/json",
                    body: page)
                handler.value.answer(loop.value.held(reply, of: nil))
            }
        }
    }

    // MARK: Connections

    func add(_ handler: QueryHandler) {
        handlers[ObjectIdentifier(handler)] = handler
        if sweep == nil {
            let loop = NIOLoopBound(self, eventLoop: eventLoop)
            sweep = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
                loop.value.tick()
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

    /// A connection goes on once the others have been looked at.
    func letOthers(before handler: QueryHandler) {
        yielding.append(handler)
        guard yielding.count == 1 else { return }
        let loop = NIOLoopBound(self, eventLoop: eventLoop)
        // What is due at once would be done before sockets are looked at.
        eventLoop.scheduleTask(in: .microseconds(50)) { loop.value.goOn() }
    }

    private func goOn() {
        let handlers = yielding
        yielding.removeAll()
        for handler in handlers { handler.goOn() }
    }

    private func tick() {
        let now = MonotonicTime.now()
        for handler in handlers.values { handler.tick(now: now) }
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
        let sent = MonotonicTime.now()
        eventLoop.execute { loop.value?.deliver(deliveries, sent: sent) }
    }

    func acknowledge(_ acknowledgements: [SelectorEffects.Acknowledgement]) {
        eventLoop.execute { loop.value?.acknowledge(acknowledgements) }
    }
}
