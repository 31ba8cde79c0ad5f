/// One column of the tables of choices: where the real value lies, and under which keys a model states it.
struct Choice: Sendable {
    /// The table it stands in.
    enum Group: String, Sendable {
        case architecture = "architectures"
        case hyperparameters
        case pipeline = "pipelines"
    }

    var group: Group
    var title: String
    var key: String
    var statedKeys: [String]
    var numeric = false
    var real: @Sendable (_ facts: JSONFacts, _ pipeline: JSONFacts?) -> JSONFacts.Value?

    init(
        _ group: Group, _ title: String, _ key: String, stated: [String]? = nil, numeric: Bool = false,
        real: (@Sendable (JSONFacts, JSONFacts?) -> JSONFacts.Value?)? = nil
    ) {
        self.group = group
        self.title = title
        self.key = key
        statedKeys = stated ?? [key]
        self.numeric = numeric
        self.real = real ?? { facts, _ in facts[key] }
    }

    /// Text is compared loosely: case, spaces and the spelling of a block are a matter of style.
    func agrees(_ real: JSONFacts.Value, _ said: JSONFacts.Value) -> Bool {
        switch (real, said) {
        case (.number(let a), .number(let b)): abs(a - b) <= 1e-9 * max(abs(a), abs(b))
        case (.text(let a), .text(let b)):
            // "concatenate, padded" is what a model calls "concatenation"; "BCE with logits" is its "BCEWithLogits".
            Self.words(a).starts(with: Self.words(b)) || Self.words(a).joined() == Self.words(b).joined()
        case (.list(let a), .list(let b)): a == b
        default: real == said
        }
    }

    /// Spellings that mean the same, so that only a real difference is marked.
    private static let synonyms = [
        "batchnorm": "bn", "batchnorm2d": "bn", "conv3x3": "conv", "conv2d": "conv", "concatenation": "concatenate",
        "bcewithlogitsloss": "bce", "bcewithlogits": "bce", "bceloss": "bce", "bilinear_align_corners": "bilinear",
        "null": "none",
    ]

    private static func words(_ text: String) -> [String] {
        text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "." && $0 != "_" })
            .map { synonyms[String($0)] ?? String($0) }
    }

    static let all: [Choice] = architecture + hyperparameters + pipeline

    private static let architecture: [Choice] = [
        Choice(.architecture, "parameters", "trainable_parameters", numeric: true),
        Choice(.architecture, "encoder", "encoder_channels"),
        Choice(.architecture, "bottleneck", "bottleneck_channels", numeric: true),
        Choice(.architecture, "decoder", "decoder_channels"), Choice(.architecture, "block", "conv_block"),
        Choice(.architecture, "norm", "normalization"), Choice(.architecture, "up-sampling", "upsampling"),
        Choice(.architecture, "skip", "skip"), Choice(.architecture, "final layer", "final_layer"),
        Choice(.architecture, "output", "output_activation"),
    ]

    private static let hyperparameters: [Choice] = [
        Choice(.hyperparameters, "loss", "loss"),
        Choice(.hyperparameters, "optimizer", "optimizer") { _, pipeline in pipeline?.object("optimizer")?["name"] },
        Choice(.hyperparameters, "learning rate", "learning_rate", numeric: true) { _, pipeline in
            pipeline?.object("optimizer")?.firstObject("groups")?["lr"]
        },
        Choice(.hyperparameters, "weight decay", "weight_decay", numeric: true) { _, pipeline in
            pipeline?.object("optimizer")?.firstObject("groups")?["weight_decay"]
        },
        Choice(.hyperparameters, "scheduler", "scheduler") { _, pipeline in
            pipeline.map { $0.object("scheduler")?["name"] ?? .text("none") }
        },
        Choice(.hyperparameters, "batch", "batch_size", numeric: true) { _, pipeline in pipeline?["batch_size"] },
        // config.json states the epochs of the check run it was written by, so it is not compared.
        Choice(.hyperparameters, "epochs", "epochs", stated: [], numeric: true) { _, pipeline in pipeline?["epochs"] },
        Choice(.hyperparameters, "patience", "patience", stated: [], numeric: true) { _, pipeline in
            pipeline?.object("early_stopping")?["patience"]
        },
        Choice(.hyperparameters, "gradient clip", "gradient_clip", stated: [], numeric: true) { _, pipeline in
            pipeline?.object("gradient_clip")?["max"]
        },
        Choice(.hyperparameters, "accumulation", "accumulation", stated: [], numeric: true) { _, pipeline in
            pipeline?["accumulation"]
        },
        Choice(.hyperparameters, "weights evaluated", "evaluated_weights", stated: []) { _, pipeline in
            pipeline?.object("evaluated_weights")?["kind"]
        },
    ]

    private static let pipeline: [Choice] = [
        Choice(.pipeline, "split by", "split_method", stated: []),
        Choice(.pipeline, "split seed", "split_seed", stated: ["seed"], numeric: true),
        Choice(.pipeline, "train / val / test", "split_sizes", stated: []) { facts, pipeline in
            facts["split_sizes"] ?? pipeline?.object("split")?.counts(["train", "validation", "test"])
        },
        Choice(.pipeline, "image size", "image_size", stated: ["input_size", "image_size"]),
        Choice(.pipeline, "image resize", "resize", stated: []),
        Choice(.pipeline, "mask resize", "mask_resize", stated: []),
        Choice(.pipeline, "intensity", "normalization_of_images", stated: []),
        Choice(.pipeline, "channels", "channels", stated: ["input_channels", "channels"], numeric: true),
        Choice(.pipeline, "colour", "colour", stated: []),
        Choice(.pipeline, "mask values", "mask_values", stated: []),
        Choice(.pipeline, "augmentation", "augmentation", stated: []),
        Choice(.pipeline, "loading", "loading", stated: []),
        Choice(.pipeline, "validation batch", "validation_batch_size", stated: [], numeric: true) { _, pipeline in
            pipeline?["validation_batch_size"]
        },
        Choice(.pipeline, "shuffled", "shuffle", stated: []) { _, pipeline in pipeline?.flag("shuffle") },
        Choice(.pipeline, "last batch dropped", "drop_last", stated: []) { _, pipeline in pipeline?.flag("drop_last") },
        Choice(.pipeline, "workers", "loader_workers", stated: [], numeric: true),
        Choice(.pipeline, "memory pinned", "pin_memory", stated: []) { facts, _ in facts.flag("pin_memory") },
        Choice(.pipeline, "main script", "main_features", stated: []) { facts, _ in facts.words("main_features") },
        Choice(.pipeline, "seeds", "seeds", stated: []) { facts, _ in facts.words("seeds") },
    ]
}
