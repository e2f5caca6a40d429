public import Foundation

/// Says which digit an image of 8 × 8 pixels shows, by a small network of dense layers with ReLU between them.
///
/// Pixels are numbers from 0 (paper) to 16 (ink), row after row.
public struct DigitsClassifier: Sendable {
    /// Pixels of an image.
    public static let pixelCount = 64

    private let layers: [DenseLayer]

    /// Reads weights as JSON: `{"layers": [{"biases": [...], "weights": [[...], ...]}, ...]}`.
    ///
    /// A layer's weights have one row per input and one column per output.
    ///
    /// - Throws: ``DigitsModelError`` if the layers do not fit together, or the decoder's error.
    public init(json: Data) throws {
        struct Network: Decodable {
            struct Layer: Decodable {
                let biases: [Double]
                let weights: [[Double]]
            }
            let layers: [Layer]
        }
        let layers = try JSONDecoder().decode(Network.self, from: json).layers.map {
            try DenseLayer(weights: $0.weights, biases: $0.biases)
        }
        guard let first = layers.first, let last = layers.last else {
            throw DigitsModelError("the network has no layers")
        }
        guard first.inputCount == Self.pixelCount, last.outputCount == 10 else {
            throw DigitsModelError(
                "the network takes \(first.inputCount) numbers and gives \(last.outputCount): 64 and 10 are due")
        }
        for (layer, next) in zip(layers, layers.dropFirst()) where layer.outputCount != next.inputCount {
            throw DigitsModelError(
                "a layer gives \(layer.outputCount) numbers, but the one after it takes \(next.inputCount)")
        }
        self.layers = layers
    }

    /// Reads weights from a file in the format of ``init(json:)``.
    public init(contentsOf file: URL) throws {
        try self.init(json: Data(contentsOf: file))
    }

    /// The classifier with the weights that `train.py` wrote.
    public static func trained() throws -> DigitsClassifier {
        try DigitsClassifier(contentsOf: resource("weights.json"))
    }

    /// The digits, from 0 to 9, that the images of a matrix show.
    ///
    /// - Parameter pixels: Images of 64 pixels, one after the other.
    /// - Throws: ``DigitsModelError`` if the number of pixels is no multiple of 64.
    public func classify(_ pixels: [Double]) throws -> [Int] {
        guard pixels.count.isMultiple(of: Self.pixelCount) else {
            throw DigitsModelError("\(pixels.count) pixels: a multiple of \(Self.pixelCount) is due")
        }
        let rowCount = pixels.count / Self.pixelCount
        var values = pixels
        for (index, layer) in layers.enumerated() {
            values = layer.apply(to: values, rowCount: rowCount, rectified: index < layers.count - 1)
        }
        return (0..<rowCount).map { row in
            let scores = values[row * 10..<(row + 1) * 10]
            // The first of equal scores; 0 if all are NaN.
            var best = scores.startIndex
            for index in scores.indices where scores[index] > scores[best] {
                best = index
            }
            return best - scores.startIndex
        }
    }
}

/// Says what is wrong with the example's files or with its input.
public struct DigitsModelError: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Where a file of `Resources/` lies; the build copies them to the top of the module's bundle.
func resource(_ name: String) throws -> URL {
    guard let file = Bundle.module.url(forResource: name, withExtension: nil) else {
        throw DigitsModelError("\(name) is not in \(Bundle.module.bundlePath)")
    }
    return file
}
