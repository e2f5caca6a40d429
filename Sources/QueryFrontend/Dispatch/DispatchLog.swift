import ContainerRPC
import Logging

/// What the dispatch thread tells an operator. A peer that does the same thing again and again fills no disk.
struct DispatchLog {
    private let logger: Logger
    private var socket = LogLimit(interval: .seconds(1))
    private var badMessages = LogLimit(interval: .milliseconds(100))
    private var failures = LogLimit(interval: .seconds(1))
    private var waits = LogLimit(interval: .seconds(1))
    /// Whoever is refused comes back again and again.
    private var refusals = LogLimit(interval: .seconds(10))
    /// Whoever is cut may connect again.
    private var cuts = LogLimit(interval: .seconds(10))
    /// After a stall many may be called stuck at once.
    private var notices = LogLimit(interval: .milliseconds(100), burst: 1_000)
    /// Many replicas may come or go at once; one that registers again and again may not fill the log.
    private var replicas = LogLimit(interval: .milliseconds(100), burst: 1_000)

    /// What tells each replica from the others of its model, to be found in `clipper status` and on its host.
    private var names: [ReplicaID: Logger.Metadata] = [:]

    init(logger: Logger) {
        self.logger = logger
    }

    mutating func socketFails(_ error: any Error, now: MonotonicTime) {
        guard let suppressed = socket.admit(now: now) else { return }
        logger.critical("the RPC socket fails", metadata: ["error": "\(error)"] + Self.unlogged(suppressed))
    }

    mutating func cannotWait(_ error: any Error, now: MonotonicTime) {
        guard let suppressed = waits.admit(now: now) else { return }
        logger.critical(
            "the dispatch thread cannot wait", metadata: ["error": "\(error)"] + Self.unlogged(suppressed))
    }

    /// What has happened, as far as an operator wants to know.
    mutating func note(_ event: DispatchEvent, now: MonotonicTime) {
        switch event {
        case .added(let replica, let registration, let number, let taken):
            names[replica] = Self.name(of: registration, number: number)
            added(replica, registration, registered: taken, now: now)
        case .removed(let replica, let reason, let retried):
            removed(replica, reason, retried: retried, now: now)
            names[replica] = nil
        case .refused(let registration, let refusal): refused(registration, refusal, now: now)
        case .badMessage(let peer, let replica, let problem):
            badMessage(from: peer, isRegistered: replica != nil, problem, now: now)
        case .cut(let connections): cut(connections: connections, now: now)
        case .failed(let replica, let failure): failed(replica, failure.code, failure.reason, now: now)
        case .inputFailed(let replica, let code, let text): failed(replica, code, text, now: now)
        case .noticed(let notice): noticed(notice, now: now)
        case .leaving, .drains, .completed, .chosen, .finished: break
        }
    }

    /// - Parameter registered: the input type that its model is registered with.
    private mutating func added(
        _ replica: ReplicaID, _ registration: Registration, registered: InputType?, now: MonotonicTime
    ) {
        guard let suppressed = replicas.admit(now: now) else { return }
        let about =
            name(of: replica) + [
                "input_type": "\(registration.inputType)", "protocol": "\(registration.rpcVersion)",
            ] + Self.unlogged(suppressed)
        guard let registered else {
            let model = PeerText.line("\(registration.model)")
            logger.notice(
                "replica added; nobody has registered \(model): it gets nothing until somebody does", metadata: about)
            return
        }
        if registered == registration.inputType {
            logger.info("replica added", metadata: about)
        } else {
            logger.warning(
                "replica added; its input type is not the one that its model is registered with: it gets nothing",
                metadata: about + ["registered_input_type": "\(registered)"])
        }
    }

    private mutating func removed(
        _ replica: ReplicaID, _ reason: FrontendSession.EndReason, retried: Int, now: MonotonicTime
    ) {
        guard let suppressed = replicas.admit(now: now) else { return }
        logger.log(
            level: reason.isExpected ? .info : .warning,
            "replica \(reason.isExpected ? "gone" : "lost"): \(PeerText.line("\(reason)"))",
            metadata: name(of: replica) + ["queries_sent_elsewhere": "\(retried)"]
                + Self.unlogged(suppressed))
    }

    private mutating func refused(_ registration: Registration, _ refusal: Refusal, now: MonotonicTime) {
        guard let suppressed = refusals.admit(now: now) else { return }
        logger.warning(
            "container refused: \(PeerText.line(refusal.reason ?? refusal.code.label))",
            metadata: Self.name(of: registration, number: nil) + Self.unlogged(suppressed))
    }

    private mutating func badMessage(
        from peer: RoutingID, isRegistered: Bool, _ problem: ContainerSessions.BadMessage, now: MonotonicTime
    ) {
        guard let suppressed = badMessages.admit(now: now) else { return }
        logger.warning(
            "bad message from a container: \(PeerText.line("\(problem)"))",
            metadata: ["peer": "\(peer)", "registered": "\(isRegistered)"] + Self.unlogged(suppressed))
    }

    private mutating func cut(connections: Int, now: MonotonicTime) {
        guard let suppressed = cuts.admit(now: now) else { return }
        logger.warning(
            """
            too many connections to the RPC port: those that nothing has come by are closed; see who connects, or \
            raise --max-containers
            """, metadata: ["connections": "\(connections)"] + Self.unlogged(suppressed))
    }

    /// A model that fails tells its callers; an operator sees one of them now and then.
    private mutating func failed(
        _ replica: ReplicaID, _ code: FailureCode, _ text: String?, now: MonotonicTime
    ) {
        guard code != .tooLate, let suppressed = failures.admit(now: now) else { return }
        // Neither a model that says it cannot answer now nor one that refuses an input has failed.
        let (level, what): (Logger.Level, String) =
            switch code {
            case .unavailable: (.notice, "a replica is unavailable")
            case .invalidInput: (.info, "a model refused an input")
            default: (.warning, "a model failed")
            }
        logger.log(
            level: level, "\(what): \(PeerText.line(text ?? code.description))",
            metadata: name(of: replica) + ["code": "\(code)"] + Self.unlogged(suppressed))
    }

    private mutating func noticed(_ notice: SchedulerEffects.Notice, now: MonotonicTime) {
        guard let suppressed = notices.admit(now: now) else { return }
        switch notice {
        case .stuck(let replica, _, let age):
            logger.warning(
                "a replica is stuck: it gets at most a query to try it with until it answers or registers anew",
                metadata: name(of: replica) + ["batch_age_ms": Self.milliseconds(age)] + Self.unlogged(suppressed))
        case .missing(let replica, _, _, let age):
            logger.warning(
                "a replica answers later batches, and not this one: nothing is expected of it any more",
                metadata: name(of: replica) + ["batch_age_ms": Self.milliseconds(age)] + Self.unlogged(suppressed))
        case .recovered(let replica, _):
            logger.info(
                "a replica that was stuck has answered", metadata: name(of: replica) + Self.unlogged(suppressed))
        }
    }

    private func name(of replica: ReplicaID) -> Logger.Metadata { names[replica] ?? [:] }

    private static func name(of registration: Registration, number: Int?) -> Logger.Metadata {
        var name: Logger.Metadata = ["model": "\(registration.model)"]
        if let number { name["replica"] = "\(number)" }
        for pair in registration.details.metadata where pair.key == "host" || pair.key == "pid" {
            name[pair.key] = "\(PeerText.line(pair.value))"
        }
        return name
    }

    /// How many lines of a kind were left out before this one.
    private static func unlogged(_ count: Int) -> Logger.Metadata {
        count == 0 ? [:] : ["not_logged_before": "\(count)"]
    }

    private static func milliseconds(_ duration: Duration) -> Logger.MetadataValue {
        "\(duration.wholeNanoseconds / 1_000_000)"
    }
}

/// Of a key in both, the right one counts.
private func + (left: Logger.Metadata, right: Logger.Metadata) -> Logger.Metadata {
    left.merging(right) { $1 }
}
