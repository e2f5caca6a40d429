import ContainerRPC
import Logging

/// What the dispatch thread tells an operator. A peer that does the same thing again and again fills no disk.
struct DispatchLog {
    private let logger: Logger
    private var socket = LogLimit(interval: .seconds(1))
    private var badMessages = LogLimit(interval: .milliseconds(100))
    private var failures = LogLimit(interval: .seconds(1))
    /// Many replicas may come or go at once; one that registers again and again may not fill the log.
    private var replicas = LogLimit(interval: .milliseconds(100), burst: 1_000)

    init(logger: Logger) {
        self.logger = logger
    }

    mutating func socketFails(_ error: any Error, now: MonotonicTime) {
        guard let suppressed = socket.admit(now: now) else { return }
        logger.critical("the RPC socket fails", metadata: ["error": "\(error)"] + Self.unlogged(suppressed))
    }

    func cannotWait(_ error: any Error) {
        logger.critical("the dispatch thread cannot wait", metadata: ["error": "\(error)"])
    }

    /// What has happened, as far as an operator wants to know.
    mutating func note(_ event: DispatchEvent, now: MonotonicTime) {
        switch event {
        case .added(_, let registration, let taken): added(registration, registered: taken, now: now)
        case .removed(_, let model, let reason, let retried): removed(model, reason, retried: retried, now: now)
        case .badMessage(let peer, let replica, let problem):
            badMessage(from: peer, isRegistered: replica != nil, problem, now: now)
        case .failed(_, let model, let failure): failed(failure.code, failure.reason, of: model, now: now)
        case .inputFailed(let model, let code, let text): failed(code, text, of: model, now: now)
        case .noticed(let notice, let model): noticed(notice, of: model)
        case .leaving, .completed, .chosen, .finished: break
        }
    }

    /// - Parameter registered: the input type that its model is registered with.
    private mutating func added(_ registration: Registration, registered: InputType?, now: MonotonicTime) {
        guard let suppressed = replicas.admit(now: now) else { return }
        logger.info(
            "replica added",
            metadata: [
                "model": "\(registration.model)", "input type": "\(registration.inputType)",
                "protocol": "\(registration.rpcVersion)",
            ] + Self.unlogged(suppressed))
        if let registered, registered != registration.inputType {
            logger.warning(
                "the replica gets no queries: its input type is not the one that its model is registered with",
                metadata: [
                    "model": "\(registration.model)", "replica": "\(registration.inputType)",
                    "registered": "\(registered)",
                ])
        }
    }

    private mutating func removed(
        _ model: ModelVersion, _ reason: FrontendSession.EndReason, retried: Int, now: MonotonicTime
    ) {
        guard let suppressed = replicas.admit(now: now) else { return }
        logger.log(
            level: reason.isExpected ? .info : .warning,
            "replica \(reason.isExpected ? "gone" : "lost"): \(PeerText.line("\(reason)"))",
            metadata: ["model": "\(model)", "queries to be sent elsewhere": "\(retried)"]
                + Self.unlogged(suppressed))
    }

    private mutating func badMessage(
        from peer: RoutingID, isRegistered: Bool, _ problem: ContainerSessions.BadMessage, now: MonotonicTime
    ) {
        guard let suppressed = badMessages.admit(now: now) else { return }
        logger.warning(
            "bad message from a container: \(PeerText.line("\(problem)"))",
            metadata: ["peer": "\(peer)", "registered": "\(isRegistered)"] + Self.unlogged(suppressed))
    }

    /// A model that fails tells its callers; an operator sees one of them now and then.
    private mutating func failed(_ code: FailureCode, _ text: String?, of model: ModelVersion?, now: MonotonicTime) {
        guard code != .tooLate, let suppressed = failures.admit(now: now) else { return }
        logger.warning(
            "a model failed: \(PeerText.line(text ?? code.description))",
            metadata: ["model": "\(Self.name(model))", "code": "\(code)"] + Self.unlogged(suppressed))
    }

    private func noticed(_ notice: SchedulerEffects.Notice, of model: ModelVersion?) {
        switch notice {
        case .stuck(_, _, let age):
            logger.warning(
                "a replica is stuck: it gets nothing until it answers",
                metadata: ["model": "\(Self.name(model))", "batch age": "\(age)"])
        case .recovered:
            logger.info("a replica that was stuck has answered", metadata: ["model": "\(Self.name(model))"])
        }
    }

    private static func name(_ model: ModelVersion?) -> String { model?.description ?? "unknown" }

    /// How many lines of a kind were left out before this one.
    private static func unlogged(_ count: Int) -> Logger.Metadata {
        count == 0 ? [:] : ["not logged before": "\(count)"]
    }
}

/// Of a key in both, the right one counts.
private func + (left: Logger.Metadata, right: Logger.Metadata) -> Logger.Metadata {
    left.merging(right) { $1 }
}
