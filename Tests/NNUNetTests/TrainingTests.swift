import Foundation
import TensorRuntime
import Testing

@testable import NNUNet

/// Loss, optimizer and the trainer against nnunetv2's.
@Suite struct TrainingTests {
    @Test(arguments: NNUNetReference.sources)
    func theLossEqualsThatOfNNUNet(_ source: NNUNetReference.Source) throws {
        try HashedValues.withReference(source) { reference in
            let (three, one) = (try loss(heads: 3), try loss(heads: 1))
            let (theirThree, theirOne) = (
                try reference.tensor("loss").values[0], try reference.tensor("loss.single").values[0]
            )
            #expect(abs(three - theirThree) < 1e-5)
            #expect(abs(one - theirOne) < 1e-5)
        }
    }

    /// The loss of given logits, as the train graph computes it.
    private func loss(heads: Int) throws -> Float {
        var builder = NetworkBuilder(kind: .train)
        var (inputs, operands): ([String: Tensor], [Int?]) = ([:], [])
        let weights = heads == 1 ? [1.0] : [2.0 / 3, 1.0 / 3]
        for head in weights.indices {
            let size = [16 >> head, 24 >> head]
            operands.append(builder.input("logits\(head)", 3, size))
            operands.append(builder.input("target\(head)", nil, size, "int64"))
            inputs["logits\(head)"] = try HashedValues.image(2000 + head, [3, 3] + size, scale: 2)
            var labels = HashedValues.labels(2100 + head, [3, 1] + size, classes: 3)
            for pixel in 0..<size[0] * size[1] { labels[pixel] = 0 }
            inputs["target\(head)"] = try Tensor(shape: [3] + size, values: labels.map { Float($0) })
        }
        let loss = PlainConvUNet.loss(&builder, operands, weights: weights)
        let graph = builder.finish(loss: loss)
        let session = try GraphSession(train: graph, evaluation: nil, tensors: [:])
        return try session.loss(inputs)
    }

    /// Four steps with a falling rate from the same weights on the same batch; gradients above the norm are clipped.
    @Test(arguments: NNUNetReference.sources)
    func stepsEqualThoseOfNNUNet(_ source: NNUNetReference.Source) throws {
        try HashedValues.withReference(source) { reference in
            var plan = try HashedValues.tinyPlan()
            plan.batchSize = 4
            let network = try PlainConvUNet(plan)
            let weights = try HashedValues.weights(network)
            let image = try HashedValues.image(3000, [4, 2] + plan.patchSize)
            let labels = HashedValues.labels(3001, [4, 1] + plan.patchSize, classes: 3)
            let pixels = plan.patchSize.reduce(1, *)
            let patches = (0..<4).map { sample in
                Patch(
                    channels: 2, size: plan.patchSize,
                    values: Array(image.values[sample * 2 * pixels..<(sample + 1) * 2 * pixels]),
                    labels: Array(labels[sample * pixels..<(sample + 1) * pixels]))
            }
            let batch = try Batch(patches, network)
            let trainer = try Trainer(
                plan: plan, train: [blank(plan)], validation: [blank(plan)],
                budget: TrainingBudget(epochs: 4, iterations: 1, validationIterations: 1), seed: 1, threads: 2,
                tensors: weights)
            var losses: [Float] = []
            for _ in 0..<4 {
                losses.append(try trainer.step(batch))
                trainer.lowerRate()
            }
            #expect(distance(losses, try reference.tensor("training.losses").values) < 1e-4)
            let name = "encoder.stages.0.0.convs.0.conv.weight"
            let moved = try #require(try trainer.weights()[name])
            #expect(distance(moved.values, try reference.tensor("training.weight").values) < 1e-3)
            let before = try #require(weights[name])
            #expect(distance(moved.values, before.values) > 1e-3)
        }
    }

    private func blank(_ plan: NNUNetPlan) -> PreprocessedCase {
        let pixels = plan.patchSize.reduce(1, *)
        return PreprocessedCase(
            channels: plan.channels, size: plan.patchSize,
            values: [Float](repeating: 0, count: plan.channels * pixels), labels: [Int16](repeating: 0, count: pixels),
            box: plan.patchSize.map { 0..<$0 }, originalSize: plan.patchSize)
    }

    @Test func theRateFallsAsPolyDecay() throws {
        let budget = try TrainingBudget(epochs: 10)
        #expect(budget.totalIterations == 2500)
        #expect(budget.rateFactor(epoch: 0) == 1)
        #expect(abs(budget.rateFactor(epoch: 5) - pow(0.5, 0.9)) < 1e-15)
    }

    @Test func anEmptyBudgetIsRefused() {
        #expect(
            throws: NNUNetError.invalidSetting(
                "a budget of 0 epochs of 250 iterations and 50 validation iterations is no training: each must be at "
                    + "least one")
        ) { try TrainingBudget(epochs: 0) }
    }

    @Test func memoryShortOfThePlanIsSaidBeforeTraining() throws {
        var plan = try HashedValues.tinyPlan()
        plan.batchSize = 64
        #expect(throws: RuntimeError.self) {
            do {
                _ = try Trainer(
                    plan: plan, train: [blank(plan)], validation: [blank(plan)], budget: TrainingBudget(epochs: 1),
                    seed: 1, threads: 2, memoryBudget: 16 << 20)
            } catch {
                let text = "\(error)"
                #expect(text.contains("a batch of 64 needs"))
                #expect(text.contains("use a batch of at most"))
                throw error
            }
        }
    }

    @Test func noImagesAreRefused() throws {
        let plan = try HashedValues.tinyPlan()
        #expect(
            throws: NNUNetError.unusableDataset(
                "1 training and 0 validation images are no data set: give some of each")
        ) {
            try Trainer(
                plan: plan, train: [blank(plan)], validation: [], budget: TrainingBudget(epochs: 1), seed: 1)
        }
    }
}

/// Where patches come from.
@Suite struct PatchSamplerTests {
    private func sampler(_ height: Int, _ width: Int, size: [Int], final: [Int], batch: Int = 3) -> PatchSampler {
        var labels = [Int16](repeating: 0, count: height * width)
        labels[(height - 1) * width + 2] = 1
        let source = PreprocessedCase(
            channels: 1, size: [height, width], values: labels.map { Float($0) + 1 }, labels: labels,
            box: [0..<height, 0..<width], originalSize: [height, width])
        return PatchSampler([source], classes: 2, size: size, finalSize: final, batch: batch)
    }

    /// The last third of a batch is cut around foreground, rounded half to even as Python does.
    @Test(arguments: [(2, 1), (3, 1), (12, 4), (50, 16), (100, 33)])
    func theLastThirdIsForeground(_ batch: Int, _ expected: Int) {
        let sampler = sampler(20, 20, size: [8, 8], final: [8, 8], batch: batch)
        #expect((0..<batch).filter { sampler.isForeground($0) }.count == expected)
        #expect(sampler.isForeground(batch - 1))
    }

    /// nnU-Net's bounds: -need // 2 … shape + need // 2 + need % 2 - patch.
    @Test(arguments: [
        (20, 8, 8, 0...12), (20, 11, 8, -2...11), (6, 8, 8, -1...(-1)), (5, 8, 8, -2...(-1)), (20, 12, 8, -2...10),
    ])
    func boundsAreThoseOfNNUNet(_ length: Int, _ size: Int, _ final: Int, _ expected: ClosedRange<Int>) {
        let sampler = sampler(length, length, size: [size, size], final: [final, final])
        #expect(sampler.bounds(length, 0) == expected)
    }

    @Test func foregroundPatchesHoldTheForeground() {
        let sampler = sampler(30, 30, size: [8, 8], final: [8, 8])
        for step in 0..<50 {
            let draws = Draws(seed: 3, purpose: .training, step: step)
            #expect(sampler.patch(2, draws).labels.contains(1))
        }
    }

    @Test func whatLiesOutsideIsMarked() {
        let sampler = sampler(5, 5, size: [8, 8], final: [8, 8])
        let patch = sampler.patch(0, Draws(seed: 1, purpose: .training))
        #expect(patch.labels.filter { $0 == -1 }.count == 64 - 25)
        #expect(zip(patch.labels, patch.values).allSatisfy { ($0 == -1) == ($1 == 0) })
    }
}
