/// A name's number in the frontend.
protocol Handle: Hashable, Sendable {
    /// The number; small, since they count up from 0.
    var index: Int { get }
}

/// A model version by its number in the frontend, so that no name is hashed on the query path.
package struct ModelHandle: Handle, Hashable, Sendable {
    package var index: Int

    package init(index: Int) {
        self.index = index
    }
}

/// An application by its number in the frontend.
package struct ApplicationHandle: Handle, Hashable, Sendable {
    package var index: Int

    package init(index: Int) {
        self.index = index
    }
}
