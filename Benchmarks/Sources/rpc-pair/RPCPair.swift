import ArgumentParser
import ContainerRPC
import Foundation

@main
struct RPCPair: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc-pair",
        abstract: "Exchanges batches between both session state machines over TCP loopback.",
        discussion: "Prints one line of JSON: batches per second. c-router-dealer does the same without Swift.")

    @Option(help: "Inputs per batch.")
    var inputs = 1

    @Option(help: "Bytes per input, a multiple of 8.")
    var bytes = 800

    @Option(help: "Batches in flight.")
    var inFlight = 2

    @Option(help: "The protocol's version, 3 or 4.")
    var rpc: UInt32 = 3

    @Option(help: "Measured seconds.")
    var seconds = 3.0

    @Option(help: "Seconds before that are not measured.")
    var warmUp = 0.5

    func validate() throws {
        guard RPCVersion(rawValue: rpc) != nil else { throw ValidationError("the versions are 3 and 4") }
        guard inputs > 0, inFlight > 0 else { throw ValidationError("inputs and batches in flight start at 1") }
        guard bytes >= 8, bytes % 8 == 0 else { throw ValidationError("an input is some doubles of 8 bytes") }
        guard seconds > 0, warmUp >= 0 else { throw ValidationError("the time must be positive") }
    }

    func run() throws {
        var frontend = try FrontendSide(load: Load(inputCount: inputs, byteCount: bytes, batchesInFlight: inFlight))
        let version = RPCVersion(rawValue: rpc) ?? .three
        let endpoint = try frontend.bind("tcp://127.0.0.1:*")
        let container = try ContainerSide(endpoint: endpoint, version: version)
        let thread = Thread { container.run() }
        thread.start()

        let measurement = try frontend.measure(warmUp: .seconds(warmUp), duration: .seconds(seconds))
        container.stop()

        let elapsed = measurement.elapsed / .seconds(1)
        let rate = Int((Double(measurement.batches) / elapsed).rounded())
        print(
            """
            {"pair":"swift","inputs":\(inputs),"bytes":\(bytes),"in_flight":\(inFlight),\
            "seconds":\((elapsed * 1000).rounded() / 1000),"batches":\(measurement.batches),\
            "batches_per_second":\(rate),"rpc":\(rpc),\
            "cpu_us_per_batch":\(Int((measurement.cpuSeconds * 1e6 / Double(measurement.batches)).rounded()))}
            """)
    }
}
