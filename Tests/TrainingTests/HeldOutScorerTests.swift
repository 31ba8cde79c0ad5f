import TensorRuntime
import Testing

@testable import Training

@Suite("Scoring held-out images")
struct HeldOutScorerTests {
    private let scorer = HeldOutScorer(threshold: Threshold(value: 0.5, comparison: .greater))

    private func score(_ probability: [Float], _ truth: [UInt8]) throws -> HeldOutScore {
        try scorer.score(
            sample: "s", probability: probability, height: 2, width: 2, truth: truth, truthHeight: 2, truthWidth: 2)
    }

    @Test("gives 1 where both masks are empty and 0 where one is")
    func empty() throws {
        #expect(try score([0, 0, 0, 0], [0, 0, 0, 0]).dice == 1)
        #expect(try score([1, 0, 0, 0], [0, 0, 0, 0]).dice == 0)
        #expect(try score([0, 0, 0, 0], [255, 0, 0, 0]).dice == 0)
    }

    @Test("is twice the overlap over the sum, without smoothing")
    func dice() throws {
        #expect(try score([1, 1, 0, 0], [255, 0, 0, 0]).dice == 2.0 / 3)
    }

    @Test("takes the threshold and its comparison from the pipeline")
    func threshold() throws {
        #expect(try score([0.5, 0, 0, 0], [255, 0, 0, 0]).dice == 0)
        let atLeast = HeldOutScorer(threshold: Threshold(value: 0.5, comparison: .greaterOrEqual))
        #expect(
            try atLeast.score(
                sample: "s", probability: [0.5, 0, 0, 0], height: 2, width: 2, truth: [255, 0, 0, 0], truthHeight: 2,
                truthWidth: 2
            ).dice == 1)
    }

    @Test("resizes the probability, not the mask, to the original grid")
    func grids() throws {
        // One row of a step from 0 to 1: bilinear resizing puts the border half-way, by value.
        let result = try scorer.score(
            sample: "s", probability: [0, 0.8], height: 1, width: 2, truth: [0, 0, 0, 255], truthHeight: 1,
            truthWidth: 4)
        // Resized: 0, 0.2, 0.6, 0.8; two pixels above one half, one of them true.
        #expect(result.dice == 2.0 / 3)
        // Truth by nearest neighbour on two pixels: columns 0 and 2, both background.
        #expect(result.modelGridDice == 0)
    }

    @Test("averages by batch, the last one over what is left")
    func batches() {
        #expect(HeldOutScorer.batchMeans([1, 0, 0.5, 0.25, 1], size: 2) == [0.5, 0.375, 1])
        #expect(HeldOutScorer.batchMeans([1, 0], size: 0) == [1, 0])
        #expect(HeldOutScorer.batchMeans([], size: 4) == [])
    }

    @Test("counts a probability that is no number as background")
    func notANumber() throws {
        #expect(try score([.nan, 0, 0, 0], [0, 0, 0, 0]).dice == 1)
    }
}
