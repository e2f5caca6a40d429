import ContainerRPC
import QueryFrontend

/// What goes wrong.
extension Simulation {
    // MARK: Faults

    mutating func begin(_ plan: Scenario.Plan<Fault>) {
        let container = plan.target
        guard !plan.kind.isOfContainer || containers[container].isRunning else { return }
        let connection = containers[container].connection
        note(.fault, plan.kind.rawValue, container, Int(plan.duration / microsecond))
        switch plan.kind {
        case .crash:
            occurrences[.crashes] += 1
            return kill(container, awayFor: random.chance(0.2) ? 0 : plan.duration)
        case .gracefulStop:
            occurrences[.gracefulStops] += 1
            return stop(container, awayFor: plan.duration)
        case .stopUnheard:
            containers[container].isFullUntil = later(random.nanoseconds(millisecond...50 * millisecond))
            return stop(container, awayFor: plan.duration)
        case .killedWhileLeaving:
            stop(container, awayFor: plan.duration)
            let process = containers[container].process
            let patience = random.nanoseconds(0...5 * millisecond)
            return after(patience, .healed(plan.kind, target: container, process: process))
        case .freeze:
            occurrences[.freezes] += 1
            freeze(container)
        case .hang:
            occurrences[.hangs] += 1
            guard containers[container].current != nil, !containers[container].isFrozen else { return }
            planWork(container, in: containers[container].workDue.nanoseconds - now.nanoseconds + plan.duration)
            return
        case .slowDown:
            occurrences[.slowDowns] += 1
            containers[container].slowness = Double(random.integer(2...5))
        case .failedBatch:
            containers[container].nextFailure = random.pick([
                .modelError, .modelError, .invalidInput, FailureCode(rawValue: 77),
            ])
            return
        case .unavailable:
            containers[container].nextFailure = .unavailable
            return
        case .tooLarge:
            containers[container].nextFailure = .tooLarge
            return
        case .reset:
            guard let connection else { return }
            occurrences[.resets] += 1
            return reset(connection)
        case .partition:
            containers[container].blockedUntil = max(containers[container].blockedUntil, later(plan.duration))
            if let connection { connections[connection].isTroubled = true }
            occurrences[.partitionsHealed] += 1
            return
        case .partitionForGood:
            containers[container].blockedUntil = max(containers[container].blockedUntil, later(plan.duration))
            guard let connection else { return }
            occurrences[.partitionsBroken] += 1
            // Each side gives up in its own time: both ends are planned for after the partition.
            return reset(connection)
        case .fullPipe:
            containers[container].isFullUntil = max(containers[container].isFullUntil, later(plan.duration))
            return
        case .frontendRestart:
            guard frontend.isRunning else { return }
            occurrences[.frontendRestarts] += 1
            stopFrontend(for: plan.duration / 4)
            return
        case .storeFull:
            store.with { $0.isFull = true }
        case .storeSlow:
            occurrences[.slowDisks] += 1
            storeSlowness = Int64(random.integer(3...50))
        case .frontendStall:
            guard frontend.isRunning else { return }
            occurrences[.frontendStalls] += 1
            // Mostly so short that no deadline suffers.
            let length = random.chance(0.7) ? random.nanoseconds(0...500 * microsecond) : plan.duration
            frontend.busyUntil = max(frontend.busyUntil, later(length))
            if length > 500 * microsecond { oracle.excusedUntil = max(oracle.excusedUntil, frontend.busyUntil) }
            return
        }
        after(plan.duration, .healed(plan.kind, target: container, process: containers[container].process))
    }

    mutating func end(_ fault: Fault, _ container: Int, process: Int) {
        note(.healed, fault.rawValue, container)
        switch fault {
        case .freeze where containers[container].process == process: thaw(container)
        case .killedWhileLeaving where containers[container].process == process:
            guard containers[container].isRunning, containers[container].isStopping else { return }
            occurrences[.killsWhileLeaving] += 1
            kill(container, awayFor: containers[container].pause)
        case .slowDown: containers[container].slowness = 1
        case .storeFull: store.with { $0.isFull = false }
        case .storeSlow: storeSlowness = 1
        default: break
        }
    }
}
