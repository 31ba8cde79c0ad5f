import Foundation

/// What `prompts/pytorch.md` is told about a dataset: the slots of a pipeline prompt and their words.
public struct PipelinePromptValues: Sendable, Hashable {
    /// "axial slices of a T1-weighted MRI of the head"
    public var imageKind: String
    /// "the cerebellum"
    public var foreground: String
    /// "small: it covers 2 to 9 percent of an image and may be absent"
    public var foregroundHint: String
    /// 1 for grey, 3 for colour.
    public var channels: Int
    /// What the mask's stem ends in, empty where image and mask share their name.
    public var maskSuffix: String
    /// Pairs of image and mask that the pipeline will find.
    public var samples: Int
    /// Paths as the program sees them.
    public var dataDirectory: String
    public var outputDirectory: String

    public init(
        imageKind: String, foreground: String, foregroundHint: String, channels: Int, maskSuffix: String = "",
        samples: Int, dataDirectory: String = "/data", outputDirectory: String = "/out"
    ) {
        self.imageKind = imageKind
        self.foreground = foreground
        self.foregroundHint = foregroundHint
        self.channels = channels
        self.maskSuffix = maskSuffix
        self.samples = samples
        self.dataDirectory = dataDirectory
        self.outputDirectory = outputDirectory
    }

    /// The slots that a pipeline prompt may use.
    public static let slots: Set<String> = [
        "image_kind", "foreground", "foreground_hint", "colour", "mask_naming", "sample_count", "data_directory",
        "output_directory",
    ]

    /// A value for each of `slots`.
    public var values: [String: String] {
        [
            "image_kind": imageKind, "foreground": foreground, "foreground_hint": foregroundHint,
            "colour": channels == 3 ? "8-bit colour (RGB, three channels)" : "8-bit greyscale (one channel)",
            "mask_naming": maskSuffix.isEmpty
                ? "An image and its mask have the same file name."
                : "The mask of `images/NAME.png` is `masks/NAME\(maskSuffix).png`.",
            "sample_count": "\(samples)", "data_directory": dataDirectory, "output_directory": outputDirectory,
        ]
    }
}

extension PromptTemplate {
    /// Reads a template that asks for a pipeline.
    ///
    /// - Throws: `PromptError`, also for a file that is empty or has no slot: it would ask the same whatever the dataset is.
    public static func pipeline(_ url: URL) throws(PromptError) -> PromptTemplate {
        let template = try load(url, known: PipelinePromptValues.slots)
        guard template.text.contains(where: { !$0.isWhitespace }) else {
            throw .unreadable(file: url.path, reason: "it is empty")
        }
        guard !template.slots.isEmpty else {
            throw .noSlots(file: url.path, known: Array(PipelinePromptValues.slots))
        }
        return template
    }
}

/// The texts that the harness writes itself into a conversation, one template each in `prompts/feedback/`.
public enum FeedbackTemplate: String, Sendable, Hashable, CaseIterable {
    /// Ended by the limit on wall or processor time.
    case timeout
    /// Ended by another limit.
    case killed
    /// Failed without printing anything.
    case silent
    /// Exit status 0, and something agreed is missing or wrong.
    case contract
    /// No files in the reply.
    case noFiles = "no-files"
    /// Follows an error that keeps coming back.
    case hint
    /// Only a piece of a file came, and its place is not clear.
    case clarification
    /// The reply reached the output limit.
    case outputTruncated = "output-truncated"
    /// The program runs, and here is how its training went on the validation part.
    case refine

    /// The file's name inside `prompts/feedback/`.
    public var file: String { "\(rawValue).md" }

    /// The slots that its text may use.
    public var slots: Set<String> {
        switch self {
        case .timeout: ["seconds", "epochs", "sample_count"]
        case .killed: ["reason"]
        case .silent: ["ending"]
        case .contract: ["breach"]
        case .noFiles: ["files"]
        case .hint: ["count"]
        case .clarification: ["reason", "files"]
        case .outputTruncated: []
        case .refine: ["epochs", "curve", "epoch", "dice", "dice_best", "version_best", "left"]
        }
    }
}
