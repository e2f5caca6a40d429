import ArgumentParser
import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@main
struct NIOEcho: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nio-echo",
        abstract: "Answers each POST with its own body: what SwiftNIO's HTTP/1.1 server can do at best.",
        discussion: "Prints `ready http://127.0.0.1:PORT` and serves until it is killed.")

    @Option(help: "Event loops.")
    var threads = System.coreCount

    @Option(help: "The port to listen on; 0 for one that the system picks.")
    var port = 0

    func validate() throws {
        guard threads > 0 else { throw ValidationError("there must be an event loop") }
    }

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(EchoHandler())
                }
            }
            .bind(host: "127.0.0.1", port: port)
            .get()
        print("ready http://127.0.0.1:\(channel.localAddress?.port ?? 0)")
        // Standard output may be a pipe, which is written only when the buffer is full.
        fflush(nil)
        try await channel.closeFuture.get()
    }
}
