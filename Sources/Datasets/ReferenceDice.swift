/// How well two methods do that learn nothing about shape, so that a Dice can be read beside something.
///
/// Both are fitted on the training part and measured on the held-out part, image by image, without smoothing (both masks empty = 1,
/// one empty = 0).
public struct ReferenceDice: Sendable, Hashable, Codable {
    /// Foreground is what is brighter (or darker) than one grey level, the same for all images.
    public struct Threshold: Sendable, Hashable, Codable {
        public enum Direction: String, Sendable, Hashable, Codable {
            case above
            case atOrBelow = "at_or_below"
        }

        /// Grey level, 0...255.
        public var level: Int
        public var direction: Direction
        /// Mean over the training images, the value that was maximised.
        public var trainingDice: Double
        /// Mean over the held-out images.
        public var heldOutDice: Double
        /// By sample.
        public var heldOut: [String: Double]

        enum CodingKeys: String, CodingKey {
            case level, direction
            case trainingDice = "training_dice"
            case heldOutDice = "held_out_dice"
            case heldOut = "held_out"
        }
    }

    /// Foreground is where at least a fraction of the training masks have it, the same for all images.
    public struct MeanMask: Sendable, Hashable, Codable {
        /// In hundredths; 0 stands for "in one mask at least".
        public var fraction: Double
        public var trainingDice: Double
        public var heldOutDice: Double
        public var heldOut: [String: Double]

        enum CodingKeys: String, CodingKey {
            case fraction
            case trainingDice = "training_dice"
            case heldOutDice = "held_out_dice"
            case heldOut = "held_out"
        }
    }

    public var threshold: Threshold
    public var meanMask: MeanMask

    enum CodingKeys: String, CodingKey {
        case threshold
        case meanMask = "mean_mask"
    }

    /// Fits and measures both.
    ///
    /// - Throws: `DatasetError`; a dataset without training or held-out samples is `invalid`.
    /// - Complexity: decodes every picture once; keeps the masks in memory as bits of one common grid.
    public static func compute(_ dataset: Dataset) throws(DatasetError) -> ReferenceDice {
        guard !dataset.split.training.isEmpty, !dataset.split.heldOut.isEmpty else {
            throw .invalid(
                path: dataset.folder.path(percentEncoded: false), reason: "one side of its split is empty")
        }
        let training = try dataset.split.training.map { id throws(DatasetError) in try Sample(dataset, id) }
        let heldOut = try dataset.split.heldOut.map { id throws(DatasetError) in try Sample(dataset, id) }
        return ReferenceDice(
            threshold: bestThreshold(training, heldOut), meanMask: bestMeanMask(training, heldOut))
    }

    private static func bestThreshold(_ training: [Sample], _ heldOut: [Sample]) -> Threshold {
        var best = (level: 0, direction: Threshold.Direction.above, dice: -1.0)
        for level in 0..<256 {
            for direction in [Threshold.Direction.above, .atOrBelow] {
                let dice = mean(training.map { $0.dice(level: level, direction) })
                if dice > best.dice { best = (level, direction, dice) }
            }
        }
        let scores = heldOut.map { ($0.id, $0.dice(level: best.level, best.direction)) }
        return Threshold(
            level: best.level, direction: best.direction, trainingDice: best.dice,
            heldOutDice: mean(scores.map(\.1)), heldOut: Dictionary(uniqueKeysWithValues: scores))
    }

    private static func bestMeanMask(_ training: [Sample], _ heldOut: [Sample]) -> MeanMask {
        let atlas = Atlas(training)
        let curves = training.map(atlas.diceByPercent)
        var best = (percent: 0, dice: -1.0)
        for percent in 0...100 {
            let dice = mean(curves.map { $0[percent] })
            if dice > best.dice { best = (percent, dice) }
        }
        let scores = heldOut.map { ($0.id, atlas.diceByPercent($0)[best.percent]) }
        return MeanMask(
            fraction: Double(best.percent) / 100, trainingDice: best.dice, heldOutDice: mean(scores.map(\.1)),
            heldOut: Dictionary(uniqueKeysWithValues: scores))
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    static func dice(common: Int, total: Int) -> Double { total == 0 ? 1 : 2 * Double(common) / Double(total) }
}

extension ReferenceDice {
    /// What both methods need of one pair: how many pixels, and how many foreground pixels, lie at or below each grey level; and the
    /// mask itself.
    struct Sample {
        let id: String
        let width: Int
        let height: Int
        let mask: [UInt8]
        let foreground: Int
        private let pixelsUpTo: [Int]
        private let foregroundUpTo: [Int]

        init(_ dataset: Dataset, _ id: String) throws(DatasetError) {
            let image = try dataset.image(id).grey()
            let truth = try dataset.truth(id)
            guard image.width == truth.width, image.height == truth.height else {
                throw .invalid(
                    path: dataset.maskURL(id).path(percentEncoded: false),
                    reason:
                        "the mask has \(truth.width)×\(truth.height) pixels, its image \(image.width)×\(image.height)")
            }
            self.init(id: id, image: image, truth: truth)
        }

        init(id: String, image: Image, truth: Image) {
            self.id = id
            width = image.width
            height = image.height
            mask = truth.bytes
            var pixels = [Int](repeating: 0, count: 256)
            var marked = [Int](repeating: 0, count: 256)
            for (value, truth) in zip(image.bytes, truth.bytes) {
                pixels[Int(value)] += 1
                if truth != 0 { marked[Int(value)] += 1 }
            }
            for level in 1..<256 {
                pixels[level] += pixels[level - 1]
                marked[level] += marked[level - 1]
            }
            foreground = marked[255]
            pixelsUpTo = pixels
            foregroundUpTo = marked
        }

        func dice(level: Int, _ direction: Threshold.Direction) -> Double {
            switch direction {
            case .atOrBelow:
                ReferenceDice.dice(common: foregroundUpTo[level], total: pixelsUpTo[level] + foreground)
            case .above:
                ReferenceDice.dice(
                    common: foreground - foregroundUpTo[level], total: pixelsUpTo[255] - pixelsUpTo[level] + foreground)
            }
        }
    }

    /// How often each place was foreground in training, on the grid of the first image; other sizes are looked up at the nearest place.
    struct Atlas {
        let width: Int
        let height: Int
        /// Hundredths of the training masks, rounded down; −1 where no mask ever was.
        private let percentage: [Int]

        init(_ training: [Sample]) {
            let width = training[0].width
            let height = training[0].height
            var counts = [Int](repeating: 0, count: width * height)
            for sample in training {
                Self.forEachPlace(width, height, sample.width, sample.height) { place, index in
                    if sample.mask[index] != 0 { counts[place] += 1 }
                }
            }
            self.width = width
            self.height = height
            percentage = counts.map { $0 == 0 ? -1 : $0 * 100 / training.count }
        }

        /// Dice of "at least so many hundredths" against one mask, for 0 (at least once) to 100.
        func diceByPercent(_ sample: Sample) -> [Double] {
            var predicted = [Int](repeating: 0, count: 102)
            var common = predicted
            Self.forEachPlace(sample.width, sample.height, width, height) { index, place in
                let percent = percentage[place]
                guard percent >= 0 else { return }
                predicted[percent] += 1
                if sample.mask[index] != 0 { common[percent] += 1 }
            }
            for percent in stride(from: 100, through: 0, by: -1) {
                predicted[percent] += predicted[percent + 1]
                common[percent] += common[percent + 1]
            }
            return (0...100).map {
                ReferenceDice.dice(common: common[$0], total: predicted[$0] + sample.foreground)
            }
        }

        /// Every index of one grid with the nearest index of another.
        private static func forEachPlace(
            _ width: Int, _ height: Int, _ otherWidth: Int, _ otherHeight: Int, _ body: (Int, Int) -> Void
        ) {
            for y in 0..<height {
                let row = (2 * y + 1) * otherHeight / (2 * height)
                for x in 0..<width {
                    body(y * width + x, row * otherWidth + (2 * x + 1) * otherWidth / (2 * width))
                }
            }
        }
    }
}
