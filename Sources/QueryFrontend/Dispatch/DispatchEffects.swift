package import ContainerRPC

/// What follows from the events of a turn, until the one who drives the core has carried it out.
package struct DispatchEffects: Sendable {
    /// A message that is to go to a container.
    package struct Message: Sendable {
        package var message: FrontendMessage
        package var version: RPCVersion
        package var peer: RoutingID
    }

    /// A batch that is to go to a container, after the messages.
    package struct Batch: Sendable {
        package var dispatch: SchedulerEffects.Dispatch
        package var version: RPCVersion
        package var peer: RoutingID
    }

    package var messages: [Message] = []
    package var batches: [Batch] = []
    /// Descriptors of containers' connections that are to be cut.
    package var cuts: [Int32] = []
    /// Outcomes, by sink.
    package var deliveries: [[Delivery]] = []
    /// What became of feedback, by sink.
    package var acknowledgements: [[SelectorEffects.Acknowledgement]] = []
    package var storeRequests: [SelectionStoreRequest] = []
    /// What has happened, in this order, for those who only watch.
    package var events: [DispatchEvent] = []

    /// Takes what is to be sent.
    package mutating func takeSendings() -> (messages: [Message], batches: [Batch]) {
        defer {
            messages = []
            batches = []
        }
        return (messages, batches)
    }

    /// What could not be sent is to be sent before what has been decided since.
    package mutating func putBack(_ rest: ArraySlice<Message>) {
        messages.insert(contentsOf: rest, at: 0)
    }

    /// Takes the connections that are to be cut.
    package mutating func takeCuts() -> [Int32] {
        defer { cuts = [] }
        return cuts
    }

    /// Takes what the store is to do.
    package mutating func takeStoreRequests() -> [SelectionStoreRequest] {
        defer { storeRequests = [] }
        return storeRequests
    }

    /// Takes what has happened.
    package mutating func takeEvents() -> [DispatchEvent] {
        defer { events = [] }
        return events
    }
}

/// Something that has happened: an operator may want to know of it, and a simulation's oracle does. What happens to each batch
/// and query (`completed`, `chosen`, `finished`) is told where it is asked for.
package enum DispatchEvent: Sendable {
    /// A container serves from now on.
    ///
    /// - Parameters:
    ///   - number: its own among those of its model version.
    ///   - taken: what its model is registered with; `nil` where nobody has registered it.
    case added(ReplicaID, Registration, number: Int, taken: InputType?)
    /// A replica is about to go.
    case leaving(ReplicaID)
    /// A replica that was added drains: it did before it was asked to register anew.
    case drains(ReplicaID)
    /// A replica serves no more; so many queries go elsewhere.
    case removed(ReplicaID, FrontendSession.EndReason, retried: Int)
    /// A container's model takes something else than its registration says: the container was told, and will try again.
    case refused(Registration, Refusal)
    /// A message from a container was of no use.
    case badMessage(from: RoutingID, replica: ReplicaID?, ContainerSessions.BadMessage)
    /// A connection to the RPC port by which nothing had come was cut, because there would be more than so many.
    case cut(connections: Int)
    case completed(ReplicaID, PredictResponse)
    /// A batch has failed as a whole.
    case failed(ReplicaID, BatchFailure)
    /// A model has not answered an input of a batch, the first one for which it failed or else refused to.
    case inputFailed(ReplicaID, FailureCode, String)
    /// A policy has chosen a model for an input; or its application has lost its policy meanwhile, and the first model
    /// is asked as for any other application.
    case chosen(Query)
    /// What a policy has chosen has its outcome.
    case finished(Ticket, Outcome, isCached: Bool)
    case noticed(SchedulerEffects.Notice)
}
