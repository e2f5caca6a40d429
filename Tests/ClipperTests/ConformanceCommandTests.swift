import ArgumentParser
import ContainerConformance
import ContainerRPC
import Testing

@testable import clipper

@Suite("clipper conformance")
struct ConformanceCommandTests {
    private func refusal(_ arguments: [String]) -> (code: Int32, text: String)? {
        do {
            _ = try ClipperCommand.parseAsRoot(["conformance"] + arguments)
            return nil
        } catch {
            return (ClipperCommand.exitCode(for: error).rawValue, ClipperCommand.fullMessage(for: error))
        }
    }

    private func container(_ arguments: String) throws -> ConformanceContainerCommand {
        let words = arguments.split(separator: " ").map(String.init)
        return try #require(
            try ClipperCommand.parseAsRoot(["conformance", "container"] + words) as? ConformanceContainerCommand)
    }

    @Test("What stands after -- is the command, its options too")
    func parsesCommand() throws {
        let command = try container("--rpc 4 --input-type string --only order,any-id --only budget -- run --rpc 3")
        #expect(command.command == ["run", "--rpc", "3"])
        #expect(command.options.versions == [.four])
        #expect(command.inputType == .string)
        #expect(try command.options.chosen(from: ListedScenario.ofContainers) == ["order", "any-id", "budget"])
    }

    @Test("Without --rpc both versions are played, 3 first")
    func bothVersions() throws {
        #expect(try container("-- run").options.versions == [.three, .four])
    }

    @Test("A container without a command, another version and no jobs are usage errors")
    func usage() throws {
        let noCommand = try #require(refusal(["container"]))
        #expect(noCommand.code == 64)
        #expect(noCommand.text.contains("put it after `--`"))
        #expect(refusal(["container", "--list"]) == nil)
        let version = try #require(refusal(["container", "--rpc", "5", "--", "run"]))
        #expect(version.code == 64)
        #expect(version.text.contains("the versions are 3 and 4"))
        #expect(refusal(["frontend", "--jobs", "0"])?.code == 64)
        #expect(refusal(["frontend", "--rpc-port", "0"])?.code == 64)
    }

    @Test("A file for the results that cannot be written is told before anything is played")
    func checksFile() async throws {
        let options = try container("--junit /nowhere/report.xml -- run").options
        let code = await #expect(throws: ExitCode.self) {
            try await options.run(suite: "container") {
                Issue.record("it has begun")
                return []
            }
        }
        #expect(code == ExitCode(1))
    }

    @Test("A scenario that is not there, or not in the version, is an error that names it")
    func unknownScenario() throws {
        let unknown = try container("--only nothing -- run").options
        let failure = #expect(throws: CommandFailure.self) { try unknown.chosen(from: ListedScenario.ofContainers) }
        #expect(failure?.exitCode == 64)
        #expect(failure?.message == "there is no scenario 'nothing'")
        let other = try container("--rpc 3 --only budget -- run").options
        let second = #expect(throws: CommandFailure.self) { try other.chosen(from: ListedScenario.ofContainers) }
        #expect(second?.message == "the scenario 'budget' is not played in RPC 3")
    }
}
