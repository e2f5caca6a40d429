import ContainerRPC

/// Equal queries share one computation: whoever asks what is under way already joins the one who asked first.
extension ModelScheduler {
    /// The query under way that asks the same and can be joined.
    func runningQuery(with input: Payload, hash: Int) -> QueryTable.Reference? {
        running.slot(hash: hash) { table.holds(input, in: Int($0)) }.flatMap { table.reference(slot: Int($0)) }
    }

    /// Whether all of it is in a batch that is late, and who asks the same now is taken and can be answered by another replica.
    mutating func isOvertakable(_ reference: QueryTable.Reference, by query: Query, now: MonotonicTime) -> Bool {
        guard table[reference].copies == 1, !table[reference].isQueued, let replica = table[reference].sent?.replica,
            let index = replicas.firstIndex(where: { $0.id == replica })
        else { return false }
        return replicas[index].isLate(now: now)
            && canAnswer(by: query.waiter.deadline, except: index, now: now)
            && queuedBytes + query.input.byteCount <= bounds.queuedBytes && admits(query.waiter, now: now)
    }

    /// Its output goes to one more.
    mutating func join(_ reference: QueryTable.Reference, _ waiter: Waiter, _ hedges: inout HedgeBudgets) {
        counters.shared += 1
        waitingCount += 1
        watch(waiter, of: reference)
        defer { noteHedging(waiter.application, of: reference, &hedges) }
        let first = table[reference].query.waiter
        if table[reference].isAnswered {
            table[reference].isAnswered = false
            table[reference].query.waiter = waiter
            return
        }
        sharingCount += 1
        table[reference].join(waiter)
        if waiter.deadline < first.deadline {
            // The earliest is the first, and what waits in the queue waits at its place.
            watch(first, of: reference)
            if table[reference].isQueued { place(reference) }
        }
    }

    /// A query is hedged if any who asked for it hedges, not only the first.
    private mutating func noteHedging(
        _ application: ApplicationHandle, of reference: QueryTable.Reference, _ hedges: inout HedgeBudgets
    ) {
        guard let quantile = hedges.quantile(of: application) else { return }
        if table[reference].hedger == nil {
            table[reference].hedger = application
            // What has not been sent yet earns when it is.
            if table[reference].copies > 0 { hedges.earn(application) }
        }
        bringHedgeForward(of: reference, quantile)
    }

    /// The first who waits is watched by queue or batch; all others here.
    private mutating func watch(_ waiter: Waiter, of reference: QueryTable.Reference) {
        if joined.count > 2 * waitingCount + Self.mostOutdated { watchAnew() }
        joined.insert(
            DeadlineQueue.Entry(
                deadline: waiter.deadline, turn: UInt64(reference.generation), slot: reference.slot))
        nextEvent = min(nextEvent, waiter.deadline)
    }

    /// Deadlines that are watched beyond twice those who wait, of queries answered long ago.
    private static let mostOutdated = 4096

    /// Forgets the deadlines of those who have been answered.
    private mutating func watchAnew() {
        var waiting = DeadlineQueue()
        for reference in table.references where !table[reference].isAnswered {
            let entry = table[reference]
            for waiter in [entry.query.waiter] + entry.others {
                waiting.insert(
                    DeadlineQueue.Entry(
                        deadline: waiter.deadline, turn: UInt64(reference.generation), slot: reference.slot))
            }
        }
        joined = waiting
    }
}
