import ContainerRPC

/// What containers' models do: a batch at a time, each in its time.
extension Simulation {
    mutating func beginJob(_ container: Int) {
        while containers[container].isRunning, containers[container].current == nil,
            let job = containers[container].nextJob()
        {
            if let expires = job.expires, now > expires { refuse(job, container) } else { begin(job, container) }
        }
    }

    /// No answer to it is of use any more.
    private mutating func refuse(_ job: SimulatedContainer.Job, _ container: Int) {
        let late = job.expires.map { now.nanoseconds - $0.nanoseconds } ?? 0
        note(.jobRefused, container, Int(job.request.id), Int(late / microsecond))
        occurrences[.batchesTooLate] += 1
        finish(job, .failure(code: .tooLate, reason: "\(late / microsecond) µs too late"), in: 0, container)
    }

    private mutating func finish(
        _ job: SimulatedContainer.Job, _ result: ContainerSession.BatchResult, in time: Int64, _ container: Int
    ) {
        perform(
            containers[container].session.finished(
                batch: job.request.id, ofSession: job.session, result, computeTime: .nanoseconds(time), now: now),
            container)
    }

    private mutating func begin(_ job: SimulatedContainer.Job, _ container: Int) {
        containers[container].current = job
        containers[container].jobBegan = now
        containers[container].model = containers[container].servedModel
        let model = containers[container].model
        containers[container].epoch = epochs.indices.contains(model) ? epochs[model] : 0
        let size = job.request.inputs.count
        let time = containers[container].plan.latency.draw(
            size, after: containers[container].jobsDone, factor: containers[container].slowness, from: &random)
        note(.jobStarted, container, Int(job.request.id), Int(time / microsecond))
        planWork(container, in: min(time, 200 * millisecond))
    }

    mutating func planWork(_ container: Int, in time: Int64) {
        containers[container].plannedWork += 1
        containers[container].workDue = later(time)
        after(time, .workDone(container: container, number: containers[container].plannedWork))
    }

    mutating func workDone(_ container: Int, _ number: Int) {
        guard containers[container].plannedWork == number, let job = containers[container].current else { return }
        note(.jobDone, container, Int(job.request.id))
        containers[container].current = nil
        containers[container].jobsDone += 1
        let result: ContainerSession.BatchResult
        if let code = containers[container].nextFailure {
            containers[container].nextFailure = nil
            switch code {
            case .unavailable: occurrences[.batchesUnavailable] += 1
            case .tooLarge where job.canFail && job.request.inputs.count > 1: occurrences[.batchesTooLarge] += 1
            default: occurrences[.failedBatches] += 1
            }
            occurrences[job.canFail ? .failuresInRPC4 : .failuresInRPC3] += 1
            result = .failure(code: code, reason: "as planned")
            // The session ends with it where it cannot be told: what was read after it is not begun any more.
            // Spoken to in RPC 4 meanwhile, it can say so, and goes on.
            if !job.canFail, job.session == containers[container].workerSession,
                containers[container].session.version == .three
            {
                containers[container].workerSession = -1
            }
        } else {
            result = .success(outputs(of: job, container))
        }
        finish(job, result, in: now.nanoseconds - containers[container].jobBegan.nanoseconds, container)
        beginJob(container)
    }

    private mutating func outputs(of job: SimulatedContainer.Job, _ container: Int) -> Outputs {
        let model = containers[container].model
        var outputs = Outputs()
        outputs.reserveCapacity(outputs: job.request.inputs.count, bytes: 16 * job.request.inputs.count)
        // When clients have gone, everything is to be well again.
        let failing = job.canFail && areClientsActive ? containers[container].plan.failingInputs : 0
        for (index, value) in Inputs.values(in: job.request.inputs).enumerated() {
            if random.chance(failing) {
                occurrences[.failedInputs] += 1
                let code = random.pick([FailureCode.modelError, .invalidInput, .unavailable])
                outputs.errors.append(ItemError(index: index, code: code, text: "not this one"))
                outputs.append("")
                continue
            }
            var output = Oracle.output(of: value, model: model, epoch: containers[container].epoch)
            if !scenario.isFunction(model) {
                output += ".\(nextNonce)"
                nextNonce += 1
            }
            outputs.append(output)
        }
        return outputs
    }
}
