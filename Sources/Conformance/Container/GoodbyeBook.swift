/// The goodbyes of a session of RPC 4: sees that the container says none that it must not.
struct GoodbyeBook {
    private var isToldToStop = false
    private var isOfFrontend = false
    private var isOfContainer = false

    /// The container was told to stop; that holds for its later sessions, too.
    mutating func stop() {
        isToldToStop = true
    }

    /// The frontend has said goodbye.
    mutating func sent() {
        isOfFrontend = true
    }

    /// The container has said goodbye.
    mutating func came() throws(Fault) {
        guard !isOfContainer else {
            throw Fault(expected: "one goodbye in a session", but: "the container said a second one")
        }
        guard isToldToStop || !isOfFrontend else {
            throw Fault(
                expected: "no answer to a goodbye that the frontend said of its own accord",
                but: "the container said goodbye, too")
        }
        isOfContainer = true
    }

    /// Another session begins.
    mutating func forget() {
        (isOfFrontend, isOfContainer) = (false, false)
    }
}
