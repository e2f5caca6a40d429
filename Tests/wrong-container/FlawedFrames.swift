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

    /// The frames of a message of the frontend's, without what is wrong with them in the eyes of this flaw.
    func mended(_ frames: [[UInt8]]) -> [[UInt8]] {
        guard let head = frames.first, head.count >= 12 else { return frames }
        var frames = frames
        switch self {
        case .readsVersionOf16Bits: frames[0].replaceSubrange(2..<4, with: [0, 0])
        case .readsTypeOf16Bits: frames[0].replaceSubrange(6..<8, with: [0, 0])
        case .takesSurplusFrames where [1, 2, 3, 7].contains(head[4]): frames = [head]
        // The model-version, a digit, before the item-type.
        case .skipsForeignField where head[4] == 5 && head.count > 17 && head[12] == 5:
            frames[0].removeSubrange(12..<17)
        // Two budgets are the last two fields.
        case .takesFieldTwice where head[4] == 5 && head.count == 12 + 8 + 12 + 12: frames[0].removeLast(12)
        case .takesTimesOfZero where head[4] == 1 && head.count >= 28:
            if head[16...17].elementsEqual([0, 0]) { frames[0][17] = 1 }
            if head[24...25].elementsEqual([0, 0]) { frames[0][25] = 100 }
        case .takesShortOffsets where frames.count == 3 && frames[1].count == 12:
            frames[2] = Array(frames[2].prefix(Int(frames[1][8])))
        case .takesCutElements where frames.count == 3 && frames[1].count == 12 && frames[1][4] == 4: frames[1][4] = 8
        default: break
        }
        return frames
    }
}
