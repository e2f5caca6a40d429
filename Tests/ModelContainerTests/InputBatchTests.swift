import ModelContainer
import Testing

@Suite("Batches of inputs")
struct InputBatchTests {
    @Test("All elements lie in one array, and the bounds tell the rows")
    func storage() {
        let batch = InputBatch([[1.0, 2.0], [], [3.0]])
        #expect(batch.elements == [1, 2, 3])
        #expect(batch.rowBounds == [0, 2, 2, 3])
        #expect(batch.count == 3)
        #expect(batch.map(Array.init) == [[1, 2], [], [3]])
        #expect(batch[2] == [3])
        #expect(batch.last == [3])
    }

    @Test("A row shares the batch's memory")
    func sharesMemory() throws {
        let batch = InputBatch([[1.0, 2.0], [3.0]])
        let start = try #require(batch.elements.withUnsafeBufferPointer { $0.baseAddress.map { Int(bitPattern: $0) } })
        let row = try #require(batch[1].withUnsafeBufferPointer { $0.baseAddress.map { Int(bitPattern: $0) } })
        #expect(row == start + 16)
    }

    @Test("Rows of one length are a matrix")
    func matrix() throws {
        let matrix = try #require(InputBatch([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).matrix)
        #expect((matrix.rowCount, matrix.columnCount) == (2, 3))
        #expect(matrix.elements == [1, 2, 3, 4, 5, 6])
        #expect(matrix[1, 0] == 4)
        #expect(matrix[row: 1] == [4, 5, 6])
    }

    @Test("Rows of different lengths are none")
    func noMatrix() {
        #expect(InputBatch([[1.0, 2.0], [3.0]]).matrix == nil)
        #expect(InputBatch([[], [3.0]]).matrix == nil)
    }

    @Test("A batch without rows, or with empty ones, is a matrix without elements")
    func emptyMatrix() {
        let none = InputBatch([[Double]]()).matrix
        #expect(none == InputBatch([[Double]]()).matrix)
        #expect(none?.rowCount == 0)
        let empty = InputBatch([[Double]](repeating: [], count: 3)).matrix
        #expect(empty?.rowCount == 3)
        #expect(empty?.columnCount == 0)
    }
}
