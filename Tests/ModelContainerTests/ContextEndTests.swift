import ContainerRPC
import Testing

@testable import ModelContainer

@Suite("The end of a context that libzmq keeps, as for a resolver that does not answer", .timeLimit(.minutes(1)))
struct ContextEndTests {
    /// A socket that is open keeps a context, too.
    private func withKeptContext(_ body: (Context) async throws -> Void) async throws {
        let context = try Context()
        let socket = try Socket(.dealer, in: context)
        try await body(context)
        withExtendedLifetime(socket) {}
    }

    @Test("Nobody waits for it once that is in a hurry")
    func hurries() async throws {
        try await withKeptContext { context in
            let (hurry, isToldAgain) = AsyncStream.makeStream(of: Never.self)
            let end = Task { await context.end(hurry: hurry) }
            isToldAgain.finish()
            await end.value
        }
    }

    @Test("Nobody waits for it in a task that is cancelled, before or meanwhile")
    func cancelled() async throws {
        try await withKeptContext { context in
            let end = Task { await context.end(hurry: AsyncStream.makeStream(of: Never.self).stream) }
            end.cancel()
            await end.value
        }
    }

    @Test("Else its end is waited for")
    func waits() async throws {
        let context = try Context()
        await context.end()
        #expect(throws: TransportError.self) { _ = try Socket(.dealer, in: context) }
    }
}
