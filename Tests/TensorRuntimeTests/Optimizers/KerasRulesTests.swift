import Foundation
import TensorRuntime
import Testing

/// Where Keras computes otherwise than PyTorch, held against Keras itself: `Tests/Fixtures/runtime/keras_reference.py` made the values.
@Suite("Keras' own rules")
struct KerasRulesTests {
    private struct Reference: Decodable {
        var start: [Float]
        var gradients: [[Float]]
        var optimizers: [String: [Float]]
        var batches: [[Float]]
        var mean: [Float]
        var variance: [Float]
    }

    private func reference() throws -> Reference {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/runtime/keras.json")
        return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file))
    }

    @Test("ε before the correction of the bias, and ε below the root, are where Keras puts them")
    func optimizers() throws {
        let reference = try reference()
        let rules: [String: OptimizerRule] = [
            "Adam": .adam(.init(learningRate: 0.01, epsilon: 1e-7, epsilonHat: true)),
            "AdamW": .adamW(.init(learningRate: 0.01, epsilon: 1e-7, weightDecay: 0.1, epsilonHat: true)),
            "RMSprop": .rmsProp(.init(learningRate: 0.01, alpha: 0.8, epsilon: 1e-7, epsilonInRoot: true)),
            "RMSprop centered": .rmsProp(
                .init(learningRate: 0.01, alpha: 0.8, epsilon: 1e-7, centered: true, epsilonInRoot: true)),
        ]
        for (name, rule) in rules {
            let store = try ParameterStore(parameters: ["w": Tensor(shape: [6], values: reference.start)])
            let optimizer = try Optimizer(rule, parameters: store)
            for gradient in reference.gradients {
                try store.setGradient("w", to: Tensor(shape: [6], values: gradient))
                try optimizer.step(store)
            }
            let wanted = try #require(reference.optimizers[name])
            let error = relativeError(try store.tensor("w").values, wanted)
            #expect(error < 1e-6, "\(name)")
        }
    }

    @Test("a running variance that is not made unbiased is the one of Keras")
    func runningVariance() throws {
        let reference = try reference()
        func running(_ attributes: [String: AttributeValue]) throws -> (mean: [Float], variance: [Float]) {
            let graph = Graph(
                kind: .train, batch: 2,
                values: [
                    .init(id: 0, shape: [.batch(1), .fixed(2), .fixed(2), .fixed(1)]),
                    .init(id: 1, shape: [.fixed(2)]), .init(id: 2, shape: [.fixed(2)]),
                    .init(id: 3, shape: [.fixed(2)]),
                    .init(id: 4, shape: [.batch(1), .fixed(2), .fixed(2), .fixed(1)]), .init(id: 5, shape: []),
                ],
                inputs: [.init(value: 0, name: "image")], parameters: [.init(value: 1, name: "gamma")],
                buffers: [.init(value: 2, name: "mean"), .init(value: 3, name: "variance")],
                nodes: [
                    .init(
                        op: "batch_norm", inputs: [0, 1, nil, 2, 3], outputs: [4],
                        attributes: attributes.merging(["training": true, "momentum": 0.1, "eps": 1e-3]) { $1 }),
                    .init(op: "sum", inputs: [4], outputs: [5], attributes: ["axes": [], "keepdim": false]),
                ], outputs: GraphOutputs(loss: 5))
            let ones = try Tensor(shape: [2], repeating: 1)
            let session = try GraphSession(
                train: graph, evaluation: nil,
                tensors: ["gamma": ones, "mean": Tensor(shape: [2], repeating: 0), "variance": ones],
                options: RuntimeOptions(threads: 1))
            for batch in reference.batches {
                _ = try session.step(["image": Tensor(shape: [2, 2, 2, 1], values: batch)])
            }
            return (
                try session.parameters.tensor("mean").values, try session.parameters.tensor("variance").values
            )
        }
        let keras = try running(["running_variance": "biased"])
        #expect(relativeError(keras.mean, reference.mean) < 1e-6)
        #expect(relativeError(keras.variance, reference.variance) < 1e-6)
        #expect(relativeError(try running([:]).variance, reference.variance) > 0.01, "PyTorch's is another")
        #expect(throws: RuntimeError.self) { try running(["running_variance": "median"]) }
    }
}
