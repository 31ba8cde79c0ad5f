import Foundation

/// What the helper inside the sandbox saw of a check run, and the artefacts alone cannot tell.
///
/// The helper writes it as JSON to `/out/.llmbench/observation.json` (see `relativePath`), at the latest when the program ends,
/// with exactly the names below; a field that was not seen is left out or `null`. The file passes through a folder that the
/// generated program may write to: it is a statement to check against the artefacts, never a proof.
///
/// ```json
/// {"default_epochs": 40, "train_batches": 4, "validation_batches": 1, "test_batches": 1,
///  "train_samples": 25, "validation_samples": 3, "test_samples": 4, "batch_size": 8}
/// ```
public struct ContractObservation: Sendable, Hashable, Codable {
    /// Where the helper leaves it, below the folder of `--out`.
    public static let relativePath = ".llmbench/observation.json"

    /// The default of `--epochs`, seen by wrapping argparse.
    public var defaultEpochs: Int?
    /// Batches of one pass over each part.
    public var trainBatches: Int?
    public var validationBatches: Int?
    public var testBatches: Int?
    /// Samples of each part, from the length of the datasets behind the loaders.
    public var trainSamples: Int?
    public var validationSamples: Int?
    public var testSamples: Int?
    /// The batch size of the loaders, where they agree.
    public var batchSize: Int?

    public init(
        defaultEpochs: Int? = nil, trainBatches: Int? = nil, validationBatches: Int? = nil, testBatches: Int? = nil,
        trainSamples: Int? = nil, validationSamples: Int? = nil, testSamples: Int? = nil, batchSize: Int? = nil
    ) {
        self.defaultEpochs = defaultEpochs
        self.trainBatches = trainBatches
        self.validationBatches = validationBatches
        self.testBatches = testBatches
        self.trainSamples = trainSamples
        self.validationSamples = validationSamples
        self.testSamples = testSamples
        self.batchSize = batchSize
    }

    enum CodingKeys: String, CodingKey {
        case defaultEpochs = "default_epochs"
        case trainBatches = "train_batches"
        case validationBatches = "validation_batches"
        case testBatches = "test_batches"
        case trainSamples = "train_samples"
        case validationSamples = "validation_samples"
        case testSamples = "test_samples"
        case batchSize = "batch_size"
    }
}
