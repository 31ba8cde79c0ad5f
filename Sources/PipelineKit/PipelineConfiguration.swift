import Foundation

/// What you chose: becomes `config.json`.
public struct PipelineConfiguration: Sendable, Hashable {
    /// Channels of each encoder stage in the order of computation; empty where there are none.
    public var encoderChannels: [Int]
    /// Channels of each decoder stage in the order of computation; empty where there are none.
    public var decoderChannels: [Int]
    /// Channels of the bottleneck; nil where there is none.
    public var bottleneckChannels: Int?
    /// Such as "(conv3x3-batchnorm-relu)x2".
    public var convBlock: String
    /// "batch", "instance", "group", "layer" or "none".
    public var normalization: String
    /// "transposed", "bilinear", "nearest", "none" or other text.
    public var upsampling: String
    /// "concatenation", "addition", "none" or other text.
    public var skip: String
    /// Such as "conv1x1".
    public var finalLayer: String
    /// The last operation inside the model: "sigmoid", "none" or other text.
    public var outputActivation: String
    /// 0 if there is none.
    public var dropout: Double
    /// Such as "dice + binary cross-entropy".
    public var loss: String
    /// Such as "AdamW".
    public var optimizer: String
    /// The rate that training begins with.
    public var learningRate: Double
    /// 0 if there is none.
    public var weightDecay: Double
    /// nil if there is none.
    public var scheduler: String?

    /// Channels are one number a stage in the order of computation, empty where there are no stages; `bottleneckChannels` and
    /// `scheduler` are nil where there is none. `convBlock` is text such as "(conv3x3-batchnorm-relu)x2", `finalLayer` such as
    /// "conv1x1"; `normalization` is "batch", "instance", "group", "layer" or "none", `upsampling` "transposed", "bilinear", "nearest"
    /// or other text, `skip` "concatenation", "addition" or other text; `outputActivation` is the last operation inside the model,
    /// "sigmoid" or "none".
    public init(
        encoderChannels: [Int], decoderChannels: [Int], bottleneckChannels: Int?, convBlock: String,
        normalization: String, upsampling: String, skip: String, finalLayer: String, outputActivation: String,
        dropout: Double = 0, loss: String, optimizer: String, learningRate: Double, weightDecay: Double = 0,
        scheduler: String? = nil
    ) {
        self.encoderChannels = encoderChannels
        self.decoderChannels = decoderChannels
        self.bottleneckChannels = bottleneckChannels
        self.convBlock = convBlock
        self.normalization = normalization
        self.upsampling = upsampling
        self.skip = skip
        self.finalLayer = finalLayer
        self.outputActivation = outputActivation
        self.dropout = dropout
        self.loss = loss
        self.optimizer = optimizer
        self.learningRate = learningRate
        self.weightDecay = weightDecay
        self.scheduler = scheduler
    }
}

extension PipelineConfiguration {
    /// What the libraries know of a pipeline without being told.
    struct Known {
        var inputSize: [Int]
        var inputChannels: Int
        var trainableParameters: Int
        var batchSize: Int
        var epochs: Int
        var threshold: Float
        var split: Split
    }

    /// One flat JSON object, `null` where something does not apply.
    func json(_ known: Known) throws -> Data {
        let object: [String: Any] = [
            "input_size": known.inputSize, "input_channels": known.inputChannels,
            "encoder_stages": encoderChannels.count, "decoder_stages": decoderChannels.count,
            "encoder_channels": encoderChannels, "decoder_channels": decoderChannels,
            "bottleneck_channels": bottleneckChannels as Any? ?? NSNull(), "conv_block": convBlock,
            "normalization": normalization, "upsampling": upsampling, "skip": skip, "final_layer": finalLayer,
            "output_activation": outputActivation, "trainable_parameters": known.trainableParameters,
            "dropout": try Self.finite(dropout, "dropout"), "loss": loss, "optimizer": optimizer,
            "learning_rate": try Self.finite(learningRate, "the learning rate"),
            "weight_decay": try Self.finite(weightDecay, "the weight decay"),
            "scheduler": scheduler as Any? ?? NSNull(), "batch_size": known.batchSize, "epochs": known.epochs,
            // As decimal digits: the nearest double of a float has many.
            "threshold": NSDecimalNumber(string: "\(known.threshold)"), "seed": known.split.seed,
            "training_samples": known.split.training.count, "validation_samples": known.split.validation.count,
            "test_samples": known.split.test.count,
        ]
        return try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
    }

    private static func finite(_ value: Double, _ name: String) throws -> Double {
        guard value.isFinite else { throw PipelineError.invalid("\(name) is \(value), which is no finite number") }
        return value
    }
}
