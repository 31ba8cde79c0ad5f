/// How a training went on the pipeline's own validation part: nothing of held-out images.
public struct ValidationSummary: Sendable, Hashable {
    public struct Epoch: Sendable, Hashable {
        /// Counts from 1.
        public var epoch: Int
        public var trainLoss: Double?
        public var validationLoss: Double?
        /// Mean over the validation batches; nil where the epoch was not validated.
        public var dice: Double?
    }

    public var epochs: [Epoch]
    /// The epoch whose weights are kept.
    public var keptEpoch: Int
    /// Mean Dice of the validation batches with those weights.
    public var dice: Double

    /// Nil where the epoch that is kept was not validated.
    ///
    /// - Parameter batches: of all epochs.
    public init?(_ training: TrainingRecord, epochs records: [EpochRecord], batches: [ValidationBatchRecord]) {
        let scores = Dictionary(grouping: batches, by: \.epoch).mapValues { batches in
            batches.reduce(0) { $0 + $1.dice } / Double(batches.count)
        }
        epochs = records.sorted { $0.epoch < $1.epoch }.map {
            Epoch(
                epoch: $0.epoch, trainLoss: $0.trainLoss, validationLoss: $0.validationLoss, dice: scores[$0.epoch])
        }
        guard let kept = training.bestEpoch ?? epochs.last?.epoch, let dice = scores[kept], dice.isFinite else {
            return nil
        }
        (keptEpoch, self.dice) = (kept, dice)
    }
}

extension ResultStore {
    /// - Returns: nil where the training is not at its end, or has no validation scores of the epoch that it keeps.
    /// - Complexity: two queries.
    public func validation(of training: TrainingRecord) throws -> ValidationSummary? {
        guard let id = training.id, [.trained, .evaluated].contains(training.status) else { return nil }
        return ValidationSummary(
            training, epochs: try epochs(training: id), batches: try validationBatches(training: id))
    }
}
