/// A 2-D image as the network sees it: cropped to what is not zero, normalised, on the plan's spacing.
public struct PreprocessedCase: Sendable, Equatable {
    /// Channels.
    public let channels: Int
    /// Pixels along H W.
    public let size: [Int]
    /// Intensities C H W.
    public var values: [Float]
    /// Classes H W; -1 outside of the nonzero region.
    public var labels: [Int16]
    /// Where the crop lies in the original image, H W.
    public let box: [Range<Int>]
    /// Size H W of the original image.
    public let originalSize: [Int]

    var pixels: Int { size[0] * size[1] }

    /// The pixels of each foreground class, for oversampling. nnU-Net keeps a random ten thousand of each; these are all.
    func foregroundPixels(classes: Int) -> [[Int32]] {
        var pixels = [[Int32]](repeating: [], count: classes)
        for (index, label) in labels.enumerated() where label > 0 && Int(label) < classes {
            pixels[Int(label)].append(Int32(index))
        }
        return pixels
    }
}

/// Brings images to the form that a plan says, as nnU-Net's `DefaultPreprocessor`: crop, normalise, resample.
public struct Preprocessor: Sendable {
    let plan: NNUNetPlan

    /// What keeps a constant image from a division by zero.
    private static let epsilon: Float = 1e-8

    /// For images of the plan's data set.
    public init(_ plan: NNUNetPlan) {
        self.plan = plan
    }

    /// A training case. Costs a few passes over the image, cubic splines where its spacing differs from the plan's.
    ///
    /// Throws `NNUNetError.invalidCase` for a stack of slices, other channels than the plan's, or a label that the plan has no class
    /// for.
    public func callAsFunction(_ labelled: LabelledCase) throws -> PreprocessedCase {
        if let label = labelled.labels.values.max(), label >= plan.classes {
            throw NNUNetError.invalidCase(
                "\(labelled.name): its mask has the label \(label), and the plan \(plan.classes) classes from 0")
        }
        return try prepared(labelled.image, labelled.labels, name: labelled.name)
    }

    /// An image without truth; its labels are zero, and -1 outside of the nonzero region.
    public func callAsFunction(_ image: CaseImage, name: String = "the image") throws -> PreprocessedCase {
        try prepared(image, nil, name: name)
    }

    private func prepared(_ image: CaseImage, _ labels: LabelMap?, name: String) throws -> PreprocessedCase {
        guard image.channels == plan.channels else {
            throw NNUNetError.invalidCase(
                "\(name) has \(image.channels) channels and the plan \(plan.channels): convert the image")
        }
        guard image.shape[0] == 1, plan.transposeForward == [0, 1, 2] else {
            throw NNUNetError.invalidCase(
                "\(name) is a stack of \(image.shape[0]) slices: stacks can be planned, training and prediction take 2-D "
                    + "images")
        }
        let crop = try NonzeroCrop(image, labels: labels)
        let size = Array(crop.image.shape.dropFirst())
        var values = crop.image.values
        for channel in 0..<image.channels {
            let range = channel * crop.image.pixels..<(channel + 1) * crop.image.pixels
            try normalize(&values, range, channel, crop.labels.values, name)
        }
        let target = zip(size, zip(image.spacing.dropFirst(), plan.spacing)).map { rounded($1.0 / $1.1 * Double($0)) }
        var classes = crop.labels.values
        if target != size {
            guard target.allSatisfy({ $0 > 0 }) else {
                throw NNUNetError.invalidCase("\(name) has no pixel left at the plan's spacing of \(plan.spacing) mm")
            }
            values = (0..<image.channels).flatMap { channel in
                let plane = values[channel * crop.image.pixels..<(channel + 1) * crop.image.pixels]
                return Resampling.cubic(Array(plane), size: size, to: target)
            }
            classes = Resampling.labels(classes, size: size, to: target)
        }
        return PreprocessedCase(
            channels: image.channels, size: target, values: values, labels: classes,
            box: Array(crop.box.dropFirst()), originalSize: Array(image.shape.dropFirst()))
    }

    private func normalize(
        _ values: inout [Float], _ range: Range<Int>, _ channel: Int, _ labels: [Int16], _ name: String
    ) throws {
        let properties = plan.intensities[channel]
        switch plan.normalizations[channel] {
        case .none: return
        case .ct:
            let (low, high) = (Float(properties.percentile005), Float(properties.percentile995))
            let (mean, deviation) = (Float(properties.mean), max(Float(properties.standardDeviation), Self.epsilon))
            for index in range { values[index] = (min(max(values[index], low), high) - mean) / deviation }
        case .rgbTo01:
            guard range.allSatisfy({ (0...255).contains(values[$0]) }) else {
                throw NNUNetError.invalidCase(
                    "\(name) has intensities outside of 0 … 255 in a channel named rgb_to_0_1: name the channel otherwise"
                )
            }
            for index in range { values[index] /= 255 }
        case .rescaleTo01:
            let low = range.reduce(Float.infinity) { min($0, values[$1]) }
            for index in range { values[index] -= low }
            let high = max(range.reduce(0) { max($0, values[$1]) }, Self.epsilon)
            for index in range { values[index] /= high }
        case .zScore:
            let usesMask = plan.usesMaskForNormalization[channel]
            let inside = range.filter { !usesMask || labels[$0 - range.lowerBound] >= 0 }
            guard !inside.isEmpty else { return }
            let mean = inside.reduce(0) { $0 + Double(values[$1]) } / Double(inside.count)
            let square = inside.reduce(0) { $0 + (Double(values[$1]) - mean) * (Double(values[$1]) - mean) }
            let deviation = max(Float((square / Double(inside.count)).squareRoot()), Self.epsilon)
            for index in inside { values[index] = (values[index] - Float(mean)) / deviation }
        }
    }
}
