import ContainerRPC

/// Says what a message is, in a few words: from its frames, in the version that they are in.
enum MessageNames {
    /// A message from a container.
    static func fromContainer(_ frames: [[UInt8]]) -> String {
        let list = FrameList(frames)
        do throws(WireError) {
            let message = try list.isVersion4 ? RPC4.decodeContainerMessage(list) : RPC3.decodeContainerMessage(list)
            return name(of: message)
        } catch {
            return "malformed: \(error)"
        }
    }

    /// A message from a frontend.
    static func fromFrontend(_ frames: [[UInt8]]) -> String {
        let list = FrameList(frames)
        do throws(WireError) {
            let message = try list.isVersion4 ? RPC4.decodeFrontendMessage(list) : RPC3.decodeFrontendMessage(list)
            return name(of: message)
        } catch {
            return "malformed: \(error)"
        }
    }

    static func name(of message: ContainerMessage) -> String {
        switch message {
        case .heartbeat: "heartbeat"
        case .newContainer(let registration): name(of: registration)
        case .response(let response): name(of: response)
        case .failure(let failure):
            "failure of \(failure.id): \(failure.code)" + quoted(failure.reason)
        case .goodbye(let goodbye): "goodbye \(goodbye.code.rawValue)" + quoted(goodbye.reason)
        case .notice(let type): "notice \(type)"
        }
    }

    static func name(of message: FrontendMessage) -> String {
        switch message {
        case .heartbeat(.keepAlive): "heartbeat (keep-alive)"
        case .heartbeat(.requestMetadata): "heartbeat (request-metadata)"
        case .request(let request):
            (request.kind == .predict ? "predict " : "feedback ")
                + "\(request.id): \(counted(request.inputs.count, "input")) of \(request.inputs.type)"
                + (request.budget.map { ", budget \($0.text)" } ?? "")
        case .welcome(let welcome):
            "welcome (heartbeats every \(welcome.heartbeatInterval.text), silence limit \(welcome.silenceLimit.text))"
        case .accepted(let replica): "accepted" + (replica.map { " as replica \($0)" } ?? "")
        case .refused(let refusal):
            "refused \(refusal.code.rawValue)" + quoted(refusal.reason)
                + (refusal.retryAfter.map { ", retry after \($0.text)" } ?? "")
        case .feedback(let feedback): "feedback \(feedback.id): \(counted(feedback.inputs.count, "input"))"
        case .goodbye(let goodbye): "goodbye \(goodbye.code.rawValue)" + quoted(goodbye.reason)
        case .notice(let type): "notice \(type)"
        }
    }

    private static func name(of registration: Registration) -> String {
        let details = registration.details
        var parts = [registration.rpcVersion == .four ? "register" : "new container", "\(registration)"]
        if let most = details.largestBatch { parts.append("largest batch \(most)") }
        if let most = details.batchesInFlight { parts.append("batches in flight \(most)") }
        if details.beatsWhileBusy { parts.append("beats while busy") }
        if details.wantsFeedback { parts.append("wants feedback") }
        parts += details.metadata.map { "\($0.key)=\($0.value)" }
        return parts.joined(separator: ", ")
    }

    private static func name(of response: PredictResponse) -> String {
        let first = response.outputs.prefix(3).map { shown($0, of: response.outputs) }
        let rest = response.outputs.count > 3 ? ", …" : ""
        var text = "results of \(response.id): \(counted(response.outputs.count, "output"))"
        if !first.isEmpty { text += ": " + first.joined(separator: ", ") + rest }
        for error in response.outputs.errors.prefix(3) {
            text += ", input \(error.index): \(error.code) '\(error.text.shortened(to: 60))'"
        }
        return text
    }

    /// One output, for a person.
    static func shown(_ output: ArraySlice<UInt8>, of outputs: Outputs) -> String {
        if outputs.type == .string { return "'\(String(decoding: output, as: UTF8.self).shortened(to: 40))'" }
        return hexadecimal(output.prefix(16)) + (output.count > 16 ? " …" : "")
    }

    private static func quoted(_ text: String?) -> String {
        text.map { " '\($0.shortened(to: 200))'" } ?? ""
    }
}

/// A number with its noun, in the plural where it needs one.
func counted(_ count: Int, _ noun: String) -> String {
    let plural = noun.hasSuffix("ch") ? "es" : "s"
    return "\(count) \(noun)\(count == 1 ? "" : plural)"
}
