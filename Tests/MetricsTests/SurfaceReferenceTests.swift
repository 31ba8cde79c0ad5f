import Foundation
import TestSupport
import Testing

@testable import Metrics

/// Distances, overlaps and components beside scipy, MedPy and MONAI (`Tests/Fixtures/metrics/surface.py`).
@Suite struct SurfaceReferenceTests {
    /// What the script prints of one pair; a name is missing where the other implementation has no answer.
    struct Reference: Decodable {
        var numbers: [String: Double] = [:]
        var areas4: [Int]
        var areas8: [Int]

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Name.self)
            areas4 = try values.decode([Int].self, forKey: Name(stringValue: "areas4"))
            areas8 = try values.decode([Int].self, forKey: Name(stringValue: "areas8"))
            for name in values.allKeys where !name.stringValue.hasPrefix("areas") {
                numbers[name.stringValue] = try values.decode(Double.self, forKey: name)
            }
        }

        struct Name: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
    }

    private func lines<Value: Decodable>(_ data: Data) throws -> [Value] {
        // MONAI's NaN is not JSON; the script gives numbers only for pairs that have them.
        try data.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(Value.self, from: $0) }
    }

    private func encode(_ pairs: [RandomMasks.Pair]) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return Data(try pairs.map { try encoder.encode($0) }.joined(separator: Data("\n".utf8)))
    }

    /// All of ours under the names of the script; distances of pairs with an empty mask are left out there.
    private func ours(_ pair: RandomMasks.Pair) throws -> [String: Double] {
        let (a, b, spacing) = (try pair.mask(pair.a), try pair.mask(pair.b), try pair.spacing())
        let distances = try SurfaceDistances(predicted: a, truth: b, spacing: spacing)
        let counts = try ConfusionCounts(predicted: a.values, truth: b.values)
        let together = distances.hausdorff(fraction: 0.95, pooling: .together)
        let surfaceDice = try distances.surfaceDice(tolerance: pair.tolerance)
        return [
            "hausdorff": distances.hausdorff, "medpy_hausdorff": distances.hausdorff,
            "monai_hausdorff": distances.hausdorff, "hd95_directions": distances.hausdorff95,
            "monai_hd95": distances.hausdorff95, "hd95_together": together, "medpy_hd95": together,
            "assd": distances.averageSymmetric, "monai_assd": distances.averageSymmetric,
            "masd": distances.averageOfDirections, "medpy_assd": distances.averageSymmetric,
            "medpy_asd": distances.averageToTruth,
            "boundary_f1": try distances.boundaryF1(tolerance: pair.tolerance), "surface_dice": surfaceDice,
            "monai_surface_dice": surfaceDice, "to_truth": distances.toTruth.reduce(0, +),
            "to_prediction": distances.toPrediction.reduce(0, +), "dice": counts.dice, "medpy_dice": counts.dice,
            "monai_dice": counts.dice, "iou": counts.iou, "medpy_iou": counts.iou, "monai_iou": counts.iou,
            "precision": counts.precision, "medpy_precision": counts.precision, "recall": counts.recall,
            "medpy_recall": counts.recall, "specificity": counts.specificity, "medpy_specificity": counts.specificity,
            "transform": DistanceTransform.distances(to: b, spacing: spacing).reduce(0, +),
        ]
    }

    private func compare(_ pairs: [RandomMasks.Pair], _ references: [Reference]) throws {
        try #require(pairs.count == references.count)
        for (index, (pair, reference)) in zip(pairs, references).enumerated() {
            let ours = try ours(pair)
            for (name, expected) in reference.numbers {
                let value = try #require(ours[name], "no \(name)")
                // MONAI interpolates between ranks in single precision.
                let tolerance = name.hasPrefix("monai_") ? 1e-5 : 1e-6
                let isEqual = abs(value - expected) <= tolerance * max(1, abs(expected))
                #expect(isEqual, "pair \(index) \(name): \(value) instead of \(expected), \(pair)")
                if !isEqual { return }
            }
            let mask = try pair.mask(pair.a)
            #expect(ConnectedComponents(of: mask, connectivity: .four).areas.sorted() == reference.areas4)
            #expect(ConnectedComponents(of: mask, connectivity: .eight).areas.sorted() == reference.areas8)
        }
    }

    @Test func masksEqualStoredValuesOfScipyMedPyAndMONAI() throws {
        let folder = ReferencePython.fixtures.appending(path: "metrics")
        let pairs: [RandomMasks.Pair] = try lines(Data(contentsOf: folder.appending(path: "surface-cases.jsonl")))
        let references: [Reference] = try lines(Data(contentsOf: folder.appending(path: "surface.jsonl")))
        #expect(references.count { $0.numbers["medpy_hd95"] != nil && $0.numbers["monai_hd95"] != nil } > 30)
        try compare(pairs, references)
    }

    @Test(.enabled(if: ReferencePython.interpreter != nil, "needs Python with scipy"))
    func randomMasksEqualWhatPythonSaysNow() throws {
        var masks = RandomMasks(generator: SeededGenerator(seed: Trials.seed("randomMasksEqualWhatPythonSaysNow")))
        let pairs = try (0..<(Trials.isVerifying ? 2000 : 200)).map { _ in try masks.pair() }
        let output = try ReferencePython.run("metrics/surface.py", input: encode(pairs))
        try compare(pairs, lines(output))
    }

    /// Writes the pairs of the stored values; `surface.py` says how these are then made.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["LLMBENCH_STORE_CASES"] == "1", "writes a fixture"))
    func storeCases() throws {
        var masks = RandomMasks(generator: SeededGenerator(seed: 20))
        let pairs = try (0..<60).map { _ in try masks.pair(largest: 24) }
        try encode(pairs).write(to: ReferencePython.fixtures.appending(path: "metrics/surface-cases.jsonl"))
    }
}
