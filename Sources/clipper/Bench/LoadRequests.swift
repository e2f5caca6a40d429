import DequeModule
import PlainHTTP

// The load's requests and answers.

extension LoadEngine {
    mutating func begin() {
        if schedule != nil {
            nextDue = schedule?.next() ?? .max
        } else {
            while let index = popIdle() { sendNext(on: index, at: elapsed()) }
        }
    }

    /// Sends what is due, or lets it wait.
    mutating func admit() {
        guard nextDue < end else { return }
        var now = elapsed()
        while nextDue <= now, nextDue < end {
            let due = nextDue
            nextDue = schedule?.next() ?? .max
            statistics.recordArrival(due: due, at: now)
            current.due += 1
            if let index = popIdle() {
                send(on: index, due: due, at: now)
            } else if let outage {
                statistics.record(failure: outage, due: due, at: now)
            } else {
                waiting.append(due)
                statistics.recordWait(due: due)
            }
            now = elapsed()
        }
    }

    /// The closed loop's next request.
    mutating func sendNext(on index: Int, at now: Int64) {
        guard now < end else {
            connections[index].state = .idle
            return
        }
        statistics.recordArrival(due: now, at: now)
        current.due += 1
        send(on: index, due: now, at: now)
    }

    mutating func popIdle() -> Int? {
        while let index = idle.popFirst() {
            connections[index].isQueued = false
            if connections[index].state == .idle { return index }
        }
        return nil
    }

    mutating func send(on index: Int, due: Int64, at now: Int64) {
        let template = nextTemplate
        nextTemplate = template + 1 < plan.templates.count ? template + 1 : 0
        plan.templates[template].put(number)
        number &+= 1
        connections[index].state = .busy
        connections[index].due = due
        let size = plan.templates[template].bytes.count
        switch TCP.send(plan.templates[template].bytes, from: 0, on: connections[index].descriptor) {
        case .bytes(size):
            statistics.recordBytes(sent: size, at: now)
        case .bytes(let count):
            keep(plan.templates[template].bytes, from: count, on: index, at: now)
        case .wouldWait:
            keep(plan.templates[template].bytes, from: 0, on: index, at: now)
        case .ended, .failed:
            // The server had closed it before the request: that is no failure of the request.
            if let other = popIdle() { send(on: other, due: due, at: now) } else { waiting.prepend(due) }
            reopen(index)
        }
    }

    mutating func keep(_ bytes: [UInt8], from start: Int, on index: Int, at now: Int64) {
        statistics.recordBytes(sent: start, at: now)
        connections[index].unsent = bytes
        connections[index].unsentStart = start
        watch(index, output: true)
    }

    /// Sends the rest of a request that did not fit at once.
    mutating func sendRest(on index: Int) {
        let start = connections[index].unsentStart
        switch TCP.send(connections[index].unsent, from: start, on: connections[index].descriptor) {
        case .bytes(let count):
            statistics.recordBytes(sent: count, at: elapsed())
            connections[index].unsentStart = start + count
            guard start + count == connections[index].unsent.count else { return }
            connections[index].unsent = []
            watch(index, output: false)
        case .wouldWait: break
        // What the server said before it closed is still to be read.
        case .ended, .failed: connections[index].unsent = []
        }
    }
}

extension LoadEngine {
    mutating func handle(_ token: UInt64) {
        let index = Int(truncatingIfNeeded: token & 0xFFFF_FFFF)
        guard connections[index].token(index: index) == token else { return }
        switch connections[index].state {
        case .closed: break
        case .connecting: finishConnecting(index)
        case .idle: receive(on: index)
        case .busy:
            if !connections[index].unsent.isEmpty { sendRest(on: index) }
            receive(on: index)
        }
    }

    mutating func receive(on index: Int) {
        let result = TCP.receive(into: &buffer, on: connections[index].descriptor)
        let now = elapsed()
        guard connections[index].state == .busy else {
            // An idle connection brings its end, or what nobody asked for.
            if case .wouldWait = result { return }
            return reopen(index)
        }
        switch result {
        case .bytes(let count):
            statistics.recordBytes(received: count, at: now)
            if connections[index].received.isEmpty {
                if !finish(index, with: buffer[..<count], at: now) {
                    connections[index].received = Array(buffer[..<count])
                }
            } else {
                connections[index].received += buffer[..<count]
                _ = finish(index, with: connections[index].received[...], at: now)
            }
        case .wouldWait: break
        case .ended:
            guard !finish(index, with: connections[index].received[...], isAtEnd: true, at: now) else { return }
            fail(index, "the server closed the connection before its answer")
        case .failed(let code): fail(index, TCP.text(of: code))
        }
    }

    /// Counts the answer, if it is complete.
    ///
    /// - Returns: false while it is not.
    mutating func finish(
        _ index: Int, with bytes: ArraySlice<UInt8>, isAtEnd: Bool = false, at now: Int64
    ) -> Bool {
        let keepsConnection: Bool
        do {
            guard let response = try Response.read(bytes, isAtEnd: isAtEnd) else { return false }
            keepsConnection = response.keepsConnection
            let answer = BenchAnswer(status: response.status, body: response.body, acceptsAny: plan.acceptsAny)
            let due = connections[index].due
            current.answered += 1
            if statistics.record(answer, due: due, at: now) { current.inSLO += 1 }
            if onSecond != nil { current.latencies.append(now - due) }
        } catch {
            fail(index, "the answer is not HTTP: \(error.reason)")
            return true
        }
        connections[index].received.removeAll(keepingCapacity: true)
        connections[index].isProven = true
        // An answer before the whole request was sent leaves the connection in no state for another.
        if keepsConnection, connections[index].unsent.isEmpty { free(index) } else { reopen(index) }
        return true
    }

    /// The connection takes another request.
    mutating func free(_ index: Int) {
        if let due = waiting.popFirst() {
            send(on: index, due: due, at: elapsed())
        } else if schedule == nil {
            sendNext(on: index, at: elapsed())
        } else {
            connections[index].state = .idle
            if !connections[index].isQueued { idle.append(index) }
            connections[index].isQueued = true
        }
    }

    mutating func fail(_ index: Int, _ text: String) {
        statistics.record(failure: text, due: connections[index].due, at: elapsed())
        reopen(index)
    }
}
