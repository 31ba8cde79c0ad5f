/// A language model of the published study.
public struct PublishedModel: Sendable, Hashable {
    public var id: String
    public var name: String
    public var vendor: String
    /// The year it was evaluated in: 2024 or 2025.
    public var cohort: Int
    public var isReasoning: Bool
    public var hasOpenWeights: Bool
}

/// What a model wrote and chose.
public struct PublishedArchitecture: Sendable, Hashable {
    /// Of `PublishedModel`.
    public var id: String
    public var batchSize: Int
    public var epochs: Int
    public var optimizer: String
    public var learningRate: Double
    public var weightDecay: Double
    public var loss: String
    /// Pixels a side.
    public var imageSize: Int
    public var encoderStages: Int
    public var decoderStages: Int
    public var convolutionBlock: String
    public var bottleneckChannels: Int
    public var encoderChannels: [Int]
    public var decoderChannels: [Int]
    public var trainableParameters: Int
    /// In seconds.
    public var meanTrainingTime: Double
}

/// The mean test Dice of one model that the source does not name.
public struct PublishedTestDice: Sendable, Hashable {
    public var dataset: String
    public var cohort: Int
    /// Position in the published list, from 1.
    public var rank: Int
    public var dice: Double
}

/// One row of the source's table 3.
public struct PublishedComparison: Sendable, Hashable {
    public var dataset: String
    public var median2024: Double
    public var quartiles2024: ClosedRange<Double>
    public var median2025: Double
    public var quartiles2025: ClosedRange<Double>
    public var difference: Double
    /// Of 2025.
    public var u: Double
    /// One-sided: 2025 above 2024.
    public var p: Double
    public var isSignificant: Bool
}

/// A pooled comparison of the source's figure 8.
public struct PublishedPooledComparison: Sendable, Hashable {
    /// `caption` or `text`.
    public var source: String
    public var comparison: String
    public var split: String
    public var u: Double
    public var p: Double
}

/// One of ten repeats.
public struct PublishedRepeat: Sendable, Hashable {
    /// Of `PublishedModel`.
    public var id: String
    /// From 1.
    public var run: Int
    public var batchSize: Int
    public var epochs: Int
    public var learningRate: Double
    public var loss: String
    public var encoderStages: Int
    public var decoderStages: Int
    public var trainableParameters: Int
    /// In seconds.
    public var trainingTime: Double
    /// Classes of the errors on the way.
    public var errors: [String]
}

/// Dice of a method with a number of labels; 0 is training-free.
public struct PublishedLabelBudget: Sendable, Hashable {
    public var report: String
    public var dataset: String
    public var modality: String
    public var method: String
    public var labels: Int
    public var dice: Double
}

/// One metric of one system on one glioma task.
public struct PublishedGliomaResult: Sendable, Hashable {
    public var task: String
    public var system: String
    public var metric: String
    /// A share in [0, 1]; distances in pixels or millimetres, counts as they are.
    public var value: Double
}
