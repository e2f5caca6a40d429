import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Connections to the RPC port")
struct ContainerConnectionsTests {
    private var connections = ContainerConnections(most: 3)

    /// - Returns: those that were cut for it.
    private mutating func accept(_ descriptors: Int32...) -> [Int32] {
        descriptors.compactMap { connections.note(.accepted(descriptor: $0)) }
    }

    private mutating func end(_ descriptor: Int32) {
        #expect(connections.note(.disconnected(descriptor: descriptor)) == nil)
    }

    @Test("As many as there may be stay")
    mutating func enough() {
        #expect(accept(10, 11, 12) == [])
        #expect(connections.count == 3)
    }

    @Test("One too many costs the one that has been silent for longest")
    mutating func oldestSilent() {
        _ = accept(10, 11, 12)
        connections.noteMessage(by: 10)
        #expect(accept(13) == [11])
        #expect(accept(14) == [12])
        #expect(connections.count == 3)
    }

    @Test("Where all others have spoken, it costs the one that came")
    mutating func newest() {
        _ = accept(10, 11, 12)
        for descriptor: Int32 in 10...12 { connections.noteMessage(by: descriptor) }
        #expect(accept(13) == [13])
    }

    @Test("One that was told to go makes room at once, and no more when it is gone")
    mutating func cutOnce() {
        _ = accept(10, 11, 12, 13)
        #expect(connections.count == 3)
        end(10)
        #expect(connections.count == 3)
        #expect(accept(14) == [11])
    }

    @Test("One that leaves makes room for another")
    mutating func room() {
        _ = accept(10, 11, 12)
        end(11)
        #expect(connections.count == 2)
        #expect(accept(13) == [])
    }

    @Test("A descriptor that is used again is another connection")
    mutating func reused() {
        _ = accept(10, 11, 12)
        connections.noteMessage(by: 11)
        end(10)
        // It is the youngest of those that are silent by now.
        #expect(accept(10) == [])
        #expect(accept(13) == [12])
        #expect(accept(14) == [10])
        connections.noteMessage(by: 10)
        #expect(connections.count == 3)
    }

    @Test("What comes late by one that was told to go does not keep it")
    mutating func lateMessage() {
        _ = accept(10, 11, 12, 13)
        connections.noteMessage(by: 10)
        #expect(connections.isCut(10))
        end(10)
        #expect(connections.count == 3)
        #expect(!connections.isCut(10))
    }

    @Test("Containers that come and go beside one that is silent leave nothing behind")
    mutating func bounded() {
        _ = accept(10)
        for descriptor: Int32 in 11...1_000 {
            #expect(accept(descriptor) == [])
            connections.noteMessage(by: descriptor)
            end(descriptor)
        }
        #expect(connections.count == 1)
        #expect(connections.waitingCount < 80)
    }
}
