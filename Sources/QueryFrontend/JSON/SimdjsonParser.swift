import CSimdjson

/// A parser of simdjson's with its memory; one owner, used by one thread at a time.
struct SimdjsonParser: ~Copyable {
    /// What the functions of `CSimdjson` take.
    let pointer: OpaquePointer

    init() {
        // Some hundred bytes, asked for as a server starts, whatever anybody sends: without them nothing can be served.
        guard let pointer = csj_parser_create() else { fatalError("no memory for a JSON parser") }
        self.pointer = pointer
    }

    deinit { csj_parser_destroy(pointer) }
}
