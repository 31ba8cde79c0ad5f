/// What one epoch left behind.
public struct EpochResult: Sendable, Hashable, Codable {
    /// Counts from 1.
    public var epoch: Int
    /// The pipeline's own loss, mean over the training batches of the epoch.
    public var trainLoss: Double
    /// The pipeline's own loss in evaluation mode, mean over the validation batches; nil without validation data.
    public var validationLoss: Double?
    /// Binary cross-entropy of the predicted probability, mean over all pixels of the validation part: the same measure
    /// for every pipeline, so that curves of different losses can be averaged.
    public var commonBCE: Double?
    /// Soft Dice of the predicted probability, mean over the images of the validation part.
    public var commonSoftDice: Double?
    /// Mean Dice of the images of each validation batch.
    public var validationDice: [Double]
    /// What else the loop watches, by its monitor: see `TrainingLoop.Metric`.
    public var metrics: [String: Double]?
    /// Learning rate of each parameter group while the epoch ran.
    public var learningRates: [Double]
    /// Seconds, training and validation together.
    public var seconds: Double

    public init(
        epoch: Int, trainLoss: Double, validationLoss: Double? = nil, commonBCE: Double? = nil,
        commonSoftDice: Double? = nil, validationDice: [Double] = [], learningRates: [Double] = [], seconds: Double
    ) {
        self.epoch = epoch
        self.trainLoss = trainLoss
        self.validationLoss = validationLoss
        self.commonBCE = commonBCE
        self.commonSoftDice = commonSoftDice
        self.validationDice = validationDice
        self.learningRates = learningRates
        self.seconds = seconds
    }

    /// Mean over the validation batches, which is how the pipelines report it.
    public var meanValidationDice: Double? {
        validationDice.isEmpty ? nil : validationDice.reduce(0, +) / Double(validationDice.count)
    }

    /// The value that early stopping, best-weight restore or a scheduler looks at.
    public func value(of monitor: String) -> Double? {
        switch monitor {
        case "train_loss": trainLoss
        case "validation_loss": validationLoss
        case "validation_dice": meanValidationDice
        default: metrics?[monitor]
        }
    }
}

/// Keeps the best value seen of a monitored quantity: for early stopping and for best weights.
public struct Monitor: Sendable, Hashable, Codable {
    public enum Mode: String, Sendable, Hashable, Codable {
        case min, max
    }

    public let monitor: String
    public let mode: Mode
    /// By how much a value must be better to count.
    public let minDelta: Double
    public private(set) var best: Double?
    public private(set) var bestEpoch: Int?
    /// Epochs since the best one.
    public private(set) var waited = 0

    public init(monitor: String, mode: Mode, minDelta: Double = 0) {
        self.monitor = monitor
        self.mode = mode
        self.minDelta = minDelta
    }

    /// Takes the epoch's value and tells whether it is the best so far. A value that is no number never is.
    public mutating func observe(_ value: Double?, epoch: Int) -> Bool {
        guard let value, !value.isNaN else {
            waited += 1
            return false
        }
        let better: Bool =
            switch (best, mode) {
            case (nil, _): true
            case (let best?, .min): value < best - minDelta
            case (let best?, .max): value > best + minDelta
            }
        if better {
            best = value
            bestEpoch = epoch
            waited = 0
        } else {
            waited += 1
        }
        return better
    }
}
