import Foundation
import TensorRuntime

/// Everything that a training needs to go on after a checkpoint to the same bits.
struct TrainingState: Codable {
    var epoch = 0
    var history: [EpochResult] = []
    var stopping: Monitor?
    var best: Monitor?
    var random: RandomState
    /// Which capture, seed and number of epochs the state belongs to.
    var identity: String
    /// Early stopping has ended the training.
    var isStopped = false

    /// Bits for numbers that JSON cannot hold.
    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        encoder.outputFormatting = .sortedKeys
        return encoder
    }

    func text() throws -> String { String(decoding: try Self.encoder.encode(self), as: UTF8.self) }

    init(random: RandomState, identity: String) {
        self.random = random
        self.identity = identity
    }

    init(text: String) throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        self = try decoder.decode(Self.self, from: Data(text.utf8))
    }
}
