import Foundation
import Metrics
import TensorRuntime

/// Trains a U-Net of the sweep, to the same bits for the same seed and number of threads, also across an interruption.
///
/// After each tenth of the steps the validation images are predicted; the weights with the highest mean Dice are kept (the later ones of
/// equal ones), and all that is needed to go on is written to the checkpoint.
struct UNetTraining {
    let network: SweepNetwork
    let graph: UNetGraph
    let images: SweepImages
    let validation: SweepImages
    let seed: Int
    let steps: Int
    let checkpoint: URL

    private let session: GraphSession
    private let optimizer: Optimizer
    private let order: SampleOrder
    private var best = Best()

    struct Best: Sendable {
        var step = 0
        var dice = -1.0
        var weights: [String: Tensor] = [:]
    }

    /// - Precondition: a network with graphs of its own, which nnU-Net's plan is not.
    init(
        network: SweepNetwork, images: SweepImages, validation: SweepImages, seed: Int, steps: Int, checkpoint: URL,
        threads: Int?
    ) throws {
        guard let graph = network.graph(size: images.size, channels: images.channels) else {
            preconditionFailure("\(network.title) is planned, not drawn")
        }
        (self.network, self.graph, self.images, self.validation) = (network, graph, images, validation)
        (self.seed, self.steps, self.checkpoint) = (seed, steps, checkpoint)
        session = try GraphSession(
            train: graph.train, evaluation: graph.evaluation,
            tensors: graph.initialTensors(seed: UInt64(bitPattern: Int64(seed)) &+ 1),
            options: RuntimeOptions(threads: threads, seed: UInt64(bitPattern: Int64(seed))))
        optimizer = try Optimizer(
            .adam(.init(learningRate: SweepNetwork.learningRate)), parameters: session.parameters)
        order = SampleOrder(count: images.samples.count, batch: SweepNetwork.batchSize, seed: seed)
    }

    var parameters: Int { session.parameters.parameterCount }

    /// Trains to the end and leaves the best weights in place.
    ///
    /// - Parameter progress: Called after each step with the steps done and the loss; what it throws ends the training. Where that is a
    ///   `CancellationError`, the next call goes on from this very step.
    /// - Returns: what the validation chose.
    mutating func run(progress: (_ done: Int, _ loss: Float?) throws -> Void) throws -> Best {
        var step = try resume()
        try progress(step, nil)
        let interval = steps / SweepNetwork.looks
        while step < steps {
            let loss = try session.step(images.batch(order.places(step: step)))
            try optimizer.step(session.parameters)
            step += 1
            if step % interval == 0 {
                try look(step)
                try save(step)
            }
            do {
                try progress(step, loss)
            } catch is CancellationError {
                // Asked to stop, nothing is lost; a tenth of the steps would be.
                if step % interval != 0 { try save(step) }
                throw CancellationError()
            }
        }
        try session.parameters.restore(best.weights)
        return best
    }

    /// Foreground probabilities of images, H W each.
    func predict(_ images: SweepImages) throws -> [[Float]] {
        try images.images.map { image in
            try session.predict([
                "image": Tensor(shape: [1, images.channels, images.size, images.size], values: image)
            ]).values
        }
    }

    private mutating func look(_ step: Int) throws {
        let dice = try zip(predict(validation), validation.masks).map { probability, mask in
            try ConfusionCounts(predicted: probability.map { $0 > 0.5 }, truth: mask.map { $0 > 0.5 }).dice
        }
        let mean = dice.reduce(0, +) / Double(dice.count)
        if mean >= best.dice { best = Best(step: step, dice: mean, weights: try session.parameters.state()) }
    }

    private func save(_ step: Int) throws {
        var saved = try Checkpoint(
            session, optimizer: optimizer,
            metadata: [
                "sweep.run": description, "sweep.step": "\(step)", "sweep.best.step": "\(best.step)",
                "sweep.best.dice": String(best.dice.bitPattern, radix: 16),
            ])
        for (name, tensor) in best.weights { saved.tensors["best/\(name)"] = tensor }
        try saved.write(to: checkpoint)
    }

    /// The steps that a checkpoint of the same training has behind it; 0 where there is none, or one of another training.
    private mutating func resume() throws -> Int {
        guard let saved = try? Checkpoint(contentsOf: checkpoint), saved.metadata["sweep.run"] == description,
            let step = saved.metadata["sweep.step"].flatMap({ Int($0) }), (1...steps).contains(step),
            let bestStep = saved.metadata["sweep.best.step"].flatMap({ Int($0) }),
            let bits = saved.metadata["sweep.best.dice"].flatMap({ UInt64($0, radix: 16) })
        else { return 0 }
        try saved.restore(session, optimizer: optimizer)
        best = Best(step: bestStep, dice: Double(bitPattern: bits), weights: saved.part("best/"))
        return step
    }

    /// Tells one training from every other.
    private var description: String {
        "\(network.rawValue) \(network.recipe) seed \(seed) steps \(steps) size \(images.size) of "
            + (images.samples + validation.samples).joined(separator: " ")
    }
}
