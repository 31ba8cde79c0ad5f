import Testing

/// A pipeline of Tests/Fixtures/pipelines/styles and what its program says of itself, read by a person.
struct StyledPipeline: Sendable, CustomTestStringConvertible, CustomStringConvertible {
    /// The loop around the step.
    struct Loop: Sendable {
        var optimizer: String
        /// Name, and when it steps.
        var scheduler: [String]?
        var clip: String?
        var accumulation = 1
        /// What the weights that are tested are the best in; nil: the last ones are.
        var best: String?
        var patience: Int?
        var batch: Int
        var loss: String
    }

    /// What is done with the data, and what surrounds the training.
    struct Handling: Sendable {
        var split = "train_test_split"
        var seed: Int?
        var resize: String
        var maskResize = "nearest"
        var colour = "grey"
        var loading = "each item"
        var features: [String]
    }

    var name: String
    var images = DiscWorkspace.Style.grey
    var loop: Loop?
    var handling: Handling?
    /// What the capture says it cannot hold.
    var refusals: [String] = []
    var isStochastic = false

    var isForEmittedAlone: Bool { !refusals.isEmpty || isStochastic }
    var description: String { name }
    var testDescription: String { name }

    static let all: [StyledPipeline] = [
        .init(name: "block-functions", loop: .init(optimizer: "Adam", batch: 8, loss: "BCE")),
        .init(
            name: "sequential-trainer",
            loop: .init(optimizer: "SGD", scheduler: ["StepLR", "epoch"], batch: 6, loss: "BCE with logits")),
        .init(
            name: "interpolate-to-skip",
            loop: .init(
                optimizer: "AdamW", scheduler: ["CosineAnnealingLR", "epoch"], best: "validation_loss", batch: 4,
                loss: "BCE with logits + Dice")),
        .init(
            name: "valid-convolutions", loop: .init(optimizer: "RMSprop", batch: 5, loss: "Dice"),
            handling: .init(seed: 0, resize: "bilinear", features: ["seeded"])),
        .init(
            name: "padded-scaler",
            loop: .init(
                optimizer: "Adam", scheduler: ["ReduceLROnPlateau", "metric:validation_dice"], clip: "norm", batch: 7,
                loss: "BCE with logits"),
            handling: .init(
                seed: 2024, resize: "bicubic", loading: "beforehand",
                features: ["seeded", "gradient clipping", "scheduler"])),
        .init(
            name: "albumentations-colour", images: .colour,
            loop: .init(
                optimizer: "Adam", scheduler: ["OneCycleLR", "batch"], best: "validation_dice", patience: 6, batch: 4,
                loss: "BCE + Dice")),
        .init(
            name: "suffixed-tensors", images: .suffixed,
            loop: .init(
                optimizer: "NAdam", scheduler: ["ExponentialLR", "epoch"], clip: "value", batch: 8,
                loss: "BCE with logits")),
        .init(
            name: "gated-focal",
            loop: .init(
                optimizer: "AdamW", scheduler: ["ReduceLROnPlateau", "metric:validation_loss"], clip: "norm",
                best: "validation_loss", patience: 5, batch: 6, loss: "focal + Dice")),
        .init(
            name: "excited-residual",
            loop: .init(optimizer: "SGD", scheduler: ["MultiStepLR", "epoch"], batch: 8, loss: "Tversky"),
            handling: .init(
                seed: 31, resize: "lanczos", colour: "grey to three equal channels", features: ["seeded", "scheduler"])),
        .init(
            name: "two-channel-classes", loop: .init(optimizer: "RAdam", batch: 6, loss: "cross-entropy"),
            handling: .init(seed: 17, resize: "bilinear", features: ["seeded"])),
        .init(
            name: "deep-supervision",
            loop: .init(
                optimizer: "SGD", scheduler: ["LambdaLR", "epoch"], clip: "norm", batch: 5, loss: "BCE with logits")),
        .init(
            name: "lightning-style",
            loop: .init(
                optimizer: "Adamax", scheduler: ["SequentialLR", "epoch"], best: "validation_loss", batch: 4,
                loss: "BCE with logits")),
        .init(
            name: "compiled-nested",
            loop: .init(
                optimizer: "Adam", scheduler: ["CosineAnnealingWarmRestarts", "epoch"], batch: 6,
                loss: "BCE with logits + Dice"),
            handling: .init(
                seed: 8, resize: "bicubic", maskResize: "bicubic", features: ["seeded", "compiled", "scheduler"])),
        .init(
            name: "parallel-accumulation", images: .colour,
            loop: .init(
                optimizer: "AdamW", scheduler: ["LambdaLR", "batch"], clip: "norm", accumulation: 2, batch: 3,
                loss: "BCE with logits"),
            handling: .init(
                seed: 77, resize: "bilinear", colour: "colour",
                features: ["seeded", "data parallel", "accumulation", "gradient clipping", "scheduler"])),
        .init(
            name: "validated-first",
            loop: .init(optimizer: "Adagrad", best: "validation_loss", patience: 7, batch: 5, loss: "BCE + Jaccard"),
            handling: .init(
                seed: 21, resize: "bilinear",
                features: ["seeded", "early stopping", "best weights", "validated untrained"])),
        .init(name: "depthwise-separable", loop: .init(optimizer: "Adadelta", batch: 8, loss: "BCE")),
        .init(
            name: "added-skips",
            loop: .init(optimizer: "Adam", scheduler: ["PolynomialLR", "epoch"], batch: 6, loss: "hinge")),
        .init(
            name: "atrous-pyramid",
            loop: .init(optimizer: "SGD", scheduler: ["ChainedScheduler", "batch"], batch: 6, loss: "BCE with logits")),
        .init(
            name: "convnext-blocks",
            loop: .init(
                optimizer: "AdamW", scheduler: ["OneCycleLR", "batch"], best: "validation_dice", batch: 4,
                loss: "MSE + Dice")),
        .init(
            name: "transformer-bottleneck",
            loop: .init(
                optimizer: "AdamW", scheduler: ["CosineAnnealingLR", "epoch"], clip: "norm", batch: 7,
                loss: "BCE with logits + Dice")),
        .init(
            name: "functional-parameters", loop: .init(optimizer: "RMSprop", batch: 5, loss: "BCE"),
            handling: .init(split: "own", resize: "bilinear", features: ["seeded"])),
        .init(
            name: "frozen-stem",
            loop: .init(optimizer: "Adam", best: "validation_loss", batch: 6, loss: "BCE with logits + smooth L1")),
        .init(
            name: "bfloat-autocast", refusals: ["mixed precision: the forward pass runs under autocast"]),
        .init(name: "two-optimizers", refusals: ["2 optimizers step, not one"]),
        .init(
            name: "averaged-weights",
            refusals: ["the test uses weights that no single epoch left, such as a moving average"]),
        .init(
            name: "random-augmentation", loop: .init(optimizer: "AdamW", batch: 8, loss: "BCE with logits"),
            isStochastic: true),
        .init(
            name: "rate-by-hand", refusals: ["the learning rate is changed by hand, without a scheduler of PyTorch"]),
        .init(name: "updates-by-hand", refusals: ["no optimizer of PyTorch steps"]),
        .init(name: "balanced-sampler", refusals: ["a sampler of class WeightedRandomSampler"]),
        .init(name: "gradient-by-hand", refusals: ["a gradient written by hand (Sign)"]),
    ]
}
