import Foundation

/// How long a training is. nnU-Net's own is 1000 epochs of 250 iterations.
public struct TrainingBudget: Sendable, Equatable, Codable {
    /// Epochs, over which the learning rate falls to zero.
    public var epochs: Int
    /// Training steps of an epoch.
    public var iterations: Int
    /// Validation steps after each epoch.
    public var validationIterations: Int

    /// The numbers of an epoch default to nnU-Net's. Throws `NNUNetError.invalidSetting` for numbers below one.
    public init(epochs: Int, iterations: Int = 250, validationIterations: Int = 50) throws {
        guard epochs > 0, iterations > 0, validationIterations > 0, epochs < 1 << 20, iterations < 1 << 20 else {
            throw NNUNetError.invalidSetting(
                "a budget of \(epochs) epochs of \(iterations) iterations and \(validationIterations) validation "
                    + "iterations is no training: each must be at least one")
        }
        (self.epochs, self.iterations, self.validationIterations) = (epochs, iterations, validationIterations)
    }

    /// Training steps in total.
    public var totalIterations: Int { epochs * iterations }

    /// The learning rate of an epoch (counted from 0) as a share of the first: poly decay with a power of 0.9 (Chen et al. 2018,
    /// "DeepLab", §4.1), constant within an epoch, as nnU-Net's `PolyLRScheduler`.
    public func rateFactor(epoch: Int) -> Double {
        pow(1 - Double(epoch) / Double(epochs), 0.9)
    }
}

/// What an epoch came to.
public struct EpochRecord: Sendable, Equatable, Codable {
    /// Counted from 0.
    public var epoch: Int
    /// The learning rate of the epoch.
    public var learningRate: Double
    /// Mean loss of the training steps.
    public var trainLoss: Double
    /// Mean loss of the validation steps.
    public var validationLoss: Double
    /// Dice of each foreground class over all pixels of the validation patches; nil where they had none of it.
    public var pseudoDice: [Double?]
    /// Wall time, validation included.
    public var seconds: Double
    /// Wall time of the training steps alone.
    public var trainingSeconds: Double

    /// The mean over the classes, nnU-Net's "mean_fg_dice".
    public var meanPseudoDice: Double? { mean(pseudoDice) }
}
