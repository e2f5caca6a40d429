import ContainerRPC

/// Takes outcomes to callers in this process, who await them.
final class DirectSink: OutcomeSink {
    private struct Request {
        var outcomes: [Delivery?]
        var missing: Int
        let continuation: CheckedContinuation<[Delivery], Never>
    }

    private struct State {
        var requests: [UInt64: Request] = [:]
        var feedback: [UInt64: CheckedContinuation<FeedbackResult, Never>] = [:]
        var next: UInt64 = 0
    }

    private let state = Locked(State())

    /// Waits for the outcomes of a request of so many inputs, which `submit` hands over under the given number.
    func outcomes(of count: Int, submit: (UInt64) -> Void) async -> [Delivery] {
        guard count > 0 else { return [] }
        return await withCheckedContinuation { continuation in
            let number = state.withLock { state in
                state.next += 1
                state.requests[state.next] = Request(
                    outcomes: Array(repeating: nil, count: count), missing: count, continuation: continuation)
                return state.next
            }
            submit(number)
        }
    }

    /// Waits for what becomes of feedback, which `submit` hands over under the given number.
    func result(submit: (UInt64) -> Void) async -> FeedbackResult {
        await withCheckedContinuation { continuation in
            let number = state.withLock { state in
                state.next += 1
                state.feedback[state.next] = continuation
                return state.next
            }
            submit(number)
        }
    }

    func acknowledge(_ acknowledgements: [SelectorEffects.Acknowledgement]) {
        for acknowledgement in acknowledgements {
            let continuation = state.withLock { $0.feedback.removeValue(forKey: acknowledgement.ticket.request) }
            continuation?.resume(returning: acknowledgement.result)
        }
    }

    func deliver(_ deliveries: [Delivery]) {
        let finished = state.withLock { state in
            deliveries.compactMap { delivery -> Request? in
                state.requests[delivery.request]?.outcomes[delivery.item] = delivery
                state.requests[delivery.request]?.missing -= 1
                guard state.requests[delivery.request]?.missing == 0 else { return nil }
                return state.requests.removeValue(forKey: delivery.request)
            }
        }
        for request in finished { request.continuation.resume(returning: request.outcomes.compactMap { $0 }) }
    }
}
