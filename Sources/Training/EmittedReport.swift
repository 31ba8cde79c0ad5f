import Foundation

/// What the helper saw while a pipeline's own `main.py` trained: `emitted.json`.
///
/// The file lies in a folder that the generated program may write to, so it is read as a statement of a stranger: bounded, and
/// numbers that are none become nil.
struct EmittedReport: Sendable, Hashable, Decodable {
    struct Epoch: Sendable, Hashable, Decodable {
        var epoch: Int
        var trainLoss: Double?
        var seconds: Double?

        enum CodingKeys: String, CodingKey {
            case epoch
            case trainLoss = "train_loss"
            case seconds
        }
    }

    var exitCode: Int?
    /// How the held-out images were predicted: `graph` or `model`; nil where they were not.
    var method: String?
    /// Why they were not.
    var error: String?
    var seconds: Double?
    /// Of the held-out images.
    var predictionSeconds: Double?
    var epochs: [Epoch]?

    enum CodingKeys: String, CodingKey {
        case exitCode = "exit_code"
        case method, error, seconds, epochs
        case predictionSeconds = "prediction_seconds"
    }

    static let maximumBytes = 16 << 20
    static let maximumEpochs = 100_000

    /// - Throws: `TrainingError.pipelineFailed`.
    init(_ record: HelperRecord) throws {
        let data: Data
        do {
            data = try record.data("emitted.json", limit: Self.maximumBytes)
        } catch {
            throw TrainingError.pipelineFailed(reason: "it left no record of its training (\(error))")
        }
        guard var report = try? JSONDecoder().decode(Self.self, from: Self.withoutNotANumber(data)) else {
            throw TrainingError.pipelineFailed(reason: "the record of its training was overwritten with something else")
        }
        report.epochs = report.epochs?.prefix(Self.maximumEpochs).filter { $0.epoch > 0 }
        self = report
    }

    /// Python writes `NaN` and `Infinity`, which JSON does not have, as bare words: they become `null`.
    static func withoutNotANumber(_ data: Data) -> Data {
        var result: [UInt8] = []
        result.reserveCapacity(data.count)
        let bytes = [UInt8](data)
        let words = ["-Infinity", "Infinity", "NaN"].map { Array($0.utf8) }
        var inside = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if inside, byte == UInt8(ascii: "\\"), index + 1 < bytes.count {
                result += [byte, bytes[index + 1]]
                index += 2
                continue
            }
            if byte == UInt8(ascii: "\"") { inside.toggle() }
            if !inside, let word = words.first(where: { bytes[index...].starts(with: $0) }) {
                result += Array("null".utf8)
                index += word.count
                continue
            }
            result.append(byte)
            index += 1
        }
        return Data(result)
    }
}
