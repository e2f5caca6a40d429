import CSimdjson
import ContainerRPC

/// Reads what models answer as JSON, where answers are compared or put together.
///
/// The dispatch thread does so for every query of an ensemble, and every other query waits meanwhile: simdjson reads a
/// thousand numbers in microseconds, and what is longer than answers are is not read at all.
enum AnswerJSON {
    /// Answers of more bytes than this are compared as text.
    static let mostBytes = 1 << 20

    /// One for all: but for tests, and policies that are asked elsewhere, one thread uses it.
    private static let parser = Locked(SimdjsonParser())

    /// The numbers of an array; `nil` where the text is something else.
    static func numbers(in text: ArraySlice<UInt8>) -> [Double]? {
        text.count > mostBytes ? nil : parser.withLock { $0.numbers(in: text) }
    }

    /// The content of a string; `nil` where the text is something else.
    static func string(in text: ArraySlice<UInt8>) -> [UInt8]? {
        text.count > mostBytes ? nil : parser.withLock { $0.string(in: text) }
    }

    /// The number of a name in an object of numbers; `nil` where the text is something else, or has none.
    static func number(named name: String, in text: ArraySlice<UInt8>) -> Double? {
        text.count > mostBytes ? nil : parser.withLock { $0.number(named: name, in: text) }
    }
}

extension SimdjsonParser {
    fileprivate func numbers(in text: ArraySlice<UInt8>) -> [Double]? {
        defer { csj_parser_trim(pointer) }
        var count = 0
        guard text.withUnsafeBufferPointer({ csj_parse_numbers(pointer, $0.baseAddress, $0.count, &count) }) else {
            return nil
        }
        return Array(unsafeUninitializedCapacity: count) { numbers, initialized in
            // It writes as many as it has counted just now.
            csj_label(pointer, numbers.baseAddress)
            initialized = count
        }
    }

    fileprivate func string(in text: ArraySlice<UInt8>) -> [UInt8]? {
        defer { csj_parser_trim(pointer) }
        var count = 0
        // The content stays until the parser's next use.
        let content = text.withUnsafeBufferPointer { csj_parse_string(pointer, $0.baseAddress, $0.count, &count) }
        return content.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: count)) }
    }

    fileprivate func number(named name: String, in text: ArraySlice<UInt8>) -> Double? {
        defer { csj_parser_trim(pointer) }
        var number = 0.0
        let found = name.utf8CString.withUnsafeBufferPointer { name in
            text.withUnsafeBufferPointer { text in
                // Without the NUL at its end.
                csj_parse_member(pointer, text.baseAddress, text.count, name.baseAddress, name.count - 1, &number)
            }
        }
        return found ? number : nil
    }
}
