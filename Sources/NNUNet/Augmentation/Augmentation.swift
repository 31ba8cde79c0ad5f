import Foundation

/// The default augmentation of a 2-D training in nnU-Net 2.8.1 (`nnUNetTrainer.get_training_transforms`), with its probabilities
/// and ranges: rotation, scaling, noise, blur, brightness, contrast, low resolution, gamma of the inverted and of the plain image,
/// mirroring.
///
/// Only the distributions are nnU-Net's: the random numbers are our own.
public struct Augmentation: Sendable, Equatable {
    /// H W that the network takes.
    public let patchSize: [Int]
    /// Largest rotation either way, in radians: half a turn, 15° for long patches.
    public let rotation: Double
    /// H W of what is cut out of an image before it is rotated, so that no corner stays empty.
    public let initialPatchSize: [Int]
    /// Channels that stay zero where there is no image.
    let maskedChannels: [Int]

    /// `configure_rotation_dummyDA_mirroring_and_inital_patch_size`: patches longer than this are hardly rotated.
    private static let longest = 1.5
    /// What it takes for the smallest scale, for the initial patch only.
    private static let assumedScale = 0.85

    /// For the patches of a plan.
    public init(_ plan: NNUNetPlan) {
        patchSize = plan.patchSize
        let (height, width) = (Double(patchSize[0]), Double(patchSize[1]))
        rotation = max(height, width) / min(height, width) > Self.longest ? Double.pi / 12 : Double.pi
        let angle = min(Double.pi / 2, rotation)
        let turned = [height * cos(angle) + width * sin(angle), -height * sin(angle) + width * cos(angle)]
        initialPatchSize = zip(turned, patchSize).map { Int(max(abs($0), Double($1)) / Self.assumedScale) }
        maskedChannels = plan.usesMaskForNormalization.indices.filter { plan.usesMaskForNormalization[$0] }
    }

    /// A patch of `initialPatchSize` as the network gets it; labels of -1 have become background.
    func callAsFunction(_ patch: Patch, _ draws: Draws) -> Patch {
        var spatial = SpatialTransform(size: patchSize)
        if draws.chance(0.2) { spatial.angle = draws.uniform(-rotation, rotation) }
        if draws.chance(0.2) { spatial.scale = draws.uniform(0.7, 1.4) }
        var result = spatial(patch)
        changeIntensities(&result, draws)
        result.mirror(axes: [0, 1].filter { _ in draws.chance(0.5) })
        for channel in maskedChannels {
            let start = channel * result.pixels
            for index in result.labels.indices where result.labels[index] < 0 { result.values[start + index] = 0 }
        }
        return result.withoutOutside
    }

    private func changeIntensities(_ patch: inout Patch, _ draws: Draws) {
        let channels = 0..<patch.channels
        if draws.chance(0.1) { patch.addNoise(draws.normal(patch.values.count, deviation: draws.uniform(0, 0.1))) }
        if draws.chance(0.2) {
            for channel in channels where draws.chance(0.5) {
                patch.blur(channel: channel, sigmas: [draws.uniform(0.5, 1), draws.uniform(0.5, 1)])
            }
        }
        if draws.chance(0.15) {
            for channel in channels { patch.multiply(channel: channel, by: Float(factor(draws, 0.75, 1.25))) }
        }
        if draws.chance(0.15) {
            for channel in channels { patch.changeContrast(channel: channel, by: Float(factor(draws, 0.75, 1.25))) }
        }
        if draws.chance(0.25) {
            for channel in channels where draws.chance(0.5) {
                patch.lowerResolution(channel: channel, scale: draws.uniform(0.5, 1))
            }
        }
        for (probability, inverted) in [(0.1, true), (0.3, false)] where draws.chance(probability) {
            for channel in channels {
                patch.applyGamma(channel: channel, Float(factor(draws, 0.7, 1.5)), inverted: inverted)
            }
        }
    }

    /// Below one as often as above (`BGContrast`).
    private func factor(_ draws: Draws, _ low: Double, _ high: Double) -> Double {
        draws.chance(0.5) ? draws.uniform(low, 1) : draws.uniform(1, high)
    }
}

extension Patch {
    /// Labels of -1 as background (`RemoveLabelTansform`).
    var withoutOutside: Patch {
        var patch = self
        for index in patch.labels.indices where patch.labels[index] < 0 { patch.labels[index] = 0 }
        return patch
    }
}
