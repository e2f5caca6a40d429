import ContainerRPC

/// What the rest of the frontend asks of the dispatch thread, carried out by it between its turns.
extension DispatchLoop {
    func perform(_ command: Dispatcher.Command, now: MonotonicTime) {
        switch command {
        case .addSink(let sink, let continuation):
            sinks.append(sink)
            continuation.resume(returning: core.addSink())
        case .publish(let new, let continuation):
            continuation.resume(returning: core.publish(new, now: now))
        case .report(let withSelections, let continuation):
            continuation.resume(returning: core.report(withSelections: withSelections, now: now))
        case .drain(let model, let replica, let draining, let continuation):
            let chosen = core.sessions.listings.filter { $0.model == model && (replica == nil || $0.number == replica) }
            for listing in chosen { core.set(draining, listing.id) }
            continuation.resume(returning: chosen.isEmpty ? nil : core.report(now: now))
        case .selection(let application, let user, let continuation):
            core.selector.report(on: core.handles.handle(forApplication: application), user: user) {
                continuation.resume(returning: $0)
            }
        case .resetSelection(let application, let user, let continuation):
            core.selector.reset(core.handles.handle(forApplication: application), named: application, user: user) {
                continuation.resume(returning: $0)
            }
        case .stop(let continuation):
            stopRequests.append(continuation)
        }
    }
}
