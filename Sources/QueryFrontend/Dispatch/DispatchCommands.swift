import ContainerRPC

/// What the rest of the frontend asks of the dispatch thread, carried out by it between its turns.
extension DispatchLoop {
    /// Carries out what has been asked since the last turn. All who want to know what the thread knows get one report:
    /// thousands may ask at a time, and with many replicas each takes a millisecond, in which no query is served.
    func perform(_ commands: [Dispatcher.Command], now: MonotonicTime) {
        var inquirers: [CheckedContinuation<DispatchReport, Never>] = []
        var wantsSelections = false
        for command in commands {
            if case .report(let withSelections, let continuation) = command {
                inquirers.append(continuation)
                wantsSelections = wantsSelections || withSelections
            } else {
                perform(command, now: now)
            }
        }
        guard !inquirers.isEmpty else { return }
        let report = core.report(withSelections: wantsSelections, now: now)
        for inquirer in inquirers { inquirer.resume(returning: report) }
    }

    private func perform(_ command: Dispatcher.Command, now: MonotonicTime) {
        switch command {
        case .addSink(let sink, let continuation):
            sinks.append(sink)
            continuation.resume(returning: core.addSink())
        case .publish(let new, let continuation):
            continuation.resume(returning: core.publish(new, now: now))
        case .report:
            preconditionFailure("all reports are given at once, by the caller")
        case .drain(let model, let replica, let draining, let continuation):
            let chosen = core.sessions.listings.filter { $0.model == model && (replica == nil || $0.number == replica) }
            for listing in chosen { core.set(draining, listing.id) }
            continuation.resume(returning: chosen.isEmpty ? nil : core.report(now: now))
        case .selection(let application, let user, let continuation):
            core.selector.report(
                on: core.handles.handle(forApplication: application), user: user,
                serving: core.scheduler.served.serving(of:)
            ) {
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
