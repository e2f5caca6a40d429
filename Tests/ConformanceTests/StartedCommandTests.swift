import TestSupport
import Testing

@testable import ContainerConformance

@Suite struct StartedCommandTests {
    private func started(_ script: String) throws -> StartedCommand {
        try StartedCommand(try Command(["sh", "-c", script]), environment: [:])
    }

    @Test func `what a program prints goes through a pipe and is stored nowhere, and its end is kept`() async throws {
        let program = try started("test -p /dev/fd/1 && yes | head -c 20000000; printf 'the end'; exec sleep 1000")
        defer { program.finish() }
        try await eventually("it has printed all") { program.output.hasSuffix("the end") }
        #expect(program.output.utf8.count == ProgramOutput.longest)
        #expect(program.programEnd == nil)
    }

    @Test func `what a program has said last is there when it has ended`() async throws {
        let program = try started("printf out; printf err >&2; exit 3")
        defer { program.finish() }
        try await eventually("it ends") { program.programEnd == .status(3) }
        #expect(program.output == "outerr")
    }

    @Test func `a program that prints without an end can be finished`() async throws {
        let program = try started("exec yes")
        try await eventually("it prints") { !program.output.isEmpty }
        program.finish()
        #expect(program.programEnd == .signal(9))
    }
}
