import Foundation
import Testing

@testable import Metrics

struct PyTorchReference: Decodable {
    struct Resize: Decodable {
        var height: Int
        var width: Int
        var toHeight: Int
        var toWidth: Int
        var input: [Float]
        var bilinear: [Float]
        var nearest: [Float]
    }

    struct Losses: Decodable {
        var probability: [Float]
        var truth: [Float]
        var bce: Double
        var softDice: Double
    }

    var resize: [Resize]
    var losses: Losses

    static func load() throws -> PyTorchReference {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let data = try Data(contentsOf: tests.appending(path: "Fixtures/metrics/pytorch.json"))
        return try JSONDecoder().decode(PyTorchReference.self, from: data)
    }
}

@Suite struct OverlapTests {
    @Test func scoresFollowTheirDefinitions() throws {
        // TP 2, FP 1, FN 3, TN 4.
        let predicted: [UInt8] = [255, 255, 1, 0, 0, 0, 0, 0, 0, 0]
        let truth: [UInt8] = [1, 255, 0, 255, 255, 255, 0, 0, 0, 0]
        let counts = try ConfusionCounts(predicted: predicted, truth: truth)
        #expect(
            counts
                == ConfusionCounts(truePositives: 2, falsePositives: 1, falseNegatives: 3, trueNegatives: 4))
        #expect(counts.dice == 4.0 / 8)
        #expect(counts.iou == 2.0 / 6)
        #expect(counts.precision == 2.0 / 3)
        #expect(counts.recall == 2.0 / 5)
        #expect(counts.specificity == 4.0 / 5)
    }

    @Test func bothEmptyIsOneAndOneEmptyIsZero() throws {
        let empty = [Bool](repeating: false, count: 5)
        let some = [true, false, false, false, false]
        #expect(try ConfusionCounts(predicted: empty, truth: empty).dice == 1)
        #expect(try ConfusionCounts(predicted: empty, truth: empty).iou == 1)
        #expect(try ConfusionCounts(predicted: some, truth: empty).dice == 0)
        #expect(try ConfusionCounts(predicted: empty, truth: some).dice == 0)
        #expect(try ConfusionCounts(predicted: empty, truth: some).iou == 0)
        #expect(try ConfusionCounts(predicted: [Bool](), truth: []).dice == 1)
        #expect(try ConfusionCounts(predicted: [true], truth: [true]).specificity == 1)
    }

    @Test func aProbabilityIsForegroundStrictlyAboveTheThresholdAndNeverWhenItIsNoNumber() throws {
        let counts = try ConfusionCounts(probability: [0.5, 0.500_001, .nan, 1], truth: [255, 255, 255, 0])
        #expect(
            counts
                == ConfusionCounts(truePositives: 1, falsePositives: 1, falseNegatives: 2, trueNegatives: 0))
        #expect(try ConfusionCounts(probability: [0.3], threshold: 0.2, truth: [255]).dice == 1)
    }

    @Test func masksOfDifferentSizesAreNotCompared() {
        #expect(throws: MetricsError.sizes(predicted: 2, truth: 3)) {
            try ConfusionCounts(predicted: [true, true], truth: [true, true, true])
        }
        #expect(throws: MetricsError.sizes(predicted: 1, truth: 0)) {
            try CommonLosses.softDice(probability: [1], truth: [])
        }
        #expect(throws: MetricsError.sizes(predicted: 1, truth: 0)) {
            try CommonLosses.binaryCrossEntropy(probability: [1], truth: [])
        }
    }

    @Test func diceAndIoUAgreeOnRandomMasks() throws {
        let seed =
            ProcessInfo.processInfo.environment["LLMBENCH_TEST_SEED"].flatMap(UInt64.init)
            ?? UInt64.random(in: 1...1000)
        print("diceAndIoUAgreeOnRandomMasks: LLMBENCH_TEST_SEED=\(seed)")
        var state = seed
        func bit() -> Bool {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 60 > 9
        }
        for _ in 0..<200 {
            let predicted = (0..<50).map { _ in bit() }
            let truth = (0..<50).map { _ in bit() }
            let counts = try ConfusionCounts(predicted: predicted, truth: truth)
            #expect(abs(counts.dice - 2 * counts.iou / (1 + counts.iou)) < 1e-12)
            #expect(try ConfusionCounts(predicted: truth, truth: predicted).dice == counts.dice)
        }
    }
}

@Suite struct CommonLossTests {
    @Test func lossesEqualPyTorchs() throws {
        let losses = try PyTorchReference.load().losses
        let bce = try CommonLosses.binaryCrossEntropy(probability: losses.probability, truth: losses.truth)
        let dice = try CommonLosses.softDice(probability: losses.probability, truth: losses.truth)
        #expect(abs(bce - losses.bce) < 1e-9 * losses.bce)
        #expect(abs(dice - losses.softDice) < 1e-12)
    }

    @Test func aConfidentMistakeCostsAtMostTheClamp() throws {
        let worst = try CommonLosses.binaryCrossEntropy(probability: [0, 1], truth: [1, 0])
        #expect(abs(worst - -log(1e-7)) < 1e-6)
        #expect(try CommonLosses.binaryCrossEntropy(probability: [0, 1], truth: [0, 1]) < 2e-7)
    }

    @Test func whatIsNoNumberStaysNoNumber() throws {
        #expect(try CommonLosses.binaryCrossEntropy(probability: [0.2, .nan], truth: [0, 1]).isNaN)
        #expect(try CommonLosses.softDice(probability: [0.2, .nan], truth: [0, 1]).isNaN)
    }

    @Test func emptyMasksAreAPerfectMatchOfNothing() throws {
        #expect(try CommonLosses.softDice(probability: [0, 0], truth: [0, 0]) == 1)
        #expect(try CommonLosses.softDice(probability: [0.1, 0], truth: [0, 0]) == 0)
        #expect(try CommonLosses.softDice(probability: [], truth: []) == 1)
        #expect(try CommonLosses.binaryCrossEntropy(probability: [], truth: []) == 0)
    }
}

@Suite struct ResizeTests {
    @Test func resizingEqualsPyTorchsInterpolate() throws {
        let cases = try PyTorchReference.load().resize
        #expect(cases.count == 6)
        for reference in cases {
            let shape = "\(reference.width)×\(reference.height) to \(reference.toWidth)×\(reference.toHeight)"
            let bilinear = try Resize.bilinear(
                reference.input, width: reference.width, height: reference.height, toWidth: reference.toWidth,
                toHeight: reference.toHeight)
            #expect(zip(bilinear, reference.bilinear).allSatisfy { abs($0 - $1) < 1e-6 }, "\(shape)")
            #expect(bilinear.count == reference.bilinear.count)
            let nearest = try Resize.nearest(
                reference.input, width: reference.width, height: reference.height, toWidth: reference.toWidth,
                toHeight: reference.toHeight)
            #expect(nearest == reference.nearest, "\(shape)")
        }
    }

    @Test func shapesThatCannotBeAreErrors() {
        #expect(throws: MetricsError.shape(width: 2, height: 2, samples: 3)) {
            try Resize.bilinear([1, 2, 3], width: 2, height: 2, toWidth: 4, toHeight: 4)
        }
        #expect(throws: MetricsError.shape(width: 0, height: 4, samples: 0)) {
            try Resize.nearest([1, 2, 3, 4], width: 2, height: 2, toWidth: 0, toHeight: 4)
        }
    }
}
