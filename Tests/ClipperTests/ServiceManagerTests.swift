import Foundation
import Testing

@testable import clipper

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("Telling the service manager")
struct ServiceManagerTests {
    /// A socket bound to that name, and what comes to it.
    private func received(at name: String, _ send: () -> Bool) throws -> String {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(name.utf8)
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(
            MemoryLayout<sockaddr_un>.size - MemoryLayout.size(ofValue: address.sun_path) + path.count)
        #if canImport(Darwin)
            let descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
        #else
            let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        #endif
        defer { close(descriptor) }
        let bound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        try #require(bound == 0)
        #expect(send())
        var buffer = [UInt8](repeating: 0, count: 100)
        // What was sent is there: a datagram to a socket of this machine does not travel.
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    @Test("What is said comes to the socket that the environment names, with a file or without")
    func tells() throws {
        let number = UInt64.random(in: 0 ... .max)
        let file = FileManager.default.temporaryDirectory.appending(path: "notify-\(number)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        var names = [file]
        #if os(Linux)
            names.append("@clipper-test-\(number)")
        #endif
        for name in names {
            let manager = try #require(ServiceManager(environment: ["NOTIFY_SOCKET": name]))
            #expect(try received(at: name) { manager.tell("READY=1") } == "READY=1")
        }
    }

    @Test("Without a socket there is nobody to tell")
    func isAlone() {
        #expect(ServiceManager(environment: [:]) == nil)
        #expect(ServiceManager(environment: ["NOTIFY_SOCKET": ""]) == nil)
    }

    @Test(
        "A socket that is not there, or whose name is too long, is an answer and no crash",
        arguments: ["/nonexistent/socket", "/" + String(repeating: "x", count: 200)])
    func cannotTell(name: String) throws {
        #expect(try !#require(ServiceManager(environment: ["NOTIFY_SOCKET": name])).tell("READY=1"))
    }
}
