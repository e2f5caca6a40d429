import ContainerRPC
import QueryFrontend

extension Scenario {
    /// The scenario of a seed.
    init(from random: inout SeededGenerator) {
        let heartbeat = random.nanoseconds(20 * millisecond...120 * millisecond)
        timing = SessionTiming(
            heartbeatInterval: .nanoseconds(heartbeat),
            silenceLimit: .nanoseconds(heartbeat * random.nanoseconds(3...6)),
            firstBackoff: .nanoseconds(random.nanoseconds(millisecond...20 * millisecond)),
            longestBackoff: .nanoseconds(random.nanoseconds(30 * millisecond...200 * millisecond)))
        slotsPerReplica = random.chance(0.7) ? 2 : random.integer(1...4)
        mostQueued = random.chance(0.7) ? 10_000 : random.integer(5...60)
        mostQueuedBytes = random.chance(0.8) ? Self.plentyOfBytes : random.integer(300...3000)
        messagesPerTurn = random.chance(0.8) ? 512 : random.integer(1...8)
        cacheBytes = random.chance(0.2) ? 0 : random.integer(1 << 10...1 << 16)
        let fastest = random.nanoseconds(5 * microsecond...200 * microsecond)
        network = Network(
            delay: fastest...(fastest * random.nanoseconds(1...5)), slowShare: random.chance(0.3) ? 0.02 : 0)
        duration = 0

        // Few long runs, in which latencies get to be known well, and many short ones.
        let isLong = random.chance(0.3)
        let selects = random.chance(0.4)
        if selects {
            drawModelsToChooseFrom(from: &random)
        } else {
            for index in 0..<random.integer(1...3) { models.append(.init(index, from: &random)) }
        }
        for model in models.indices {
            let usual = LatencyScenario(from: &random)
            for _ in 0..<random.integer(selects ? 1...2 : isLong ? 2...4 : 1...4) {
                containers.append(Container(model: model, models[model], like: usual, from: &random))
            }
            for _ in 0..<(selects ? random.below(2) : random.integer(1...2)) {
                let replicas = containers.count { $0.model == model }
                applications.append(Application(model: model, replicas: replicas, usual, from: &random))
            }
        }
        if selects { drawSelecting(from: &random) }
        let rate = applications.reduce(0) { $0 + $1.rate } + selecting.reduce(0) { $0 + $1.rate }
        let wanted = isLong ? random.number(200...1000) : random.number(20...120)
        duration = min(max(Int64(wanted / rate * Double(second)), 100 * millisecond), 3 * second)
        // Where that would be too many, clients ask less often.
        let scale = min(1, wanted * 1.2 / (rate * Double(duration) / Double(second)))
        for index in applications.indices {
            applications[index].rate *= scale
            if isLong, applications[index].hedging == nil { applications[index].hedging = Hedging(from: &random) }
            applications[index].drawPhases(within: duration, from: &random)
        }
        for index in selecting.indices { selecting[index].rate *= scale }
        drawMishaps(from: &random)
    }

    /// Models of one input type, some of them in two versions.
    private mutating func drawModelsToChooseFrom(from random: inout SeededGenerator) {
        let inputType = random.pick(InputType.allCases)
        let padding = random.chance(0.7) ? 0 : random.integer(1...30)
        for name in 0..<random.integer(2...4) {
            for version in 0..<(random.chance(0.2) ? 2 : 1) {
                models.append(.init(2 * name + version, from: &random))
                models[models.count - 1].inputType = inputType
                // An input is one value for all models.
                models[models.count - 1].padding = padding
            }
        }
    }

    private mutating func drawMishaps(from random: inout SeededGenerator) {
        // Some runs are quiet, most have a few kinds of trouble, some have all of them at once.
        let trouble = random.pick([0, 0.5, 1, 1, 1, 2, 3])
        let end = duration
        func times(_ mean: Double) -> Int { Int(random.exponential() * mean * trouble + 0.5) }
        for kind in Fault.allCases where random.chance(0.35) {
            for _ in 0..<min(6, times(1.5)) {
                let longest = random.pick([end / 20, end / 4, 2 * timing.silenceLimit.wholeNanoseconds])
                faults.append(
                    Plan(
                        time: random.nanoseconds(0...end), kind: kind, target: random.below(containers.count),
                        duration: random.nanoseconds(millisecond...max(2 * millisecond, longest))))
            }
        }
        for kind in Misbehaviour.allCases where random.chance(0.2) {
            for _ in 0..<min(6, times(1.5)) {
                misbehaviours.append(
                    Plan(
                        time: random.nanoseconds(0...end), kind: kind, target: random.below(containers.count),
                        duration: random.nanoseconds(0...end / 4)))
            }
        }
        let usual = [Operation.deleteModel, .changeSettings, .drain, .drainAndStop]
        let selectingAlone = [
            Operation.changePolicy, .changeLinks, .changeVersion, .resetState, .removePolicy, .askForState,
        ]
        for kind in usual + (applications.isEmpty ? [] : [.changeHedging]) + (selecting.isEmpty ? [] : selectingAlone)
        where random.chance(0.3) {
            for _ in 0..<min(4, times(1)) {
                let target =
                    switch kind {
                    case .changeHedging: random.below(applications.count)
                    case .changePolicy, .changeLinks, .resetState, .removePolicy, .askForState:
                        random.below(selecting.count)
                    case .drain, .drainAndStop: random.below(containers.count)
                    default: random.below(models.count)
                    }
                operations.append(
                    Plan(
                        time: random.nanoseconds(0...end), kind: kind, target: target,
                        duration: random.nanoseconds(millisecond...max(2 * millisecond, end / 4))))
            }
        }
    }
}

extension Scenario.Model {
    init(_ index: Int, from random: inout SeededGenerator) {
        // Two versions of one model are models of their own.
        version = ModelVersion(name: "model-\(index / 2)", version: "\(index % 2 + 1)")
        inputType = random.pick(InputType.allCases)
        batching = Batching(from: &random)
        padding = random.chance(0.7) ? 0 : random.integer(1...30)
        isFunction = random.chance(0.7)
    }
}

extension Batching {
    init(from random: inout SeededGenerator) {
        self.init()
        switch random.below(10) {
        case 0...4: limit = .deadline
        case 5...6: limit = .aimd(increase: random.integer(1...4), backoff: random.number(0.5...0.95))
        default: limit = .fixed(random.pick([1, 1, 2, 4, 16, 64]))
        }
        if random.chance(0.2) { maxDelay = .nanoseconds(random.nanoseconds(100 * microsecond...5 * millisecond)) }
        if random.chance(0.5) { maxBatch = random.integer(1...40) }
    }
}

extension Scenario.Application {
    init(model: Int, replicas: Int, _ latency: LatencyScenario, from random: inout SeededGenerator) {
        self.model = model
        let few = Double(latency.intercept + 4 * latency.slope)
        slo = max(2 * millisecond, Int64(few * random.number(1.5...12)))
        hedging = random.chance(0.5) ? Hedging(from: &random) : nil
        // From almost idle to more than the replicas can do one by one.
        rate = Double(replicas) * Double(second) / few * random.pick([0.1, 0.4, 0.8, 1.5, 3])
        distinctInputs = random.chance(0.6) ? nil : random.integer(2...80)
        shorterTimeouts = random.chance(0.3) ? 0.1 : 0
        manyInputs = random.chance(0.3) ? 0.2 : 0
        phases = []
    }

    mutating func drawPhases(within duration: Int64, from random: inout SeededGenerator) {
        guard random.chance(0.5) else { return }
        var begin: Int64 = 0
        while begin < duration {
            let end = begin + random.nanoseconds(duration / 20...duration / 3)
            phases.append(
                Scenario.Phase(begin: begin, end: end, factor: random.pick([0.1, 0.5, 1, 1, 2, 5])))
            begin = end
        }
    }
}

extension Hedging {
    init(from random: inout SeededGenerator) {
        self.init(quantile: random.pick([0.5, 0.8, 0.95]), maxExtraWork: random.pick([0.02, 0.05, 0.2]))
    }
}

extension Scenario.Container {
    init(
        model: Int, _ registered: Scenario.Model, like usual: LatencyScenario, from random: inout SeededGenerator
    ) {
        self.model = model
        inputType = random.chance(0.95) ? registered.inputType : random.pick(InputType.allCases)
        latency = usual
        // Replicas need not be equally fast.
        if random.chance(0.3) {
            let factor = random.number(0.5...3)
            latency.intercept = Int64(Double(latency.intercept) * factor)
            latency.slope = Int64(Double(latency.slope) * factor)
        }
        offered = random.chance(0.6) ? .four : .three
        failingInputs = random.chance(0.3) ? 0.05 : 0
        keepsRoutingID = random.chance(0.15)
        starts = random.chance(0.7) ? 0 : random.nanoseconds(0...300 * millisecond)
        // The Swift SDK does; a container of a single thread does not say so.
        details.beatsWhileBusy = random.chance(0.85)
        if random.chance(0.3) { details.largestBatch = random.integer(1...8) }
        if random.chance(0.3) { details.batchesInFlight = random.integer(1...2) }
    }
}

extension LatencyScenario {
    init(from random: inout SeededGenerator) {
        intercept = random.nanoseconds(200 * microsecond...6 * millisecond)
        slope = random.nanoseconds(5 * microsecond...500 * microsecond)
        knee = random.chance(0.2) ? random.integer(1...24) : .max
        dearness = random.number(2...20)
        jitter = random.number(0...0.3)
        tailShare = random.chance(0.4) ? random.pick([0.02, 0.1]) : 0
        tailLimit = random.number(3...50)
        warmUpBatches = random.chance(0.3) ? random.integer(1...5) : 0
        warmUpFactor = random.number(2...10)
    }
}
