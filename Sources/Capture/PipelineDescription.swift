import Foundation

/// `pipeline.json`: the loop around the captured step, the data as the model saw it, and the facts. See
/// `Documentation/GraphFormat.md`.
public struct PipelineDescription: Sendable, Hashable, Codable {
    public var schema: Int
    /// Whether graphs and loop can be trained without the generated code.
    public var capturable: Bool
    /// One line for each thing that the format cannot hold.
    public var refusals: [String]
    /// What was assumed where the run did not tell.
    public var notes: [String]?
    /// Two readings of an item differed.
    public var stochasticData: Bool?
    public var optimizer: OptimizerDescription?
    public var scheduler: SchedulerDescription?
    public var gradientClip: GradientClip?
    /// Batches whose gradients are summed before a step.
    public var accumulation: Int?
    public var mixedPrecision: Bool?
    public var earlyStopping: EarlyStopping?
    public var evaluatedWeights: EvaluatedWeights?
    /// What the loop watches on the validation data beside the loss.
    public var metrics: [Metric]?
    public var batchSize: Int?
    public var validationBatchSize: Int?
    public var testBatchSize: Int?
    public var dropLast: Bool?
    public var shuffle: Bool?
    public var epochs: Int?
    /// What the pipeline would have chosen: the default of its `--epochs`.
    public var ownEpochs: Int?
    public var seed: Int?
    public var inputs: [Input]?
    public var split: Split?
    public var facts: PipelineFacts?
    /// How well the graphs reproduce what was recorded.
    public var checks: Checks?

    /// Which item of the dataset's tuple (or dictionary) an input of the graph is.
    public struct Input: Sendable, Hashable, Codable {
        public var name: String
        public var item: Item?
    }

    public enum Item: Sendable, Hashable, Codable {
        case index(Int)
        case key(String)

        public init(from decoder: Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let index = try? container.decode(Int.self) {
                self = .index(index)
            } else {
                self = .key(try container.decode(String.self))
            }
        }

        public func encode(to encoder: Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .index(let index): try container.encode(index)
            case .key(let key): try container.encode(key)
            }
        }
    }

    /// Sample ids in the order of each part; a sample whose file was not learnt is nil.
    public struct Split: Sendable, Hashable, Codable {
        public var train: [String?]?
        public var validation: [String?]?
        public var test: [String?]?
    }

    /// A mean over the validation data, whose graph lies beside the others.
    public struct Metric: Sendable, Hashable, Codable {
        /// `validation_metric_N`.
        public var monitor: String
        /// What the pipeline calls it.
        public var name: String
        /// `batches` or `samples`: what counts once.
        public var mean: String
    }

    public struct GradientClip: Sendable, Hashable, Codable {
        /// `norm`, `value`, or `norm_each` (of each parameter on its own).
        public var kind: String
        public var max: Double
        /// 2 unless the pipeline chose another; infinity is written as the word `inf` and read as such.
        public var normType: Double?

        enum CodingKeys: String, CodingKey {
            case kind, max
            case normType = "norm_type"
        }

        public init(kind: String, max: Double, normType: Double? = nil) {
            (self.kind, self.max, self.normType) = (kind, max, normType)
        }

        public init(from decoder: Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            kind = try container.decode(String.self, forKey: .kind)
            max = try container.decode(Double.self, forKey: .max)
            if let word = try? container.decode(String.self, forKey: .normType) {
                guard word == "inf" else {
                    throw DecodingError.dataCorruptedError(
                        forKey: .normType, in: container, debugDescription: "a norm called \(word)")
                }
                normType = .infinity
            } else {
                normType = try container.decodeIfPresent(Double.self, forKey: .normType)
            }
        }

        public func encode(to encoder: Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(kind, forKey: .kind)
            try container.encode(max, forKey: .max)
            if normType == .infinity {
                try container.encode("inf", forKey: .normType)
            } else {
                try container.encodeIfPresent(normType, forKey: .normType)
            }
        }
    }

    public struct EarlyStopping: Sendable, Hashable, Codable {
        public var monitor: String
        public var mode: String
        /// Epochs without an improvement after which the loop ends.
        public var patience: Int
        public var minDelta: Double?

        enum CodingKeys: String, CodingKey {
            case monitor, mode, patience
            case minDelta = "min_delta"
        }
    }

    public struct EvaluatedWeights: Sendable, Hashable, Codable {
        /// `last` or `best`.
        public var kind: String
        public var monitor: String?
        public var mode: String?
    }

    public struct Checks: Sendable, Hashable, Codable {
        /// Largest relative difference between a recorded loss and the graph's.
        public var trainLossRelativeDifference: Double?
        /// Largest absolute difference between recorded probabilities and the graph's.
        public var probabilityLargestDifference: Double?

        enum CodingKeys: String, CodingKey {
            case trainLossRelativeDifference = "train_loss_relative_difference"
            case probabilityLargestDifference = "probability_largest_difference"
        }
    }

    enum CodingKeys: String, CodingKey {
        case schema, capturable, refusals, notes, optimizer, scheduler, accumulation, shuffle, epochs, seed, inputs,
            split,
            facts, checks, metrics
        case stochasticData = "stochastic_data"
        case gradientClip = "gradient_clip"
        case mixedPrecision = "mixed_precision"
        case earlyStopping = "early_stopping"
        case ownEpochs = "own_epochs"
        case evaluatedWeights = "evaluated_weights"
        case batchSize = "batch_size"
        case validationBatchSize = "validation_batch_size"
        case testBatchSize = "test_batch_size"
        case dropLast = "drop_last"
    }

    /// Reads a description; at most 16 MiB.
    ///
    /// - Throws: `CaptureError.badRecord`.
    public init(json: Data) throws(CaptureError) {
        guard json.count <= 16 << 20 else {
            throw .badRecord(file: "pipeline.json", reason: "it has \(json.count) bytes, more than 16 MiB")
        }
        do {
            self = try JSONDecoder().decode(PipelineDescription.self, from: json)
        } catch {
            throw .badRecord(file: "pipeline.json", reason: "it is not of the expected form")
        }
        guard schema == 1 else {
            throw .badRecord(file: "pipeline.json", reason: "its schema \(schema) is not known here")
        }
    }
}

/// An optimizer by PyTorch's class name, with its groups of parameters.
public struct OptimizerDescription: Sendable, Hashable, Codable {
    public struct Group: Sendable, Hashable, Codable {
        public var lr: Double
        public var weightDecay: Double?
        public var betas: [Double]?
        public var eps: Double?
        public var amsgrad: Bool?
        public var momentum: Double?
        public var dampening: Double?
        public var nesterov: Bool?
        public var alpha: Double?
        public var centered: Bool?
        /// Qualified names of the parameters it updates.
        public var parameters: [String]

        enum CodingKeys: String, CodingKey {
            case lr, betas, eps, amsgrad, momentum, dampening, nesterov, alpha, centered, parameters
            case weightDecay = "weight_decay"
        }
    }

    /// One of `OptimizerRule.names`.
    public var name: String
    public var groups: [Group]
}

/// A learning-rate scheduler by PyTorch's class name.
public struct SchedulerDescription: Sendable, Hashable, Codable {
    public var name: String
    /// `batch`, `epoch`, `metric:validation_loss` or `metric:validation_dice`.
    public var when: String
}

/// What a pipeline chose, told from its graph, loaders and data; what could not be told is nil.
public struct PipelineFacts: Sendable, Hashable, Codable {
    public var modelClass: String?
    public var trainableParameters: Int?
    public var encoderStages: Int?
    public var decoderStages: Int?
    public var encoderChannels: [Int]?
    public var decoderChannels: [Int]?
    public var bottleneckChannels: Int?
    /// Such as `(Conv-BN-ReLU)x2`.
    public var convBlock: String?
    public var normalization: String?
    public var upsampling: String?
    public var skip: String?
    public var finalLayer: String?
    public var outputActivation: String?
    public var loss: String?
    public var imageSize: [Int]?
    public var channels: Int?
    public var loaderWorkers: Int?
    public var augmentation: String?
    public var resize: String?
    public var maskResize: String?
    public var normalizationOfImages: String?
    /// The function that divided the samples, `own` where none that is known was called.
    public var splitMethod: String?
    public var splitSeed: Int?
    public var splitSizes: [Int]?
    /// What became of the channels of the files, such as `colour to grey`.
    public var colour: String?
    /// The values of the masks, where they are few.
    public var maskValues: String?
    /// `each item` where making one opens its files, else `beforehand`.
    public var loading: String?
    public var pinMemory: Bool?
    /// What surrounds the training: `scheduler`, `early stopping`, `data parallel` …
    public var mainFeatures: [String]?
    /// Library and number of each seed that the program set.
    public var seeds: [String]?

    enum CodingKeys: String, CodingKey {
        case normalization, upsampling, skip, loss, channels, augmentation, resize, colour, loading, seeds
        case modelClass = "model_class"
        case trainableParameters = "trainable_parameters"
        case encoderStages = "encoder_stages"
        case decoderStages = "decoder_stages"
        case encoderChannels = "encoder_channels"
        case decoderChannels = "decoder_channels"
        case bottleneckChannels = "bottleneck_channels"
        case convBlock = "conv_block"
        case finalLayer = "final_layer"
        case outputActivation = "output_activation"
        case imageSize = "image_size"
        case loaderWorkers = "loader_workers"
        case maskResize = "mask_resize"
        case normalizationOfImages = "normalization_of_images"
        case splitMethod = "split_method"
        case splitSeed = "split_seed"
        case maskValues = "mask_values"
        case pinMemory = "pin_memory"
        case mainFeatures = "main_features"
        case splitSizes = "split_sizes"
    }
}
