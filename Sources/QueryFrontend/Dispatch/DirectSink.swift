import ContainerRPC

/// Takes outcomes to callers in this process, who await them.
final class DirectSink: OutcomeSink {
    private struct Request {
        var outcomes: [Outcome?]
        var missing: Int
        let continuation: CheckedContinuation<[Outcome], Never>
    }

    private struct State {
        var requests: [UInt64: Request] = [:]
        var next: UInt64 = 0
    }

    private let state = Locked(State())

    /// Waits for the outcomes of a request of so many inputs, which `submit` hands over under the given number.
    func outcomes(of count: Int, submit: (UInt64) -> Void) async -> [Outcome] {
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

    func deliver(_ deliveries: [Delivery]) {
        let finished = state.withLock { state in
            deliveries.compactMap { delivery -> Request? in
                state.requests[delivery.request]?.outcomes[delivery.item] = delivery.outcome
                state.requests[delivery.request]?.missing -= 1
                guard state.requests[delivery.request]?.missing == 0 else { return nil }
                return state.requests.removeValue(forKey: delivery.request)
            }
        }
        for request in finished { request.continuation.resume(returning: request.outcomes.compactMap { $0 }) }
    }
}
