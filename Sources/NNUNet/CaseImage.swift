/// An image or a stack of slices, C Z Y X in row-major order: channels, depth, height, width. A plain 2-D image has a depth of one.
public struct CaseImage: Sendable, Equatable {
    /// Colour or modality channels.
    public let channels: Int
    /// Sizes Z Y X in pixels.
    public let shape: [Int]
    /// Distances between pixel centres along Z Y X, in millimetres.
    public let spacing: [Double]
    /// The intensities, C Z Y X.
    public var values: [Float]

    /// What nnU-Net's readers take the missing third spacing of a 2-D image for: so many times the larger of the other two.
    static let planeDistance = 999.0

    /// A stack of slices. Throws `NNUNetError.invalidCase` when sizes and numbers do not go together.
    public init(channels: Int, shape: [Int], spacing: [Double], values: [Float]) throws {
        guard channels > 0, shape.count == 3, shape.allSatisfy({ $0 > 0 }) else {
            throw NNUNetError.invalidCase(
                "\(channels) channels of \(shape) pixels are no image: give sizes Z Y X above zero")
        }
        guard spacing.count == 3, spacing.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw NNUNetError.invalidCase("a spacing of \(spacing) mm is not usable: give three positive numbers Z Y X")
        }
        guard values.count == channels * shape.reduce(1, *) else {
            throw NNUNetError.invalidCase(
                "\(channels) channels of \(shape) pixels need \(channels * shape.reduce(1, *)) values, "
                    + "and \(values.count) were given")
        }
        guard values.allSatisfy(\.isFinite) else {
            throw NNUNetError.invalidCase("an image has intensities that are not finite: mend or leave out the image")
        }
        (self.channels, self.shape, self.spacing, self.values) = (channels, shape, spacing, values)
    }

    /// A 2-D image C H W; `spacing` is H W in millimetres, one where a format has none.
    public init(
        channels: Int, height: Int, width: Int, spacing: [Double] = [1, 1], values: [Float]
    ) throws {
        try self.init(
            channels: channels, shape: [1, height, width],
            spacing: [(spacing.max() ?? 1) * CaseImage.planeDistance] + spacing, values: values)
    }

    /// Pixels of one channel.
    public var pixels: Int { shape.reduce(1, *) }
}

/// Class indices of the pixels of an image, Z Y X; zero is the background.
public struct LabelMap: Sendable, Equatable {
    /// Sizes Z Y X in pixels.
    public let shape: [Int]
    /// The class of each pixel; -1 after a crop where the image is empty (see `NonzeroCrop`).
    public var values: [Int16]

    /// Throws `NNUNetError.invalidCase` when sizes and number of values do not go together.
    public init(shape: [Int], values: [Int16]) throws {
        guard shape.count == 3, shape.allSatisfy({ $0 > 0 }), values.count == shape.reduce(1, *) else {
            throw NNUNetError.invalidCase("\(values.count) labels do not fill a map of \(shape) pixels (Z Y X)")
        }
        (self.shape, self.values) = (shape, values)
    }
}

/// An image with its truth.
public struct LabelledCase: Sendable, Equatable {
    /// What reports and errors call it.
    public let name: String
    /// The image.
    public let image: CaseImage
    /// The class of each of its pixels.
    public let labels: LabelMap

    /// Throws `NNUNetError.invalidCase` when image and labels differ in size or a label is negative.
    public init(name: String, image: CaseImage, labels: LabelMap) throws {
        guard image.shape == labels.shape else {
            throw NNUNetError.invalidCase(
                "\(name): the image has \(image.shape) pixels and its mask \(labels.shape); they must be equal")
        }
        guard labels.values.allSatisfy({ $0 >= 0 }) else {
            throw NNUNetError.invalidCase("\(name): its mask has negative labels; number the classes from zero")
        }
        (self.name, self.image, self.labels) = (name, image, labels)
    }
}
