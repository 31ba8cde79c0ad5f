import Foundation
import TensorRuntime
import Testing

@testable import NNUNet

/// The network against nnunetv2's.
@Suite struct NetworkTests {
    /// Every architecture of the generated data sets, with three classes.
    @Test(arguments: NNUNetReference.sources)
    func parameterCountsEqualThoseOfNNUNet(_ source: NNUNetReference.Source) throws {
        try HashedValues.withReference(source) { reference in
            let text = try #require(reference.metadata["parameters"])
            let counts = try JSONDecoder().decode([String: Int].self, from: Data(text.utf8))
            #expect(counts.count >= 12)
            for (name, count) in counts {
                let network = try PlainConvUNet(HashedValues.plan(name))
                let ours = network.parameterShapes.reduce(0) { $0 + $1.shape.reduce(1, *) }
                #expect(ours == count, "\(name)")
            }
        }
    }

    /// All heads, from the same weights and images; strides and kernels that differ by axis included.
    @Test(arguments: NNUNetReference.sources, ["tiny", "square"])
    func outputsEqualThoseOfNNUNet(_ source: NNUNetReference.Source, _ name: String) throws {
        try HashedValues.withReference(source) { reference in
            let network = try HashedValues.network(name)
            let weights = try HashedValues.weights(network)
            try compare(network, weights, reference, "\(name).head")
        }
    }

    /// nnunetv2's own initial weights, exchanged as safetensors.
    @Test(.enabled(if: NNUNetReference.interpreter != nil))
    func weightsOfNNUNetCanBeRead() throws {
        try HashedValues.withReference(.live) { reference in
            let network = try HashedValues.network("square")
            var weights: [String: Tensor] = [:]
            for (name, tensor) in try reference.tensors() where name.hasPrefix("weights/") {
                weights[String(name.dropFirst(8))] = tensor
            }
            #expect(Set(weights.keys) == Set(network.parameterShapes.map(\.name)))
            try compare(network, weights, reference, "own.head")
        }
    }

    private func compare(
        _ network: PlainConvUNet, _ weights: [String: Tensor], _ reference: SafeTensors, _ prefix: String
    ) throws {
        let image = try HashedValues.image(1001, [2, 2] + network.patchSize)
        for head in 0..<network.heads {
            let session = try GraphSession(
                train: nil, evaluation: network.evaluation(head: head), tensors: weights,
                options: RuntimeOptions(threads: 2))
            let ours = try session.predict(["image": image])
            let theirs = try reference.tensor("\(prefix)\(head)")
            #expect(ours.shape == theirs.shape)
            #expect(distance(ours.values, theirs.values) < 1e-4, "head \(head)")
        }
    }

    /// Variance 2 / ((1 + 0.01²) fan in), biases of zero, norms the identity; one seed gives the same bits.
    @Test func initialWeightsFollowHe() throws {
        let network = try HashedValues.network("square")
        let weights = try network.initialTensors(seed: 5)
        #expect(try network.initialTensors(seed: 5) == weights)
        #expect(try network.initialTensors(seed: 6) != weights)
        for (name, shape) in network.parameterShapes {
            let values = try #require(weights[name]).values.map { Double($0) }
            guard shape.count > 1 else {
                #expect(values.allSatisfy { $0 == (name.hasSuffix("norm.weight") ? 1 : 0) })
                continue
            }
            guard values.count > 5000 else { continue }
            let expected = 2 / (1.0001 * Double(shape.dropFirst().reduce(1, *)))
            let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
            // Six standard errors of a variance of so many normal numbers.
            #expect(abs(variance / expected - 1) < 6 * (2 / Double(values.count)).squareRoot(), "\(name)")
        }
    }

    @Test func headsHalveTheirWeightsAndTheLowestHasNone() throws {
        let network = try HashedValues.network("tiny")
        #expect(network.headSizes == [[24, 40], [12, 20], [12, 10]])
        let weights: [Double] = [2.0 / 3, 1.0 / 3, 0]
        #expect(network.headWeights == weights)
    }

    @Test func impossiblePlansAreRefused() throws {
        var plan = try HashedValues.tinyPlan()
        plan.patchSize = [25, 40]
        #expect(
            throws: NNUNetError.invalidPlan(
                "a patch of [25, 40] pixels cannot be halved as the plan says: it must be a multiple of [4, 8]")
        ) { try PlainConvUNet(plan) }
        plan = try HashedValues.tinyPlan()
        plan.classes = 1
        #expect(
            throws: NNUNetError.invalidPlan("the plan contradicts itself in its batch size, classes, channels or axes")
        ) { try PlainConvUNet(plan) }
        #expect(
            throws: NNUNetError.invalidPlan(
                "the lists of the network's stages differ in length, or there is only one stage")
        ) {
            try Architecture(
                features: [8], kernels: [[3, 3]], strides: [[1, 1]], encoderConvolutions: [2], decoderConvolutions: [])
        }
        #expect(
            throws: NNUNetError.invalidPlan(
                "a stage of the network has a kernel, stride or number of channels out of range")
        ) {
            try Architecture(
                features: [8, 0], kernels: [[3, 3], [2, 3]], strides: [[1, 1], [2, 2]], encoderConvolutions: [2, 2],
                decoderConvolutions: [2])
        }
        #expect(
            throws: NNUNetError.invalidPlan(
                "the plan cannot be read: it is no nnUNetPlans.json with a 2d configuration of a PlainConvUNet")
        ) { try NNUNetPlan(json: Data("{}".utf8), classes: 2) }
    }
}
