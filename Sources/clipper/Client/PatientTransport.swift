/// Asks again for a moment where nobody listens: a frontend that was started just before has its ports a little later.
///
/// A connection that was refused has carried nothing, so nothing is asked for twice.
struct PatientTransport: FrontendTransport {
    /// What carries the requests.
    let base: any FrontendTransport
    /// How often it is asked once more.
    var retries = 20
    /// How long it is waited before.
    var pause = Duration.milliseconds(100)

    func reply(
        to request: FrontendRequest, at address: FrontendAddress, patience: Duration
    ) async throws -> FrontendReply {
        var waited = Duration.zero
        for _ in 0..<retries where waited < patience {
            do {
                return try await base.reply(to: request, at: address, patience: patience)
            } catch NoAnswerError.refused {
                // Nothing tells another process when a port is bound: it can only be tried.
                try await Task.sleep(for: pause)
                waited += pause
            }
        }
        return try await base.reply(to: request, at: address, patience: patience)
    }
}
