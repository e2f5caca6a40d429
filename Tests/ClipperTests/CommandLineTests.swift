import ArgumentParser
import ContainerRPC
import QueryFrontend
import Testing

@testable import clipper

@Suite("The command line")
struct CommandLineTests {
    /// The exit code and the text that the arguments end with before anything runs.
    private func refusal(_ arguments: [String]) -> (code: Int32, text: String)? {
        do {
            _ = try ClipperCommand.parseAsRoot(arguments)
            return nil
        } catch {
            return (ClipperCommand.exitCode(for: error).rawValue, ClipperCommand.fullMessage(for: error))
        }
    }

    @Test("An application is registered with a default that begins with a dash")
    func parsesRegistration() throws {
        let arguments = "app register digits --input-type double --default-output -1.0 --slo 100ms --link m n"
        let command = try #require(
            try ClipperCommand.parseAsRoot(arguments.split(separator: " ").map(String.init)) as? AppCommand.Register)
        #expect(command.name == "digits")
        #expect(command.inputType == .float64)
        #expect(command.defaultOutput == "-1.0")
        #expect(command.latencySLO == .milliseconds(100))
        #expect(command.models == ["m", "n"])
    }

    @Test("A model is registered adaptive unless it gets a batch size")
    func parsesModels() throws {
        let arguments = ["model", "register", "m", "1", "--input-type", "strings"]
        let adaptive = try #require(try ClipperCommand.parseAsRoot(arguments) as? ModelCommand.Register)
        #expect(adaptive.model.id == ModelVersion(name: "m", version: "1"))
        #expect(adaptive.batchSize == .adaptive)
        let fixed = try #require(
            try ClipperCommand.parseAsRoot(arguments + ["--batch-size", "32", "--label", "a", "b", "--json"])
                as? ModelCommand.Register)
        #expect(fixed.batchSize == .fixed(32))
        #expect(fixed.labels == ["a", "b"])
        #expect(fixed.options.json)
    }

    @Test("Inputs may be a dash, negative arrays and files of lines")
    func parsesInputs() throws {
        let command = try #require(
            try ClipperCommand.parseAsRoot(["predict", "a", "-", "[-1]", "@x", "--model-version", "2"])
                as? PredictCommand)
        #expect(command.inputs == ["-", "[-1]", "@x"])
        #expect(command.modelVersion == "2")
    }

    @Test(
        "What cannot be understood ends with 64 and says why",
        arguments: [
            (["app", "register", "a", "--input-type", "doubles", "--default-output", "x", "--slo", "100"], "100ms"),
            (["app", "register", "a", "--input-type", "tensors", "--default-output", "x", "--slo", "1s"], "floats"),
            (["model", "register", "m", "1", "--input-type", "doubles", "--batch-size", "0"], "adaptive"),
            (["status", "--admin", "ftp://a"], "http://127.0.0.1:1338"),
            (["predict", "a"], "at least one input"),
            (["predict", "a", "x", "--file", "y"], "not both"),
            (["frobnicate"], "frobnicate"),
        ])
    func refuses(arguments: [String], text: String) throws {
        let ending = try #require(refusal(arguments))
        #expect(ending.code == 64)
        #expect(ending.text.hasPrefix("error: "))
        #expect(ending.text.contains(text))
    }

    @Test("The help names exit codes and completions, and --version the version")
    func helps() {
        let help = ClipperCommand.helpMessage()
        #expect(help.contains("EXIT CODES"))
        #expect(help.contains("--generate-completion-script"))
        #expect(refusal(["--version"])?.text == "0.1.0")
    }

    @Test("A failure after a part was done says so")
    func tellsParts() {
        let failure = CommandFailure(cause: .refused(status: 400), message: "No model with name 'm' exists.")
            .after("application 'a' was registered")
        #expect(failure.message == "application 'a' was registered, but then: No model with name 'm' exists.")
        #expect(failure.exitCode == 1)
    }
}
