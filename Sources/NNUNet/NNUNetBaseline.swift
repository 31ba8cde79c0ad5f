import Foundation
import TensorRuntime

/// nnU-Net's 2d configuration from labelled images to masks of held-out ones: fingerprint, plan, preprocessing, training,
/// postprocessing chosen on the validation images, prediction.
///
/// ```swift
/// let baseline = try NNUNetBaseline(
///     train: train, validation: validation, channelNames: ["MRI"], classes: 2, name: "Dataset001_Liver",
///     budget: TrainingBudget(epochs: 2), seed: 1)
/// let result = try baseline.run(test: images, checkpoint: url) { print($0) }
/// ```
///
/// After Isensee et al. 2021 (Nature Methods 18:203) and the behaviour of nnunetv2 2.8.1. What it does not have: folds and
/// ensembles, stacks of slices in training, regions and ignored labels, mixed precision.
public struct NNUNetBaseline: Sendable {
    /// The plan, made from the training and validation images together, as nnU-Net does.
    public let plan: NNUNetPlan
    /// The length of the training.
    public let budget: TrainingBudget
    private let train: [LabelledCase]
    private let validation: [LabelledCase]
    private let seed: UInt64
    private let threads: Int?
    private let memoryBudget: Int?

    /// The fewest images that a plan is made from.
    public static let minimumImages = 5

    /// Plans; costs a pass over all images and `samples` random numbers.
    ///
    /// - Parameters:
    ///   - train: images to learn from.
    ///   - validation: images that choose the postprocessing.
    ///   - channelNames: the names of the channels, which say how they are normalised.
    ///   - classes: classes with the background.
    ///   - name: what the data set is called in the plan.
    ///   - budget: the length of the training.
    ///   - seed: of weights, patches and augmentation.
    ///   - threads: all cores where nil.
    ///   - memoryBudget: bytes; what the system has available where nil.
    ///   - batchSize: in place of the planned one.
    ///   - samples: foreground pixels that the fingerprint draws.
    ///
    /// Throws `NNUNetError.unusableDataset` for fewer than five images, none to train or to validate with, images smaller than the
    /// smallest patch or masks without foreground, `.invalidCase` and `.invalidSetting`.
    public init(
        train: [LabelledCase], validation: [LabelledCase], channelNames: [String], classes: Int, name: String,
        budget: TrainingBudget, seed: UInt64, threads: Int? = nil, memoryBudget: Int? = nil,
        batchSize: Int? = nil, samples: Int = Fingerprint.defaultSamples
    ) throws {
        let cases = (train + validation).sorted { $0.name < $1.name }
        guard cases.count >= Self.minimumImages else {
            throw NNUNetError.unusableDataset(
                "\(cases.count) images are too few for a plan: give at least \(Self.minimumImages)")
        }
        guard !train.isEmpty, !validation.isEmpty else {
            throw NNUNetError.unusableDataset(
                "\(train.count) training and \(validation.count) validation images are no data set: give some of each")
        }
        if let stack = cases.first(where: { $0.image.shape[0] != 1 }) {
            throw NNUNetError.invalidCase(
                "\(stack.name) is a stack of \(stack.image.shape[0]) slices: training takes 2-D images")
        }
        if let other = cases.first(where: { ($0.labels.values.max() ?? 0) >= classes }) {
            throw NNUNetError.invalidCase(
                "\(other.name): its mask has the label \(other.labels.values.max() ?? 0), and there are \(classes) classes "
                    + "from 0")
        }
        guard batchSize.map({ $0 > 0 }) ?? true else {
            throw NNUNetError.invalidSetting("a batch of \(batchSize ?? 0) images is none: give at least 1")
        }
        var plan = try Planner(channelNames: channelNames, classes: classes)
            .plan(Fingerprint(cases, samples: samples), name: name)
        if let batchSize { plan.batchSize = batchSize }
        self.plan = plan
        (self.train, self.validation, self.budget, self.seed) = (train, validation, budget, seed)
        (self.threads, self.memoryBudget) = (threads, memoryBudget)
    }

    /// What happens during a run.
    public enum Event: Sendable, Equatable {
        /// Before the first step: the parameters of the network, and the bytes that training takes.
        case planned(parameters: Int, bytes: Int)
        /// A run that was interrupted goes on after so many epochs.
        case resumed(epochs: Int)
        /// A training step of an epoch, both from 0, and its loss.
        case iteration(epoch: Int, iteration: Int, loss: Float)
        /// A whole epoch.
        case epoch(EpochRecord)
        /// The validation images are predicted, and what is done to masks because of them.
        case postprocessing(Postprocessing)
        /// A held-out image is predicted, by its place in `test`.
        case predicted(Int)
    }

    /// What a run leaves.
    public struct Result: Sendable {
        /// The epochs.
        public var records: [EpochRecord]
        /// Weights by nnU-Net's names.
        public var weights: [String: Tensor]
        /// Mean Dice over the validation images by foreground class, before postprocessing; nil for a class that none has.
        public var validationDice: [Double?]
        /// What was done to the masks.
        public var postprocessing: Postprocessing
        /// Class indices of the held-out images, each on its own grid.
        public var masks: [LabelMap]
        /// The same before postprocessing.
        public var rawMasks: [LabelMap]
        /// What the held-out images took.
        public var inference: InferenceTime
    }

    /// Trains, or goes on training, and predicts.
    ///
    /// - Parameters:
    ///   - test: held-out images.
    ///   - checkpoint: where the state is kept after each epoch; a run of the same plan, budget and seed goes on from there.
    ///   - progress: is told what happens; what it throws ends the run, which goes on from the last whole epoch when run again.
    ///
    /// Memory: the images, their preprocessed copies, and what `Event.planned` says. Throws `RuntimeError.insufficientMemory` with
    /// the largest batch size that fits before training, `NNUNetError.invalidCheckpoint` for another run's, and
    /// `RuntimeError.notFinite` when training diverges.
    public func run(
        test: [CaseImage], checkpoint: URL? = nil, progress: (Event) throws -> Void = { _ in }
    ) throws -> Result {
        let preprocessor = Preprocessor(plan)
        var inference = InferenceTime()
        // Before the training: an image that cannot be used is said at once.
        let held = try inference.measuring(\.aside) {
            try test.enumerated().map { try preprocessor($0.element, name: "held-out image \($0.offset + 1)") }
        }
        let validated = try validation.map { try preprocessor($0) }
        let trainer = try Trainer(
            plan: plan, train: train.map { try preprocessor($0) }, validation: validated, budget: budget, seed: seed,
            threads: threads, memoryBudget: memoryBudget)
        try progress(
            .planned(parameters: trainer.session.parameters.parameterCount, bytes: trainer.memory().total))
        try train(trainer, checkpoint, progress)
        let predictor = trainer.predictor()
        let predictions = try validated.map { try predictor.predict($0) }
        let truth = validation.map(\.labels)
        let postprocessing = Postprocessing(predictions: predictions, truth: truth, classes: plan.classes)
        try progress(.postprocessing(postprocessing))
        var (masks, rawMasks): ([LabelMap], [LabelMap]) = ([], [])
        for (index, image) in held.enumerated() {
            let scores = try inference.measuring(\.network) { try predictor.logits(image) }
            try inference.measuring(\.aside) {
                let mask = try predictor.mask(of: scores, image)
                rawMasks.append(mask)
                masks.append(postprocessing(mask))
            }
            try progress(.predicted(index))
        }
        return Result(
            records: trainer.records, weights: try trainer.weights(),
            validationDice: ClassOverlap.meanDice(predictions, truth, classes: plan.classes),
            postprocessing: postprocessing, masks: masks, rawMasks: rawMasks, inference: inference)
    }

    private func train(_ trainer: Trainer, _ checkpoint: URL?, _ progress: (Event) throws -> Void) throws {
        if let checkpoint, FileManager.default.fileExists(atPath: checkpoint.path) {
            try trainer.restore(Checkpoint(contentsOf: checkpoint))
            try progress(.resumed(epochs: trainer.records.count))
        }
        while !trainer.isFinished {
            let epoch = trainer.records.count
            let record = try trainer.runEpoch {
                try progress(.iteration(epoch: epoch, iteration: $0, loss: $1))
            }
            if let checkpoint { try trainer.checkpoint().write(to: checkpoint) }
            try progress(.epoch(record))
        }
    }
}
