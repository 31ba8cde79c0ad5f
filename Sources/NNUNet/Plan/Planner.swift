import Foundation

/// From a fingerprint to a plan, by the rules of nnU-Net's `ExperimentPlanner` for the 2d configuration (Isensee et al. 2021,
/// "inferred parameters"; the constants are those of version 2.8.1).
///
/// ```swift
/// let plan = try Planner(channelNames: ["CT"], classes: 2).plan(Fingerprint(cases), name: "Dataset001_Liver")
/// print(plan.patchSize, plan.batchSize)
/// ```
public struct Planner: Sendable {
    /// The names of the channels, which say how they are normalised.
    public var channelNames: [String]
    /// Classes, the background included.
    public var classes: Int
    /// The memory of the device that the plan is for, in GB; nnU-Net's default is 8.
    public var memoryTarget: Double

    /// Feature map elements of a 2-D network that takes eight GB at `referenceBatch` samples.
    static let referenceElements = 85_000_000.0
    static let referenceBatch = 12.0
    /// GB that the reference is for.
    public static let referenceMemory = 8.0
    /// A step must not see more than this part of the data set's pixels.
    static let datasetCoverage = 0.05
    static let minimumBatch = 2
    /// An axis whose spacing is so many times the others' is coarse.
    static let anisotropy = 3.0
    /// The square that the first patch has the area of.
    static let initialEdge = 2048.0

    /// Throws `NNUNetError.invalidSetting` without channels, with fewer than two classes, or a memory that is not positive.
    public init(channelNames: [String], classes: Int, memoryTarget: Double = Planner.referenceMemory) throws {
        guard !channelNames.isEmpty, classes >= 2, memoryTarget > 0 else {
            throw NNUNetError.invalidSetting(
                "a plan needs a channel or more, two classes or more and a memory above zero, not "
                    + "\(channelNames.count) channels, \(classes) classes and \(memoryTarget) GB")
        }
        (self.channelNames, self.classes, self.memoryTarget) = (channelNames, classes, memoryTarget)
    }

    /// Throws `NNUNetError.unusableDataset` when the fingerprint has other channels, no case, or images too small for a network
    /// of two stages.
    public func plan(_ fingerprint: Fingerprint, name: String) throws -> NNUNetPlan {
        let (spacings, shapes) = (fingerprint.spacings, fingerprint.shapesAfterCrop)
        guard !shapes.isEmpty, shapes.count == spacings.count, fingerprint.intensities.count == channelNames.count
        else {
            throw NNUNetError.unusableDataset(
                "the images have \(fingerprint.intensities.count) channels and \(channelNames.count) channel names "
                    + "were given: name each channel once")
        }
        let target = targetSpacing(fingerprint)
        let order = transpose(target)
        let resampled = zip(shapes, spacings).map { shape, spacing in
            shape.indices.map { Double(rounded(spacing[$0] / target[$0] * Double(shape[$0]))) }
        }
        let median = order.map { medians(resampled)[$0] }
        let size = Array(median.dropFirst())
        let spacing = order.dropFirst().map { target[$0] }
        let topology = try fittingTopology(spacing, size)
        let architecture = Architecture(topology)
        let schemes = channelNames.map(Normalization.init(channelName:))
        let usesMask = fingerprint.medianRelativeSizeAfterCropping < 0.75
        let (medianSpacing, medianShape) = (medians(spacings), medians(shapes.map { $0.map { Double($0) } }))
        return NNUNetPlan(
            datasetName: name, originalMedianSpacing: order.map { medianSpacing[$0] },
            originalMedianShape: order.map { rounded(medianShape[$0]) }, transposeForward: order,
            transposeBackward: (0..<3).map { axis in order.firstIndex(of: axis) ?? axis },
            intensities: fingerprint.intensities,
            batchSize: batchSize(topology, architecture, pixels: median.reduce(1, *) * Double(shapes.count)),
            patchSize: topology.patch, medianImageSize: size, spacing: spacing, normalizations: schemes,
            usesMaskForNormalization: schemes.map { usesMask && $0.mayUseMask }, architecture: architecture,
            classes: classes)
    }

    /// The median spacing; a coarse axis of few slices takes its tenth percentile, which interpolates less.
    private func targetSpacing(_ fingerprint: Fingerprint) -> [Double] {
        var target = percentiles(fingerprint.spacings, 50)
        let size = percentiles(fingerprint.shapesAfterCrop.map { $0.map { Double($0) } }, 50)
        let worst = firstLargest(target)
        let others = target.indices.filter { $0 != worst }
        let coarsest = others.map { target[$0] }.max() ?? 0
        let fewest = others.map { size[$0] }.min() ?? 0
        guard target[worst] > Planner.anisotropy * coarsest, size[worst] * Planner.anisotropy < fewest else {
            return target
        }
        let finer = fingerprint.spacings.map { $0[worst] }.percentile(10)
        target[worst] = finer < coarsest ? coarsest + 1e-5 : finer
        return target
    }

    /// The axis with the largest spacing first, the others in their order.
    private func transpose(_ spacing: [Double]) -> [Int] {
        let first = firstLargest(spacing)
        return [first] + spacing.indices.filter { $0 != first }
    }

    private func firstLargest(_ values: [Double]) -> Int {
        values.firstIndex(of: values.max() ?? 0) ?? 0
    }

    /// The median image, or as much of it in its proportions as lets a batch of two fit the memory.
    private func fittingTopology(_ spacing: [Double], _ median: [Double]) throws -> NetworkTopology {
        let resolution = spacing.map { 1 / $0 }
        let scale = pow(Planner.initialEdge * Planner.initialEdge / resolution.reduce(1, *), 0.5)
        let first = zip(resolution, median).map { min(($0 * scale).rounded(.toNearestOrEven), $1) }
        var topology = NetworkTopology(spacing: spacing, size: first)
        while true {
            guard topology.strides.count > 1, topology.patch.allSatisfy({ $0 > 0 }) else {
                throw NNUNetError.unusableDataset(
                    "images of \(text(median)) pixels (in the median) are smaller than the smallest patch, 8 × 8: "
                        + "give larger images")
            }
            if elements(topology) / Planner.referenceBatch * 2 <= reference { return topology }
            let excess = zip(topology.patch, median).map { Double($0) / $1 }
            let axis = excess[1] >= excess[0] ? 1 : 0
            // A smaller patch may be halved less often, and then need not be a multiple of as much.
            var smaller = topology.patch
            smaller[axis] -= topology.divisors[axis]
            let divisors = NetworkTopology(spacing: spacing, size: smaller.map { Double($0) }).divisors
            var reduced = topology.patch
            reduced[axis] -= divisors[axis]
            topology = NetworkTopology(spacing: spacing, size: reduced.map { Double($0) })
        }
    }

    private var reference: Double { Planner.referenceElements * (memoryTarget / Planner.referenceMemory) }

    private func elements(_ topology: NetworkTopology) -> Double {
        Double(Architecture(topology).featureMapElements(patch: topology.patch, classes: classes))
    }

    /// As many samples as fit the memory, at most five per cent of the data set's pixels, at least two.
    private func batchSize(_ topology: NetworkTopology, _ architecture: Architecture, pixels: Double) -> Int {
        let fitting = rounded(reference / elements(topology) * Planner.referenceBatch)
        let covering = rounded(
            pixels * Planner.datasetCoverage / topology.patch.reduce(1) { $0 * Double($1) })
        return max(min(fitting, covering), Planner.minimumBatch)
    }

    private func text(_ size: [Double]) -> String {
        size.map { $0 == $0.rounded() ? String(Int($0)) : String($0) }.joined(separator: " × ")
    }
}
