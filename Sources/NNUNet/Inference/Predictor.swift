import Foundation
import TensorRuntime

/// Predicts images with trained weights, as nnU-Net 2.8.1's `nnUNetPredictor`: preprocessing, a sliding window with Gaussian weights,
/// the mean over the image and its mirror images, and the way back to the original grid.
///
/// ```swift
/// let predictor = try Predictor(plan: plan, tensors: weights, threads: 2)
/// let mask = try predictor.predict(image)  // class indices Z Y X
/// ```
///
/// Sums are in 32 bits where nnU-Net's are in 16. Not for use from two threads at once.
public final class Predictor {
    /// What the images are brought to.
    public let plan: NNUNetPlan
    /// Whether each tile is also predicted mirrored along H, W and both.
    public var usesMirroring = true
    private let session: GraphSession
    private let network: PlainConvUNet
    private let window: SlidingWindow

    /// A predictor with weights of its own, by the names of `PlainConvUNet`. Throws what `GraphSession` throws for missing ones.
    public convenience init(
        plan: NNUNetPlan, tensors: [String: Tensor], threads: Int? = nil, memoryBudget: Int? = nil
    ) throws {
        let network = try PlainConvUNet(plan)
        let session = try GraphSession(
            train: nil, evaluation: network.evaluation, tensors: tensors,
            options: RuntimeOptions(threads: threads, memoryBudget: memoryBudget))
        self.init(plan: plan, network: network, session: session)
    }

    init(plan: NNUNetPlan, network: PlainConvUNet, session: GraphSession) {
        (self.plan, self.network, self.session) = (plan, network, session)
        window = SlidingWindow(tile: plan.patchSize)
    }

    /// The class of each pixel of an image, on its own grid; background outside of the nonzero region's box.
    ///
    /// Cost: four forward passes a tile (one without mirroring), tiles overlapping by half.
    /// Throws `NNUNetError.invalidCase` for images that the plan is not for.
    public func predict(_ image: CaseImage, name: String = "the image") throws -> LabelMap {
        let prepared = try Preprocessor(plan)(image, name: name)
        return try predict(prepared)
    }

    func predict(_ prepared: PreprocessedCase) throws -> LabelMap { try mask(of: logits(prepared), prepared) }

    /// The class of each pixel of the original image, from the scores of the preprocessed one.
    func mask(of scores: [[Float]], _ prepared: PreprocessedCase) throws -> LabelMap {
        var logits = scores
        let size = prepared.box.map(\.count)
        if size != prepared.size {
            logits = logits.map { Resampling.linear($0, size: prepared.size, to: size) }
        }
        var mask = [Int16](repeating: 0, count: prepared.originalSize[0] * prepared.originalSize[1])
        for y in 0..<size[0] {
            for x in 0..<size[1] {
                let pixel = y * size[1] + x
                var best = 0
                for candidate in 1..<logits.count where logits[candidate][pixel] > logits[best][pixel] {
                    best = candidate
                }
                let row = prepared.box[0].lowerBound + y
                mask[row * prepared.originalSize[1] + prepared.box[1].lowerBound + x] = Int16(best)
            }
        }
        return try LabelMap(shape: [1] + prepared.originalSize, values: mask)
    }

    /// Class scores K planes H W of a preprocessed image.
    func logits(_ prepared: PreprocessedCase) throws -> [[Float]] {
        let tile = plan.patchSize
        // Small images are padded on both sides, the odd pixel behind.
        let margins = zip(tile, prepared.size).map { max(0, $0 - $1) }
        let size = zip(prepared.size, margins).map { $0 + $1 }
        var sums = [[Float]](repeating: [Float](repeating: 0, count: size[0] * size[1]), count: plan.classes)
        var weights = [Float](repeating: 0, count: size[0] * size[1])
        for top in SlidingWindow.starts(image: size[0], tile: tile[0]) {
            for left in SlidingWindow.starts(image: size[1], tile: tile[1]) {
                let patch = Patch(
                    prepared, origin: [top - margins[0] / 2, left - margins[1] / 2], size: tile)
                let prediction = try predictTile(patch)
                for y in 0..<tile[0] {
                    for x in 0..<tile[1] {
                        let (source, target) = (y * tile[1] + x, (top + y) * size[1] + left + x)
                        weights[target] += window.weights[source]
                        for index in sums.indices {
                            sums[index][target] +=
                                prediction[index * window.weights.count + source] * window.weights[source]
                        }
                    }
                }
            }
        }
        return sums.map { plane in
            (0..<prepared.pixels).map { pixel in
                let row = pixel / prepared.size[1] + margins[0] / 2
                let index = row * size[1] + pixel % prepared.size[1] + margins[1] / 2
                return plane[index] / weights[index]
            }
        }
    }

    /// Class scores K H W of a tile.
    private func predictTile(_ patch: Patch) throws -> [Float] {
        let mirrors = usesMirroring ? [[], [0], [1], [0, 1]] : [[]]
        let shape = [1, patch.channels] + patch.size
        var sum = [Float](repeating: 0, count: plan.classes * patch.pixels)
        for axes in mirrors {
            var mirrored = patch
            mirrored.mirror(axes: axes)
            let output = try session.predict(["image": Tensor(shape: shape, values: mirrored.values)])
            var back = Patch(
                channels: plan.classes, size: patch.size, values: output.values, labels: patch.labels)
            back.mirror(axes: axes)
            for index in sum.indices { sum[index] += back.values[index] }
        }
        return mirrors.count == 1 ? sum : sum.map { $0 / Float(mirrors.count) }
    }
}
