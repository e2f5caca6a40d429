import ContainerRPC
import QueryFrontend

/// What `clipper status --watch` shows, from one look at the frontend to the next.
struct StatusWatch {
    private struct Look {
        let status: FrontendStatus
        let time: MonotonicTime
    }

    private struct Failure {
        var message: String
        let since: MonotonicTime
    }

    private let address: String
    private let interval: String
    private var latest: Look?
    private var change: StatusChange?
    private var failure: Failure?

    /// - Parameters:
    ///   - address: where the frontend is looked at.
    ///   - interval: how often.
    init(address: String, interval: Duration) {
        self.address = address
        self.interval = DurationText.format(interval)
    }

    /// The frontend has answered.
    mutating func received(_ status: FrontendStatus, now: MonotonicTime) {
        failure = nil
        change = latest.flatMap { StatusChange(from: $0.status, to: status, interval: now - $0.time) }
        latest = Look(status: status, time: now)
    }

    /// The frontend has not answered.
    mutating func failed(_ message: String, now: MonotonicTime) {
        failure = Failure(message: Printable.line(message), since: failure?.since ?? now)
    }

    /// All lines, for a terminal; what is no longer known for sure is faint.
    ///
    /// - Parameter columns: of the terminal; `nil` where lines may be of any length.
    func lines(now: MonotonicTime, columns: Int? = nil) -> [StyledLine] {
        guard latest != nil else { return headline(now: now) }
        let body = [StyledLine("")] + body(columns: columns)
        return headline(now: now) + (failure == nil ? body : body.map { $0.styled(.faint) })
    }

    /// The lines of one look, to be printed below those of the last.
    func block(now: MonotonicTime) -> [StyledLine] {
        failure == nil ? lines(now: now) : headline(now: now)
    }

    private func headline(now: MonotonicTime) -> [StyledLine] {
        let heading = "frontend \(address)"
        if let failure {
            let duration = Figures.span(seconds: (now - failure.since).inSeconds)
            return [
                StyledLine(
                    latest == nil
                        ? "\(heading): no answer yet; trying again every \(interval)"
                        : "\(heading): no answer for \(duration); trying again every \(interval)", .alarm),
                StyledLine(failure.message),
            ]
        }
        guard let latest else { return [StyledLine(heading, .heading)] }
        let up = ", up \(Figures.span(seconds: latest.status.uptimeSeconds)), every \(interval)"
        return [StyledLine([StyledLine.Span(text: heading, style: .heading), StyledLine.Span(text: up)])]
    }

    private func body(columns: Int?) -> [StyledLine] {
        guard let status = latest?.status else { return [] }
        // What to do comes first: of what has no room on a screen, the end is left out.
        let advice = StatusAdvice.lines(for: status).map { StyledLine($0) }
        let tables = WatchTables(status: status, change: change).all.map { $0.styledLines(within: columns) }
        return Array(((advice.isEmpty ? [] : [advice]) + tables).joined(separator: [StyledLine("")]))
    }
}
