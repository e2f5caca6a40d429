import Foundation
import QueryFrontend
import Synchronization
import Testing

@testable import clipper

@Suite("Waiting for replicas to drain")
struct DrainProgressTests {
    private static let id = ModelVersion(name: "sum", version: "1")

    private func replica(_ number: Int, queries: Int = 0, batches: Int? = nil) -> ReplicaStatus {
        ReplicaStatus(
            modelName: "sum", modelVersion: "1", replica: number, inputType: "doubles",
            batchesInFlight: batches ?? (queries > 0 ? 1 : 0), queriesInFlight: queries, state: "draining")
    }

    @Test("Where nothing is in flight it is done at once")
    func isDone() {
        var progress = DrainProgress(Self.id, replica: nil, timeout: .seconds(60))
        #expect(
            progress.note([replica(1), replica(0)], after: .zero)
                == .done(["sum:1:0 is drained", "sum:1:1 is drained"]))
    }

    @Test("One that cannot be told to end is pointed out where it was to, and only there", arguments: [false, true])
    func pointsOutTheDeaf(stops: Bool) {
        var progress = DrainProgress(Self.id, replica: nil, timeout: .seconds(60), stops: stops)
        var old = replica(0)
        old.rpcVersion = 3
        let what = "speaks RPC 3 and cannot be told to end: stop its container yourself"
        #expect(
            progress.note([old], after: .zero)
                == .done(
                    ["sum:1:0 is drained" + (stops ? "; it \(what)" : "")], advice: stops ? "sum:1:0 \(what)" : nil))
    }

    @Test("What is in flight is told when it changes, until nothing is")
    func waits() {
        var progress = DrainProgress(Self.id, replica: nil, timeout: .seconds(60))
        let both = [replica(1, queries: 2), replica(0, queries: 5)]
        #expect(progress.note(both, after: .zero) == .wait("7 queries in flight on sum:1:0, sum:1:1"))
        #expect(progress.note(both, after: .seconds(1)) == .wait(nil))
        #expect(
            progress.note([replica(0), replica(1, queries: 1)], after: .seconds(2))
                == .wait("1 query in flight on sum:1:1"))
        #expect(
            progress.note([replica(0), replica(1)], after: .seconds(3))
                == .done(["sum:1:0 is drained", "sum:1:1 is drained"]))
    }

    @Test("A batch in flight is waited for, whatever it holds")
    func waitsForBatches() {
        var progress = DrainProgress(Self.id, replica: 0, timeout: .seconds(60))
        #expect(
            progress.note([replica(0, batches: 1)], after: .zero) == .wait("0 queries in flight on sum:1:0"))
    }

    @Test("A replica that is gone is not waited for, and told so")
    func noticesDisconnection() {
        var progress = DrainProgress(Self.id, replica: nil, timeout: .seconds(60))
        _ = progress.note([replica(0), replica(1, queries: 1)], after: .zero)
        #expect(
            progress.note([replica(0)], after: .seconds(1))
                == .done(["sum:1:0 is drained", "sum:1:1 has disconnected"]))
    }

    @Test("A container of RPC 3 cannot be told to end, which is told of each and in all")
    func tellsTheDeaf() {
        func replica(_ number: Int, rpcVersion: Int) -> ReplicaStatus {
            var replica = self.replica(number)
            replica.rpcVersion = rpcVersion
            return replica
        }
        var progress = DrainProgress(Self.id, replica: nil, timeout: .seconds(60), stops: true)
        let note = "it speaks RPC 3 and cannot be told to end: stop its container yourself"
        #expect(
            progress.note([replica(0, rpcVersion: 3), replica(1, rpcVersion: 4)], after: .zero)
                == .done(
                    ["sum:1:0 is drained; \(note)", "sum:1:1 is drained"],
                    advice: "sum:1:0 speaks RPC 3 and cannot be told to end: stop its container yourself"))
        guard
            case .done(_, let advice) = progress.note(
                [replica(1, rpcVersion: 3), replica(0, rpcVersion: 3)], after: .zero)
        else {
            Issue.record("it still waits")
            return
        }
        #expect(advice?.hasPrefix("sum:1:0, sum:1:1 speak RPC 3") == true)
    }

    @Test("When the time is up the failure tells what is left, and how to take it back")
    func givesUp() throws {
        var progress = DrainProgress(ModelVersion(name: "it's", version: "1"), replica: 3, timeout: .milliseconds(1500))
        #expect(progress.note([replica(3, queries: 2)], after: .seconds(1)) != .done([]))
        guard case .tooLate(let failure) = progress.note([replica(3, queries: 2)], after: .milliseconds(1500)) else {
            Issue.record("it still waits")
            return
        }
        #expect(failure.exitCode == 1)
        #expect(failure.message == "after 1.5s 2 queries still in flight on it's:1:3; nothing new is sent there")
        #expect(failure.advice?.contains(#"`clipper model drain 'it'\''s' 1 3 --resume`"#) == true)
    }

    @Test("What is done when the time is up is done")
    func prefersDone() {
        var progress = DrainProgress(Self.id, replica: 0, timeout: .seconds(1))
        #expect(progress.note([replica(0)], after: .seconds(2)) == .done(["sum:1:0 is drained"]))
    }
}

/// Answers one request after the other, and keeps what was asked.
private final class ScriptedTransport: FrontendTransport {
    private let replies: Mutex<[FrontendReply]>
    private let requests = Mutex<[FrontendRequest]>([])

    init(_ replies: [(Int, String)]) {
        self.replies = Mutex(replies.map { FrontendReply(status: $0.0, body: $0.1) })
    }

    var asked: [FrontendRequest] { requests.withLock { $0 } }

    func reply(
        to request: FrontendRequest, at address: FrontendAddress, patience: Duration
    ) async throws -> FrontendReply {
        requests.withLock { $0.append(request) }
        return try replies.withLock { replies in
            guard !replies.isEmpty else { throw NoAnswerError.silent }
            return replies.removeFirst()
        }
    }
}

@Suite("Asking a frontend to drain")
struct DrainRequestTests {
    private static let id = ModelVersion(name: "m", version: "1")
    private static let answer = """
        {"queries_in_flight":2,"replicas":[{"batches_in_flight":1,"completed_batches":4,"completed_queries":9,\
        "input_type":"doubles","model_name":"m","model_version":"1","queries_in_flight":2,"replica":0,\
        "seconds_since_last_message":0.5,"state":"draining"}]}
        """

    @Test("The replicas are read from the answer")
    func reads() async throws {
        let transport = ScriptedTransport([(200, Self.answer)])
        let client = AdministrationClient(address: try FrontendAddress("http://a:1"), transport: transport)
        let (replicas, json) = try await client.drain(Self.id, replica: nil, .begin)
        #expect(json == Self.answer)
        #expect(replicas.map(\.replica) == [0])
        #expect(replicas.map(\.state) == ["draining"])
        #expect(replicas.map(\.queriesInFlight) == [2])
        #expect(transport.asked == [AdministrationRequest.drain(Self.id, replica: nil, .begin)])
    }

    @Test("Looking at replicas orders nothing, and tells only of those that drain")
    func looks() async throws {
        func replica(_ model: String, _ version: String, _ number: Int) -> ReplicaStatus {
            ReplicaStatus(
                modelName: model, modelVersion: version, replica: number, inputType: "doubles", batchesInFlight: 1,
                queriesInFlight: number, state: "draining")
        }
        let status = FrontendStatus(
            uptimeSeconds: 1, applications: [], models: [],
            replicas: [
                replica("m", "1", 3), replica("m", "2", 1), replica("other", "1", 1), replica("m", "1", 1),
                replica("m", "1", 4),
            ])
        let transport = ScriptedTransport([(200, String(decoding: try JSONEncoder().encode(status), as: UTF8.self))])
        let client = AdministrationClient(address: try FrontendAddress("http://a:1"), transport: transport)
        let (replicas, json) = try await client.replicas(of: Self.id, [1, 2, 3])
        #expect(replicas.map(\.replica) == [1, 3])
        #expect(replicas.allSatisfy { $0.modelName == "m" && $0.modelVersion == "1" })
        #expect(json.contains(#""queries_in_flight":4"#))
        #expect(transport.asked == [AdministrationRequest.status()])
    }

    @Test(
        "A request names the replica only where one is meant, and resuming or stopping only where that is",
        arguments: [
            (nil, .begin, #"{"model_name":"m","model_version":"1"}"#),
            (0, .begin, #"{"model_name":"m","model_version":"1","replica_id":0}"#),
            (nil, .end, #"{"model_name":"m","model_version":"1","resume":true}"#),
            (1, .beginAndStop, #"{"model_name":"m","model_version":"1","replica_id":1,"stop":true}"#),
            (2, .end, #"{"model_name":"m","model_version":"1","replica_id":2,"resume":true}"#),
        ] as [(Int?, Draining, String)])
    func asks(replica: Int?, draining: Draining, body: String) {
        let request = AdministrationRequest.drain(Self.id, replica: replica, draining)
        #expect(request.path == ["admin", "drain"])
        #expect(request.body?.text == body)
    }
}
