/// What a plan is made from: sizes, spacings and foreground intensities of the training cases, as nnU-Net's
/// `DatasetFingerprintExtractor` (Isensee et al. 2021, Nature Methods 18:203, "dataset fingerprint").
public struct Fingerprint: Sendable, Equatable, Codable {
    /// Spacing Z Y X of each case, in millimetres.
    public var spacings: [[Double]]
    /// Size Z Y X of each case once cropped to what is not zero.
    public var shapesAfterCrop: [[Int]]
    /// Statistics of the foreground, by channel.
    public var intensities: [ChannelIntensities]
    /// The median over cases of the part of an image that the crop leaves.
    public var medianRelativeSizeAfterCropping: Double

    /// How many foreground pixels nnU-Net draws, over all cases.
    public static let defaultSamples = 100_000_000
    /// The seed it draws each case's with.
    private static let seed: UInt32 = 1234

    /// Reads each case once, in the order in which nnU-Net would: sorted by name.
    ///
    /// - Parameters:
    ///   - count: cases.
    ///   - samples: foreground pixels that are drawn in total, with replacement, the same number from each case that has any.
    ///   - body: gives the case at an index; only one is held at a time.
    ///
    /// Costs a pass over each image and `samples` random numbers a channel (about a second for the default).
    /// Throws `NNUNetError.unusableDataset` without cases, with differing channels, or without any foreground.
    public init(
        count: Int, samples: Int = Fingerprint.defaultSamples, case body: (Int) throws -> LabelledCase
    ) throws {
        guard count > 0 else { throw NNUNetError.unusableDataset("there is no training image: give at least five") }
        (spacings, shapesAfterCrop) = ([], [])
        var relative: [Double] = []
        var counted: [CountedValues] = []
        for index in 0..<count {
            let labelled = try body(index)
            if index == 0 { counted = [CountedValues](repeating: CountedValues(), count: labelled.image.channels) }
            guard labelled.image.channels == counted.count else {
                throw NNUNetError.unusableDataset(
                    "\(labelled.name) has \(labelled.image.channels) channels where the first image has "
                        + "\(counted.count): convert the images to one kind")
            }
            let crop = try NonzeroCrop(labelled.image, labels: labelled.labels)
            Fingerprint.draw(samples / count, crop, into: &counted)
            shapesAfterCrop.append(crop.image.shape)
            spacings.append(crop.image.spacing)
            relative.append(crop.relativeSize(of: labelled.image.shape))
        }
        intensities = counted.indices.compactMap { counted[$0].statistics() }
        guard intensities.count == counted.count else {
            throw NNUNetError.unusableDataset("no mask of the training images has any foreground: check the masks")
        }
        medianRelativeSizeAfterCropping = relative.median
    }

    /// The fingerprint of cases in memory.
    public init(_ cases: [LabelledCase], samples: Int = Fingerprint.defaultSamples) throws {
        try self.init(count: cases.count, samples: samples) { cases[$0] }
    }

    private static func draw(_ samples: Int, _ crop: NonzeroCrop, into counted: inout [CountedValues]) {
        let foreground = crop.labels.values.indices.filter { crop.labels.values[$0] > 0 }
        guard !foreground.isEmpty else { return }
        // One generator for all channels of a case.
        var generator = MersenneTwister(seed: seed)
        for channel in counted.indices {
            var times = [Int32](repeating: 0, count: foreground.count)
            for _ in 0..<samples { times[generator.index(below: foreground.count)] += 1 }
            for (pixel, count) in zip(foreground, times) where count > 0 {
                counted[channel].add(crop.image.values[channel * crop.image.pixels + pixel], count: Int(count))
            }
        }
    }
}
