import ContainerRPC
import Foundation

/// A single-threaded container of RPC 3 and 4, right but for its flaw.
struct FlawedContainer {
    /// Why a session has ended, and how long to wait before the next.
    enum End {
        case session(pause: Duration)
        case process(status: Int32)
    }

    let flaw: Flaw
    let registration: Registration
    private let endpoint: String
    private let context: Context?
    private let offersVersion4: Bool
    /// The routing id of the first session.
    private let firstID: RoutingID

    init(_ flaw: Flaw, environment: [String: String]) {
        self.flaw = flaw
        var details = RegistrationDetails()
        details.largestBatch = 6_000
        details.beatsWhileBusy = flaw == .silentWhileBusy
        details.wantsFeedback = true
        details.metadata = [MetadataPair("language", "Swift")]
        var (name, version) = (environment["CLIPPER_MODEL_NAME"] ?? "", environment["CLIPPER_MODEL_VERSION"] ?? "")
        if flaw == .namesInLowerCase { name = name.lowercased() }
        if flaw == .versionAsNumber { version = Int(version).map { "\($0)" } ?? version }
        registration = Registration(
            modelName: name, modelVersion: version,
            inputType: InputType(name: environment["CLIPPER_INPUT_TYPE"] ?? "doubles") ?? .float64, details: details)
        endpoint = "tcp://\(environment["CLIPPER_IP"] ?? "127.0.0.1"):\(environment["CLIPPER_PORT"] ?? "7000")"
        context = try? Context()
        offersVersion4 = flaw != .noPrefix
        var generator = SystemRandomNumberGenerator()
        firstID = .offeringVersion4(using: &generator)
    }

    /// Serves until it is told to stop.
    ///
    /// - Returns: the process's exit status.
    func serve(_ isToldToStop: () -> Bool) throws -> Int32 {
        guard let context else { return 70 }
        var number = 0
        var left: [PredictRequest] = []
        while true {
            defer { number += 1 }
            switch try serveSession(in: context, number: number, &left, isToldToStop) {
            case .process(let status):
                // What was sent last leaves first.
                context.terminate()
                return status
            case .session(let pause):
                let end = MonotonicTime.now() + pause
                // The pause between two sessions, cut into slices in which it can be told to stop.
                while MonotonicTime.now() < end {
                    if isToldToStop(), flaw != .sleepsThroughSignal { return 0 }
                    Thread.sleep(forTimeInterval: 0.01)
                }
            }
        }
    }

    /// One session with a socket of its own, which is closed when it ends.
    ///
    /// - Parameters:
    ///   - number: how many sessions there were before it.
    ///   - left: what those have left unanswered.
    private func serveSession(
        in context: Context, number: Int, _ left: inout [PredictRequest], _ isToldToStop: () -> Bool
    ) throws -> End {
        let socket = try Socket(.dealer, in: context)
        if offersVersion4 {
            var generator = SystemRandomNumberGenerator()
            var id = RoutingID.offeringVersion4(using: &generator)
            if flaw == .sameRoutingID { id = firstID }
            if flaw == .sameIDsEachTime { id.bytes = Array("rpc4-this is session number \(number)".utf8) }
            if flaw == .idsByProcess {
                let digits = "\(ProcessInfo.processInfo.processIdentifier * 1_000 + Int32(number))"
                id.bytes = Array(("rpc4-" + String(repeating: "0", count: 32 - digits.count) + digits).utf8)
            }
            // Half of its digits are those of the first session.
            if flaw == .halfRandomIDs { id.bytes = Array(firstID.bytes.prefix(21) + id.bytes.suffix(16)) }
            if flaw == .fewRandomBits {
                id.bytes = Array("rpc4-\(String(UInt64.random(in: (1 << 63)...UInt64.max), radix: 16))".utf8)
            }
            if flaw == .shortRoutingID { id.bytes = Array(id.bytes.prefix(9)) }
            try socket.setRoutingID(id)
        }
        try socket.connect(endpoint)
        let session = FlawedSession(socket, flaw, registration, isFirst: number == 0, left: left)
        let end = try session.serve(isToldToStop)
        left = session.left
        if case .process = end { try session.linger() }
        if flaw == .diesAtMalformed, session.wasMalformed { return .process(status: 1) }
        return end
    }
}
