import Datasets
import Files
import Foundation

/// `config.json` as a pipeline left it: its own statement of what it did.
struct PipelineConfiguration {
    /// The numbers that other artefacts are held against.
    struct Values {
        var batchSize: Int?
        var validationSamples: Int?
        var testSamples: Int?
    }

    private let object: [String: Any]?
    private let failure: String?

    static let keys = [
        "input_size", "input_channels", "encoder_stages", "decoder_stages", "encoder_channels", "decoder_channels",
        "bottleneck_channels", "conv_block", "normalization", "upsampling", "skip", "final_layer", "output_activation",
        "trainable_parameters", "dropout", "loss", "optimizer", "learning_rate", "weight_decay", "scheduler",
        "batch_size", "epochs", "threshold", "seed", "training_samples", "validation_samples", "test_samples",
    ]

    static func read(in out: URL) -> PipelineConfiguration {
        let bytes: [UInt8]
        do {
            bytes = try UntrustedFile.read(ContractCheck.configuration, below: out, maximumBytes: 1 << 20)
        } catch {
            if case .tooLarge = error {
                return PipelineConfiguration(object: nil, failure: "it is larger than a mebibyte")
            }
            return PipelineConfiguration(object: nil, failure: "it cannot be opened")
        }
        // Python writes NaN and Infinity as bare words, which are no JSON; the parser rejects them like any other damage.
        guard let value = try? JSONSerialization.jsonObject(with: Data(bytes)) else {
            return PipelineConfiguration(object: nil, failure: "it is not valid JSON")
        }
        guard let object = value as? [String: Any] else {
            return PipelineConfiguration(object: nil, failure: "it is not a JSON object")
        }
        return PipelineConfiguration(object: object, failure: nil)
    }

    var values: Values {
        Values(
            batchSize: integer("batch_size"), validationSamples: integer("validation_samples"),
            testSamples: integer("test_samples"))
    }

    /// A whole number, whether written `8` or `8.0`; true and false are none.
    private func integer(_ key: String) -> Int? {
        guard let value = number(key), value == value.rounded(), abs(value) < 1e15 else { return nil }
        return Int(value)
    }

    private func number(_ key: String) -> Double? {
        guard let value = object?[key] as? NSNumber, !(object?[key] is Bool && isBoolean(value)) else { return nil }
        return value.doubleValue
    }

    private func isBoolean(_ value: NSNumber) -> Bool { String(cString: value.objCType) == "c" }

    func breaches(_ expectation: ContractExpectation) -> [ContractBreach] {
        guard let object else { return [.configurationMalformed(reason: failure ?? "it is not valid JSON")] }
        var breaches: [ContractBreach] = []
        let missing = Self.keys.filter { object[$0] == nil }
        if !missing.isEmpty { breaches.append(.configurationKeys(missing)) }
        if object["batch_size"] != nil, (integer("batch_size") ?? 0) < 1 {
            breaches.append(.configurationValue(key: "batch_size", requirement: "a positive integer"))
        }
        if object["epochs"] != nil, integer("epochs") != expectation.epochs {
            breaches.append(
                .configurationValue(key: "epochs", requirement: "\(expectation.epochs), the value of --epochs"))
        }
        if object["threshold"] != nil, !(number("threshold").map { (0...1).contains($0) } ?? false) {
            breaches.append(.configurationValue(key: "threshold", requirement: "a number from 0 to 1"))
        }
        return breaches + sampleBreaches(expectation)
    }

    private func sampleBreaches(_ expectation: ContractExpectation) -> [ContractBreach] {
        let keys = ["training_samples", "validation_samples", "test_samples"]
        guard keys.allSatisfy({ object?[$0] != nil }) else { return [] }
        for key in keys where (integer(key) ?? -1) < 0 {
            return [.configurationValue(key: key, requirement: "an integer")]
        }
        let counts = keys.map { integer($0) ?? 0 }
        let sum = counts.reduce(0, +)
        guard sum == expectation.pairs else { return [.sampleCounts(sum: sum, pairs: expectation.pairs)] }
        // Rounding in two steps moves a sample or two.
        let shares = [0.8, 0.1, 0.1]
        let slack = max(2.01, 0.03 * Double(sum))
        guard zip(counts, shares).allSatisfy({ abs(Double($0) - $1 * Double(sum)) <= slack }) else {
            return [.splitShares(training: counts[0], validation: counts[1], test: counts[2])]
        }
        let seen = [
            expectation.observation?.trainSamples, expectation.observation?.validationSamples,
            expectation.observation?.testSamples,
        ]
        for index in keys.indices {
            if let seen = seen[index], seen != counts[index] {
                return [.countDisagrees(key: keys[index], stated: counts[index], seen: seen)]
            }
        }
        return []
    }
}
