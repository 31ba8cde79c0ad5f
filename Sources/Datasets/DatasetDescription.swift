/// `dataset.json` of a prepared dataset.
public struct DatasetDescription: Sendable, Hashable, Codable {
    public var schema: Int
    /// Slug, equal to the folder's name.
    public var name: String
    public var title: String
    /// What an image shows, in the words of the prompt: "axial slices of a T1-weighted MRI of the head".
    public var imageKind: String
    /// What is foreground, in the words of the prompt: "the cerebellum".
    public var foreground: String
    /// What a pipeline should expect of the foreground: "small: it covers 2 to 9 percent of an image and may be absent".
    public var foregroundHint: String
    /// 1 for grey, 3 for colour.
    public var channels: Int
    /// Image and mask share their file name, in the folders `images/` and `masks/`; the mask's stem may end in this.
    public var maskSuffix: String
    /// All samples of the folder, by file name without `.png`.
    public var samples: Int
    /// Where the data come from, their licence, and what a reader must know (one head only, simulated acquisition).
    public var provenance: Provenance
    /// How each sample was made, by sample id; empty for real acquisitions.
    public var acquisitions: [String: Acquisition]
    /// Whether a program drew the pictures, so that they show nobody; left out where not.
    public var simulated: Bool?

    /// Whose picture each sample is, by sample id; left out where that is not known.
    public var subjects: [String: Subject]?

    /// Whether a program drew the pictures, so that they show nobody.
    public var isSimulated: Bool { simulated == true }

    public struct Provenance: Sendable, Hashable, Codable {
        public var sources: [String]
        public var licence: String
        public var notes: [String]

        public init(sources: [String], licence: String, notes: [String]) {
            self.sources = sources
            self.licence = licence
            self.notes = notes
        }
    }

    /// Where a picture comes from: samples of one subject are not independent.
    public struct Subject: Sendable, Hashable, Codable {
        /// Of a patient, a head, a volume.
        public var name: String
        /// Place of the slice in the subject's volume; left out where it is not known.
        public var slice: Int?

        public init(name: String, slice: Int? = nil) {
            (self.name, self.slice) = (name, slice)
        }
    }

    /// The simulated acquisition of one image.
    public struct Acquisition: Sendable, Hashable, Codable {
        /// Index of the axial slice in the volume.
        public var slice: Int
        public var rotationDegrees: Double
        public var scale: Double
        /// Pixels, along x and y.
        public var shift: [Double]
        /// Peak of the multiplicative bias field, as a fraction.
        public var biasField: Double
        public var gain: Double
        /// Exponent of the grey values before bias field and gain; 1 leaves the contrast as it is.
        public var gamma: Double
        /// Standard deviation of the noise as a fraction of full scale.
        public var noise: Double
        public var seed: UInt64

        public init(
            slice: Int, rotationDegrees: Double, scale: Double, shift: [Double], biasField: Double, gain: Double,
            noise: Double, seed: UInt64, gamma: Double = 1
        ) {
            self.slice = slice
            self.rotationDegrees = rotationDegrees
            self.scale = scale
            self.shift = shift
            self.biasField = biasField
            self.gain = gain
            self.gamma = gamma
            self.noise = noise
            self.seed = seed
        }
    }

    public init(
        schema: Int = 1, name: String, title: String, imageKind: String, foreground: String, foregroundHint: String,
        channels: Int, maskSuffix: String, samples: Int, provenance: Provenance, acquisitions: [String: Acquisition]
    ) {
        self.schema = schema
        self.name = name
        self.title = title
        self.imageKind = imageKind
        self.foreground = foreground
        self.foregroundHint = foregroundHint
        self.channels = channels
        self.maskSuffix = maskSuffix
        self.samples = samples
        self.provenance = provenance
        self.acquisitions = acquisitions
    }
}

/// `split.json`: which samples a pipeline may see, and which it is measured on.
public struct DatasetSplit: Sendable, Hashable, Codable {
    public var schema: Int
    /// Enters the sandbox as a whole; the generated pipeline splits it again, 80/10/10.
    public var training: [String]
    /// Never enters the sandbox with its masks.
    public var heldOut: [String]
    /// How the two were told apart, for the report.
    public var method: String

    public init(schema: Int = 1, training: [String], heldOut: [String], method: String) {
        self.schema = schema
        self.training = training
        self.heldOut = heldOut
        self.method = method
    }
}
