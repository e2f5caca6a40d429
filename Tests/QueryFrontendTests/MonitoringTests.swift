import Foundation
import NIOCore
import Testing

@testable import QueryFrontend

@Suite("Pages for monitors")
struct MonitoringTests {
    /// Makes pages one at a time, each when it is let go.
    private actor Press {
        private(set) var begun = 0
        private var waiting: [CheckedContinuation<Void, Never>] = []

        func print() async -> ByteBuffer {
            begun += 1
            let page = UInt8(begun)
            await withCheckedContinuation { waiting.append($0) }
            return ByteBuffer(bytes: [page])
        }

        func letGo() { while let first = waiting.popLast() { first.resume() } }
    }

    @Test("All who ask while a page is made share the next, which knows of all until then", .timeLimit(.minutes(5)))
    func shared() async throws {
        let (pages, press) = (SharedPages(), Press())
        let first = Task { await pages.page { await press.print() } }
        while await press.begun < 1 { await Task.yield() }
        let others = (0..<40).map { _ in Task { await pages.page { await press.print() } } }
        while await pages.waiting < 41 { await Task.yield() }
        #expect(await press.begun == 1)
        await press.letGo()
        #expect(await first.value == ByteBuffer(bytes: [1]))
        while await press.begun < 2 { await Task.yield() }
        await press.letGo()
        for other in others { #expect(await other.value == ByteBuffer(bytes: [2])) }
        #expect(await press.begun == 2)
    }

    #if os(Linux)
        @Test("The system's figures of this process are plausible")
        func process() throws {
            let figures = try #require(ProcessFigures.current())
            #expect(figures.residentBytes > 1 << 20 && figures.openDescriptors > 2)
            // The system says it in kB, too, which is no page. Tests beside this one take memory and give it back.
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
            let kilobytes = try #require(line.split(whereSeparator: \.isWhitespace).lazy.compactMap { Int($0) }.first)
            #expect((kilobytes * 512...kilobytes * 2048).contains(figures.residentBytes))
            #expect(figures.mostDescriptors >= figures.openDescriptors && figures.processorTime > .zero)
        }
    #endif
}
