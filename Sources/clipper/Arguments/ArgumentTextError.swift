/// A text on the command line, or in the environment, that does not say what it should.
struct ArgumentTextError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, to stand after the text and a colon.
    let description: String

    init(_ description: String) { self.description = description }
}
