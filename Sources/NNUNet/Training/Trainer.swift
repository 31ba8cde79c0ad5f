import Foundation
import TensorRuntime

/// Trains the network of a plan as nnU-Net 2.8.1's `nnUNetTrainer` does: stochastic gradient descent with Nesterov momentum 0.99,
/// weight decay 3e-5 and a learning rate of 0.01 that falls to zero, gradients clipped to a norm of 12, Dice and cross entropy
/// with deep supervision, random patches with the default augmentation.
///
/// One seed, plan, budget and number of threads give the same bits, also when a training was interrupted and restored. Not for use
/// from two threads at once.
public final class Trainer {
    /// The plan.
    public let plan: NNUNetPlan
    /// The length of the training.
    public let budget: TrainingBudget
    /// What the epochs so far came to.
    public private(set) var records: [EpochRecord] = []
    /// The network.
    public let network: PlainConvUNet
    let session: GraphSession
    private let optimizer: Optimizer
    private var scheduler: Scheduler?
    private let training: PatchSampler
    private let validation: PatchSampler
    private let augmentation: Augmentation
    private let seed: UInt64

    /// The learning rate of the first epoch.
    public static let learningRate = 0.01
    /// The norm that gradients are clipped to.
    public static let gradientNorm = 12.0
    private static let optimizerRule = OptimizerRule.sgd(
        .init(learningRate: learningRate, momentum: 0.99, weightDecay: 3e-5, nesterov: true))

    /// - Parameters:
    ///   - train: preprocessed training images.
    ///   - validation: preprocessed validation images.
    ///   - seed: of weights, patches and augmentation.
    ///   - threads: of the network and the augmentation; all cores where nil.
    ///   - memoryBudget: bytes; what the system has available where nil.
    ///   - tensors: weights to begin with; new ones from the seed where nil.
    ///
    /// Throws `RuntimeError.insufficientMemory` with the largest batch size that fits when the plan does not, before anything of it
    /// is allocated, and `NNUNetError.unusableDataset` without images of either kind.
    public init(
        plan: NNUNetPlan, train: [PreprocessedCase], validation: [PreprocessedCase], budget: TrainingBudget,
        seed: UInt64, threads: Int? = nil, memoryBudget: Int? = nil, tensors: [String: Tensor]? = nil
    ) throws {
        guard !train.isEmpty, !validation.isEmpty else {
            throw NNUNetError.unusableDataset(
                "\(train.count) training and \(validation.count) validation images are no data set: give some of each")
        }
        (self.plan, self.budget, self.seed) = (plan, budget, seed)
        network = try PlainConvUNet(plan)
        let weights = try tensors ?? network.initialTensors(seed: Draws.mix(seed &+ Draws.Purpose.weights.rawValue))
        session = try GraphSession(
            train: network.train, evaluation: network.evaluation, tensors: weights,
            options: RuntimeOptions(threads: threads, seed: seed, memoryBudget: memoryBudget))
        optimizer = try Optimizer(Self.optimizerRule, parameters: session.parameters)
        let factors = (0..<budget.epochs).map { budget.rateFactor(epoch: $0) }
        scheduler = try Scheduler(.lambda(factors: [factors]), optimizer: optimizer)
        augmentation = Augmentation(plan)
        training = PatchSampler(
            train, classes: plan.classes, size: augmentation.initialPatchSize, finalSize: plan.patchSize,
            batch: plan.batchSize)
        self.validation = PatchSampler(
            validation, classes: plan.classes, size: plan.patchSize, finalSize: plan.patchSize, batch: plan.batchSize)
        try session.requireMemory(train: [plan.batchSize], evaluation: [1], optimizer: optimizer)
    }

    /// What the training takes for good, known before the first step.
    public func memory() throws -> MemoryRequirement {
        try session.memory(train: [plan.batchSize], evaluation: [1], optimizer: optimizer)
    }

    /// Whether all epochs are done.
    public var isFinished: Bool { records.count >= budget.epochs }

    /// The weights now, by nnU-Net's names.
    public func weights() throws -> [String: Tensor] { try session.parameters.state() }

    /// Predicts with the weights as they are at each time.
    public func predictor() -> Predictor { Predictor(plan: plan, network: network, session: session) }

    /// The next epoch: training steps, then validation steps.
    ///
    /// - Parameter progress: is told the step (from 0) and its loss after each training step; what it throws ends the epoch, which
    ///   can then only be begun again from a checkpoint.
    ///
    /// Throws `RuntimeError.notFinite` when the loss or a gradient is no longer a number.
    @discardableResult
    public func runEpoch(progress: (Int, Float) throws -> Void = { _, _ in }) throws -> EpochRecord {
        guard !isFinished else {
            throw NNUNetError.invalidSetting("all \(budget.epochs) epochs of the budget are done: give more epochs")
        }
        let clock = ContinuousClock()
        let start = clock.now
        let epoch = records.count
        let rate = optimizer.learningRates[0]
        var loss = 0.0
        for iteration in 0..<budget.iterations {
            let value = try step(try batch(.training, epoch * budget.iterations + iteration))
            loss += Double(value)
            try progress(iteration, value)
        }
        let trained = clock.now
        let (validationLoss, dice) = try validate(epoch)
        lowerRate()
        let record = EpochRecord(
            epoch: epoch, learningRate: rate, trainLoss: loss / Double(budget.iterations),
            validationLoss: validationLoss, pseudoDice: dice, seconds: seconds(clock.now - start),
            trainingSeconds: seconds(trained - start))
        records.append(record)
        return record
    }

    /// The learning rate of the next epoch.
    func lowerRate() { scheduler?.step(optimizer) }

    /// One training step on a batch; returns its loss.
    func step(_ batch: Batch) throws -> Float {
        let loss = try session.step(batch.inputs)
        try GradientClipping.norm(maximum: Self.gradientNorm).apply(to: session.parameters)
        try optimizer.step(session.parameters)
        return loss
    }

    /// The batch of a step, whatever came before.
    func batch(_ purpose: Draws.Purpose, _ step: Int) throws -> Batch {
        let (training, validation, augmentation, seed) = (self.training, self.validation, self.augmentation, self.seed)
        let patches = concurrently(plan.batchSize, threads: session.options.threads) { sample in
            let draws = Draws(seed: seed, purpose: purpose, step: step, sample: sample)
            return purpose == .training
                ? augmentation(training.patch(sample, draws), draws)
                : validation.patch(sample, draws).withoutOutside
        }
        return try Batch(patches, network)
    }

    private func validate(_ epoch: Int) throws -> (loss: Double, dice: [Double?]) {
        var loss = 0.0
        var overlaps = [ClassOverlap](repeating: ClassOverlap(), count: plan.classes)
        for iteration in 0..<budget.validationIterations {
            let batch = try batch(.validation, epoch * budget.validationIterations + iteration)
            loss += Double(try session.loss(batch.inputs))
            guard let images = batch.inputs["image"], let truth = batch.inputs["target0"] else { continue }
            for sample in 0..<plan.batchSize {
                let logits = try session.predict(["image": images.rows([sample])])
                let predicted = logits.values.largestOfPlanes(plan.classes)
                let labels = try truth.rows([sample]).values.map { Int16($0) }
                for label in 1..<plan.classes {
                    overlaps[label].count(Int16(label), predicted: predicted, truth: labels)
                }
            }
        }
        return (loss / Double(budget.validationIterations), overlaps.dropFirst().map(\.dice))
    }

    private func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}

extension Trainer {
    /// The state after the last whole epoch. Costs a copy of weights and momenta.
    public func checkpoint() throws -> Checkpoint {
        try Checkpoint(
            session, optimizer: optimizer, scheduler: scheduler,
            metadata: [
                "nnunet.run": try runDescription(),
                "nnunet.records": String(decoding: try JSONEncoder().encode(records), as: UTF8.self),
            ])
    }

    /// Goes on from a checkpoint of the same plan, budget and seed.
    ///
    /// Throws `NNUNetError.invalidCheckpoint` for another run's, and changes nothing then.
    public func restore(_ checkpoint: Checkpoint) throws {
        guard checkpoint.metadata["nnunet.run"] == (try runDescription()),
            let text = checkpoint.metadata["nnunet.records"],
            let records = try? JSONDecoder().decode([EpochRecord].self, from: Data(text.utf8)),
            records.count <= budget.epochs
        else {
            throw NNUNetError.invalidCheckpoint(
                "the checkpoint is of a run with another plan, budget or seed: remove it, or run with the old settings")
        }
        try checkpoint.restore(session, optimizer: optimizer, scheduler: &scheduler)
        self.records = records
    }

    private func runDescription() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let budget = String(decoding: try encoder.encode(budget), as: UTF8.self)
        return
            "\(String(decoding: try plan.json(), as: UTF8.self)) classes \(plan.classes) budget \(budget) seed \(seed)"
    }
}

extension [Float] {
    /// Which of `count` planes is the largest at each place; the first of equal ones.
    func largestOfPlanes(_ planes: Int) -> [Int16] {
        let pixels = count / planes
        return (0..<pixels).map { pixel in
            var best = 0
            for plane in 1..<planes where self[plane * pixels + pixel] > self[best * pixels + pixel] { best = plane }
            return Int16(best)
        }
    }
}
