import Testing

@testable import ModelContainer

@Suite("The name of the frontend's host")
struct FrontendNameTests {
    private func sought(in endpoint: String) -> String? {
        var name = FrontendName(in: endpoint)
        name.isNeeded()
        return name.takeToResolve()
    }

    @Test("A name is resolved, and an address is not")
    func isName() {
        #expect(sought(in: "tcp://frontend.example:7000") == "frontend.example")
        #expect(sought(in: "tcp://localhost:7000") == "localhost")
        #expect(sought(in: "tcp://10.0.0.256:7000") == "10.0.0.256", "it is no address")
        for address in ["tcp://127.0.0.1:7000", "tcp://[::1]:7000", "tcp://::1:7000", "inproc://a", "ipc:///tmp/a:1"] {
            #expect(sought(in: address) == nil)
        }
    }

    @Test("It is resolved once for each session, and not while that goes on")
    func once() {
        var name = FrontendName(in: "tcp://frontend:7000")
        #expect(name.takeToResolve() == nil)
        name.isNeeded()
        #expect(name.takeToResolve() == "frontend")
        #expect(name.takeToResolve() == nil)
        name.isNeeded()
        #expect(name.takeToResolve() == nil)
        _ = name.resolved(isOnlyIPv6: false)
        #expect(name.takeToResolve() == "frontend")
    }

    @Test("It is unknown where the resolver has said so last")
    func unknown() {
        var name = FrontendName(in: "tcp://frontend:7000")
        #expect(name.unknown == nil)
        _ = name.resolved(isOnlyIPv6: nil)
        #expect(name.unknown == "frontend")
        _ = name.resolved(isOnlyIPv6: false)
        #expect(name.unknown == nil)
    }

    @Test("What the resolver says is news where it is another kind of address than was tried; no answer is none")
    func news() {
        var name = FrontendName(in: "tcp://frontend:7000")
        #expect(!name.isOnlyIPv6)
        let news = [false, nil, true, true, nil].map { name.resolved(isOnlyIPv6: $0) }
        #expect(news == [false, false, true, false, false])
        #expect(name.isOnlyIPv6)
        let back = name.resolved(isOnlyIPv6: false)
        #expect(back && !name.isOnlyIPv6)
    }
}

@Suite("What a container's thread waits for")
struct ServedSessionWaitTests {
    @Test("Who waits for one connection does not wait for the next, though that has its descriptors; nor for less time")
    func covers() {
        let wait = ServedSession.Wait(descriptors: [5, 6], connection: 1, deadline: .distantFuture)
        var other = wait
        #expect(wait.covers(other))
        other.connection = 2
        #expect(!wait.covers(other))
        other = wait
        other.deadline = .distantPast
        #expect(!wait.covers(other))
        #expect(other.covers(wait))
    }
}
