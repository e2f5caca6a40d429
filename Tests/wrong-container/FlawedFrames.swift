import ContainerRPC

extension Flaw {
    /// The frames of a registration, right but for this flaw.
    func registration(_ frames: [[UInt8]], in version: RPCVersion) -> [[UInt8]] {
        var frames = frames
        switch self {
        case .wrongDigit where version == .three: frames[4] = [0x39]
        case .nulAfterDigit where version == .three: frames[4].append(0)
        case .surplusFrame: frames.append([1])
        case .registersWithID where version == .four: frames[0][8] = 1
        // The first field is the model's name, whose tag begins at 12; its second byte has the bit.
        case .optionalName where version == .four: frames[0][13] = 0
        default: break
        }
        return frames
    }

    /// The frames of an answer to a batch, right but for this flaw.
    func response(_ frames: [[UInt8]], in version: RPCVersion) -> [[UInt8]] {
        var frames = frames
        switch self {
        case .noEmptyFrame where version == .three: frames.removeFirst()
        case .invalidUTF8 where version == .three && frames.count > 5 && frames[5].count > 0: frames[5][0] = 0xff
        case .invalidUTF8 where version == .four && frames[2].count > 0: frames[2][0] = 0xff
        case .wrongOffsets where version == .four: frames[1][0] = 1
        case .wrongErrors where version == .four && frames.count == 4: frames[3][0] = 99
        default: break
        }
        return frames
    }
}
