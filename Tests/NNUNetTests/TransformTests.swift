import Foundation
import TensorRuntime
import Testing

@testable import NNUNet

/// The augmentation against batchgeneratorsv2 on the same settings.
@Suite struct TransformTests {
    private static let size = [40, 36]

    private func patch() throws -> Patch {
        let labels = (0..<40 * 36).map { (pixel: Int) -> Int16 in
            let (y, x) = (pixel / 36, pixel % 36)
            return Int16((y / 5 + x / 4) % 4 - 1)
        }
        return Patch(
            channels: 2, size: Self.size, values: try HashedValues.image(4000, [2] + Self.size).values, labels: labels)
    }

    @Test(arguments: NNUNetReference.sources)
    func spatialTransformsEqualThoseOfBatchgenerators(_ source: NNUNetReference.Source) throws {
        let settings = [(0.3, 1.0), (0.0, 0.7), (-2.0, 1.3), (0.0, 1.0), (1.0, 1.4)]
        try HashedValues.withReference(source) { reference in
            for (number, (angle, scale)) in settings.enumerated() {
                let result = SpatialTransform(angle: angle, scale: scale, size: [32, 30])(try patch())
                let image = try reference.tensor("spatial\(number).image").values
                #expect(distance(result.values, image) < 2e-5, "angle \(angle), scale \(scale)")
                let labels = try reference.tensor("spatial\(number).labels").values
                let different = zip(result.labels, labels).filter { Float($0) != $1 }.count
                // Where two labels share a pixel to the last bit of a coordinate.
                #expect(different <= 2, "\(different) labels differ at angle \(angle), scale \(scale)")
            }
        }
    }

    @Test(arguments: NNUNetReference.sources)
    func intensityTransformsEqualThoseOfBatchgenerators(_ source: NNUNetReference.Source) throws {
        let changes: [(name: String, apply: (inout Patch) -> Void)] = [
            (
                "blur",
                {
                    $0.blur(channel: 0, sigmas: [0.6, 0.97])
                    $0.blur(channel: 1, sigmas: [0.51, 0.8])
                }
            ),
            ("brightness", { $0.multiply(channel: 1, by: 0.8) }),
            ("contrast", { $0.changeContrast(channel: 1, by: 1.2) }),
            ("low0.63", { $0.lowerResolution(channel: 1, scale: 0.63) }),
            ("low0.5", { $0.lowerResolution(channel: 1, scale: 0.5) }),
            ("low0.97", { $0.lowerResolution(channel: 1, scale: 0.97) }),
            ("gamma0", { $0.applyGamma(channel: 1, 1.37, inverted: false) }),
            ("gamma1", { $0.applyGamma(channel: 1, 1.37, inverted: true) }),
        ]
        try HashedValues.withReference(source) { reference in
            let original = try patch()
            for change in changes {
                var patch = original
                change.apply(&patch)
                #expect(distance(patch.values, try reference.tensor(change.name).values) < 1e-5, "\(change.name)")
                #expect(patch.values != original.values, "\(change.name)")
                #expect(patch.labels == original.labels)
            }
        }
    }

    @Test(arguments: NNUNetReference.sources)
    func mirroringAndTargetsEqualThoseOfBatchgenerators(_ source: NNUNetReference.Source) throws {
        try HashedValues.withReference(source) { reference in
            for (number, axes) in [[0], [1], [0, 1]].enumerated() {
                var patch = try patch()
                patch.mirror(axes: axes)
                #expect(try reference.tensor("mirror\(number).image").values == patch.values)
                #expect(try reference.tensor("mirror\(number).labels").values == patch.labels.map { Float($0) })
            }
            for (number, target) in [[40, 36], [20, 18], [10, 12]].enumerated() {
                let labels = nearestExact(try patch().labels, size: Self.size, to: target)
                #expect(try reference.tensor("downsampled\(number)").values == labels.map { Float($0) })
            }
        }
    }

    @Test(arguments: NNUNetReference.sources)
    func initialPatchesEqualThoseOfNNUNet(_ source: NNUNetReference.Source) throws {
        try HashedValues.withReference(source) { reference in
            let text = try #require(reference.metadata["initial_patches"])
            for pair in try JSONDecoder().decode([[[Int]]].self, from: Data(text.utf8)) {
                var plan = try HashedValues.tinyPlan()
                plan.patchSize = pair[0]
                #expect(Augmentation(plan).initialPatchSize == pair[1], "\(pair[0])")
            }
        }
    }

    /// Each transform happens as often as nnU-Net says, counted over many samples by what it leaves behind.
    @Test func probabilitiesAreThoseOfNNUNet() throws {
        let plan = try HashedValues.tinyPlan()
        let augmentation = Augmentation(plan)
        let size = augmentation.initialPatchSize
        let count = size.reduce(1, *)
        // A ramp for which rotation, scaling and mirroring can be told apart, and a plane for noise.
        let values = (0..<count).map { Float($0 / size[1]) / 10 + 1 } + [Float](repeating: 1, count: count)
        let patch = Patch(channels: 2, size: size, values: values, labels: [Int16](repeating: 0, count: count))
        let trials = 2000
        var noisy = 0
        var flipped = 0
        for step in 0..<trials {
            let result = augmentation(patch, Draws(seed: 11, purpose: .training, step: step))
            let plane = result.values[result.channel(1)]
            let middle = plane[plane.startIndex + 12 * 40 + 12..<plane.startIndex + 12 * 40 + 28]
            if Set(middle).count > 4 { noisy += 1 }
            let column = (0..<24).map { result.values[$0 * 40 + 20] }
            if column[8] > column[16] { flipped += 1 }
        }
        // Five standard deviations of a binomial count. The inverted and plain gamma leave a constant plane as it is.
        func deviations(_ count: Int, _ probability: Double) -> Double {
            let variance = probability * (1 - probability) / Double(trials)
            return abs(Double(count) / Double(trials) - probability) / variance.squareRoot()
        }
        #expect(deviations(noisy, 0.1) < 5)
        #expect(deviations(flipped, 0.5) < 5)
    }

    @Test func oneSeedGivesTheSamePatchAndOthersDoNot() throws {
        let augmentation = Augmentation(try HashedValues.tinyPlan())
        let size = augmentation.initialPatchSize
        let patch = Patch(
            channels: 2, size: size, values: try HashedValues.image(1, [2] + size).values,
            labels: [Int16](repeating: 1, count: size.reduce(1, *)))
        func made(_ seed: UInt64, _ step: Int) -> Patch {
            augmentation(patch, Draws(seed: seed, purpose: .training, step: step))
        }
        #expect(made(1, 4) == made(1, 4))
        #expect((0..<20).contains { made(1, $0) != made(2, $0) })
        #expect((0..<20).contains { made(1, $0) != made(1, $0 + 1) })
        #expect(made(1, 4).size == [24, 40])
        #expect(made(1, 4).labels.allSatisfy { $0 >= 0 })
    }
}
