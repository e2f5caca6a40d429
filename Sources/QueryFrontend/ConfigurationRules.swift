import ContainerRPC

/// What the values of a configuration have to be, for those who embed the frontend and for the command line alike.
extension FrontendConfiguration {
    /// More threads serve nothing on any machine.
    private static let mostThreads = 1024

    /// What is wrong with the first value that cannot be, by the names of the properties; `nil` where all can be.
    package var problem: String? {
        portProblem ?? leastProblem ?? mostProblem ?? durationProblem ?? relationProblem
    }

    private static let allAddresses: Set = ["0.0.0.0", "::", "*"]

    private var portProblem: String? {
        let ports = [("queryPort", queryPort), ("adminPort", adminPort), ("rpcPort", rpcPort)]
        for (name, port) in ports where !(0...65_535).contains(port) {
            return "\(name) is \(port); expected 0 to 65535"
        }
        // Of one address there is each port once.
        let isApart = adminHost.map {
            $0 != host && !Self.allAddresses.contains($0) && !Self.allAddresses.contains(host)
        }
        let fixed = ports.filter { $0.1 != 0 && !($0.0 == "adminPort" && isApart == true) }
        for (index, (name, port)) in fixed.enumerated() {
            guard let (other, _) = fixed[..<index].first(where: { $0.1 == port }) else { continue }
            return "\(other) and \(name) are both \(port); expected three that differ, or 0"
        }
        return nil
    }

    private var leastProblem: String? {
        for (name, value, least) in [
            ("threads", threads ?? 1, 1), ("maxContainers", maxContainers, 1),
            ("batchesInFlight", batchesInFlight, 1), ("cacheBytes", cacheBytes, 0),
            ("maxQueuedQueries", maxQueuedQueries, 1), ("maxQueuedBytes", maxQueuedBytes, 1),
            ("usersInMemory", usersInMemory, 1), ("usersInStore", usersInStore, 1),
            ("feedbackQueries", feedbackQueries, 0), ("limits.largestBody", limits.largestBody, 1),
            ("limits.bodies", limits.bodies, 1), ("limits.largestBatch", limits.largestBatch, 1),
            ("limits.largestAnswer", limits.largestAnswer, 1), ("limits.connections", limits.connections, 1),
            ("limits.administrationConnections", limits.administrationConnections, 1),
        ] where value < least {
            return "\(name) is \(value); expected at least \(least)"
        }
        return nil
    }

    private var mostProblem: String? {
        if let threads, threads > Self.mostThreads {
            return "threads is \(threads); expected at most \(Self.mostThreads)"
        }
        // Of a buffer of NIO's no byte may be beyond four GiB, and answers can be six times as long as what they quote.
        for (name, value, most, text) in [
            ("limits.largestBody", limits.largestBody, 2 << 30, "2GiB"),
            ("limits.largestAnswer", limits.largestAnswer, 512 << 20, "512MiB"),
        ] where value > most {
            return "\(name) is \(value) bytes; expected at most \(text)"
        }
        return nil
    }

    private var durationProblem: String? {
        for (name, duration, least) in [
            ("timing.heartbeatInterval", timing.heartbeatInterval, Duration.milliseconds(1)),
            ("timing.silenceLimit", timing.silenceLimit, .milliseconds(1)),
            ("limits.idleTime", limits.idleTime, .zero), ("limits.bodyTime", limits.bodyTime, .zero),
            ("feedbackAge", feedbackAge, .zero), ("stopDelay", stopDelay, .zero), ("drainLimit", drainLimit, .zero),
        ] where duration < least {
            return "\(name) is \(duration); expected at least \(least)"
        }
        return nil
    }

    private var relationProblem: String? {
        if limits.bodies < limits.largestBody {
            return "limits.bodies is \(limits.bodies); expected at least limits.largestBody, \(limits.largestBody)"
        }
        if timing.silenceLimit <= timing.heartbeatInterval {
            return """
                timing.silenceLimit is \(timing.silenceLimit); expected more than timing.heartbeatInterval, \
                \(timing.heartbeatInterval): containers that have nothing to do speak once in that time
                """
        }
        return nil
    }
}
