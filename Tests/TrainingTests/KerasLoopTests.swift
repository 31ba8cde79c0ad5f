import Foundation
import TensorRuntime
import Testing

@testable import Training

/// What the helper writes about Keras' optimizers and callbacks, held against what Keras does:
/// `Tests/Fixtures/runtime/keras_loop_reference.py` made the values.
@Suite("The loop of a Keras pipeline")
struct KerasLoopTests {
    private struct Reference: Decodable {
        struct Trained: Decodable {
            var described: TrainingLoop.OptimizerDescription
            var clip: TrainingLoop.GradientClip?
            var weights: [String: [Float]]
        }

        struct Plateau: Decodable {
            var scheduler: [String: AttributeValue]
            var values: [Double]
            /// After each epoch.
            var rates: [Double]
        }

        struct Stop: Decodable {
            var stopping: TrainingLoop.EarlyStopping
            var best: TrainingLoop.EvaluatedWeights
            var values: [Double]
            var ended: Int?
            var bestEpoch: Int
        }

        var starts: [String: [Float]]
        var gradients: [[String: [Float]]]
        var optimizers: [Trained]
        var plateaus: [Plateau]
        var stops: [Stop]
    }

    private let reference: Reference

    init() throws {
        let file = DiscWorkspace.fixtures.appending(path: "runtime/keras_loop.json")
        reference = try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file))
    }

    /// A loop with what one test needs of it.
    private func loop(_ change: (inout TrainingLoop) -> Void) throws -> TrainingLoop {
        var loop = try TrainingLoop(
            json: Data(
                """
                {"schema": 1, "capturable": true, "refusals": [], "stochastic_data": false,
                 "metrics": [{"monitor": "validation_metric_1", "name": "val_dice", "mean": "batches"}]}
                """.utf8))
        change(&loop)
        return loop
    }

    private func parameters() throws -> ParameterStore {
        try ParameterStore(parameters: reference.starts.mapValues { try Tensor(shape: [$0.count], values: $0) })
    }

    @Test("moves weights as Keras' optimizers do, with Keras' clipping")
    func optimizers() throws {
        #expect(reference.optimizers.count == 10)
        for wanted in reference.optimizers {
            let loop = try loop { ($0.optimizer, $0.gradientClip) = (wanted.described, wanted.clip) }
            let store = try parameters()
            let (optimizer, clipping) = (try loop.makeOptimizer(store), try loop.makeClipping())
            for gradients in reference.gradients {
                for (name, values) in gradients {
                    try store.setGradient(name, to: Tensor(shape: [values.count], values: values))
                }
                try clipping?.apply(to: store)
                try optimizer.step(store)
            }
            for (name, values) in wanted.weights {
                let found = try store.tensor(name).values
                let error = zip(found, values).map { abs($0 - $1) }.max() ?? .infinity
                #expect(error <= 2e-6, "\(wanted.described.name), \(wanted.clip?.kind ?? "not clipped"): \(name)")
            }
        }
    }

    @Test("refuses to clip each gradient to no norm at all")
    func clippingToNothing() throws {
        let clip = #"{"kind": "norm_each", "max": 0}"#
        let loop = try loop {
            $0.gradientClip = try? JSONDecoder().decode(TrainingLoop.GradientClip.self, from: Data(clip.utf8))
        }
        #expect(throws: TrainingError.self) { try loop.makeClipping() }
    }

    @Test("lowers the rate in the epochs in which Keras' ReduceLROnPlateau does, cooldowns included")
    func plateaus() throws {
        #expect(reference.plateaus.count == 40)
        for plateau in reference.plateaus {
            let loop = try loop {
                $0.optimizer = .init(name: "SGD", groups: [["lr": 0.1, "parameters": .list([.string("a")])]])
                $0.scheduler = plateau.scheduler
            }
            let optimizer = try loop.makeOptimizer(parameters())
            let (made, when) = try loop.makeScheduler(optimizer)
            #expect(when == "metric:validation_metric_1")
            var scheduler = try #require(made)
            var rates: [Double] = []
            for value in plateau.values {
                scheduler.step(optimizer, metric: value)
                rates.append(optimizer.learningRates[0])
            }
            let differences = zip(rates, plateau.rates).map { abs($0 - $1) }
            // Keras holds the rate in single precision.
            #expect(differences.allSatisfy { $0 <= 1e-7 }, "\(plateau.scheduler)")
        }
    }

    @Test("ends in the epoch in which Keras' EarlyStopping does, and keeps the weights of the same one")
    func stopping() throws {
        #expect(reference.stops.count == 40 && reference.stops.contains { $0.ended != nil })
        for wanted in reference.stops {
            let loop = try loop { ($0.earlyStopping, $0.evaluatedWeights) = (wanted.stopping, wanted.best) }
            var (stop, patience) = try #require(try loop.stopping())
            var best = try #require(try loop.bestWeights())
            var ended: Int?
            for (index, value) in wanted.values.enumerated() where ended == nil {
                _ = best.observe(value, epoch: index + 1)
                _ = stop.observe(value, epoch: index + 1)
                if stop.waited >= max(1, patience) { ended = index + 1 }
            }
            #expect(ended == wanted.ended)
            #expect(best.bestEpoch == wanted.bestEpoch)
        }
    }

    @Test("measures what it watches: by batches, or weighted by their items")
    func metrics() throws {
        let place = try DiscWorkspace()
        let folder = place.directory.capture
        func epochs(_ loss: String, _ metric: String) throws -> [EpochResult] {
            var capture = SyntheticCapture(in: folder)
            capture.pipeline = [
                "loss_mean": loss,
                "metrics": [["monitor": "validation_metric_1", "name": "val_loss", "mean": metric]],
                "early_stopping": ["monitor": "validation_metric_1", "mode": "max", "patience": 1]
                    as [String: any Sendable],
            ]
            try capture.write()
            #expect(throws: TrainingError.self, "a metric without its graph") { try CapturedPipeline(folder: folder) }
            let graph = folder.appending(path: "metric-graph-1.json")
            defer { try? FileManager.default.removeItem(at: graph) }
            try FileManager.default.copyItem(at: folder.appending(path: "train-graph.json"), to: graph)
            let checkpoints = place.folder.url.appending(path: "\(loss)-\(metric)")
            let trainer = try SwiftTrainer(
                CapturedPipeline(folder: folder), options: .test(epochs: 4), folder: checkpoints)
            return try trainer.train().history
        }
        // Seven images in batches of four: the last has three.
        let batches = try epochs("batches", "batches")
        #expect(batches.allSatisfy { $0.metrics?["validation_metric_1"] == $0.validationLoss })
        #expect(batches.count < 4, "a loss that falls is no rise: the training ends")
        let samples = try epochs("samples", "samples")
        #expect(samples.allSatisfy { $0.metrics?["validation_metric_1"] == $0.validationLoss })
        let mixed = try epochs("batches", "samples")
        #expect(mixed.map(\.validationLoss) == batches.map(\.validationLoss))
        #expect(mixed.first?.metrics?["validation_metric_1"] == samples.first?.validationLoss)
        #expect(mixed.first?.validationLoss != samples.first?.validationLoss)
        #expect(samples.first?.trainLoss != batches.first?.trainLoss, "24 images in batches of five")
    }

    @Test("that watches a metric without a graph is refused")
    func unknownMonitors() throws {
        let strange = try loop {
            $0.scheduler = ["name": "ReduceLROnPlateau", "when": "metric:validation_metric_2"]
            $0.optimizer = .init(name: "SGD", groups: [["lr": 0.1, "parameters": .list([.string("a")])]])
        }
        let optimizer = try strange.makeOptimizer(parameters())
        #expect(throws: TrainingError.self) { try strange.makeScheduler(optimizer) }
        let misnamed = """
            {"schema": 1, "capturable": true, "refusals": [], "stochastic_data": false,
             "metrics": [{"monitor": "../../metric", "name": "val_dice", "mean": "batches"}]}
            """
        #expect(throws: TrainingError.self) { try TrainingLoop(json: Data(misnamed.utf8)) }
    }
}
