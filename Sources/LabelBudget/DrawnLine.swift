import Datasets
import Drawing
import Metrics

/// How well masks that were drawn, and not learnt, fit the held-out images of a dataset: a flat line over the number of labels where it took
/// none, else a point.
public struct DrawnLine: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// A model that was shown the pictures.
        case model
        /// Drawn without a model and without the truth of the picture.
        case control
        /// The truth redrawn with few vertices: what no drawer of so many can exceed.
        case ceiling
    }

    /// One held-out image on its original grid.
    public struct Score: Sendable, Hashable, Codable {
        public var dice: Double
        public var iou: Double
        /// In pixels.
        public var hausdorff95: Double

        public init(dice: Double, iou: Double, hausdorff95: Double) {
            (self.dice, self.iou, self.hausdorff95) = (dice, iou, hausdorff95)
        }

        /// An answer that could not be read: no overlap, also where there was nothing to draw, and the distance of an empty mask.
        init(unreadable truth: Mask) throws(MetricsError) {
            try self.init(predicted: Mask(width: truth.width, height: truth.height), truth: truth)
            (dice, iou) = (0, 0)
        }

        /// - Throws: `MetricsError` for masks of different shapes.
        init(predicted: Mask, truth: Mask) throws(MetricsError) {
            let scores = try SegmentationScores(predicted: predicted, truth: truth)
            self.init(dice: scores.dice, iou: scores.iou, hausdorff95: scores.hausdorff95)
        }
    }

    public var kind: Kind
    /// What tables call it; no two lines of a dataset share it.
    public var name: String
    /// Recorded for this project: it says nothing about any model.
    public var isFixture: Bool
    /// The skill that the pictures went through, and what became of its result; nil for pictures as they are.
    public var skill: String?
    /// Labelled training pictures that it was drawn with: a static box is learnt from some. Such a line stands at its N, and not for drawing
    /// without labels. What controls know of the training part is not counted.
    public var labels: Int
    /// Whether all that was asked for was drawn; false while a session is under way, or where it was broken off.
    public var isFinished: Bool
    /// The path of the set of drawings that it stands for; nil where it was not stored.
    public var set: String?
    /// By sample.
    public var scores: [String: Score]

    public init(
        kind: Kind, name: String, isFixture: Bool = false, skill: String? = nil, labels: Int = 0,
        isFinished: Bool = true, set: String? = nil, scores: [String: Score]
    ) {
        (self.kind, self.name, self.isFixture, self.skill) = (kind, name, isFixture, skill)
        (self.labels, self.isFinished) = (labels, isFinished)
        (self.set, self.scores) = (set, scores)
    }

    /// Dice by sample.
    public var dice: [String: Double] { scores.mapValues(\.dice) }

    public var meanDice: Double { scores.values.reduce(0) { $0 + $1.dice } / Double(max(scores.count, 1)) }
}

/// Where drawn masks come from.
public protocol DrawnLineSource: Sendable {
    /// The lines that there are of a dataset, in an order that stays.
    ///
    /// - Parameter hash: `dataset.contentHash()`; what was drawn of other pictures is no line of this dataset.
    func lines(of dataset: Dataset, hash: String) throws -> [DrawnLine]

    /// What skills did to drawings of a dataset, a comparison a skill and gate.
    func skills(of dataset: Dataset, hash: String) throws -> [GateMeasurement]

    /// The mask of one of its lines on an image's grid; nil where there is none.
    func mask(of line: DrawnLine, sample: String, in dataset: Dataset) throws -> Mask?
}

extension DrawnLineSource {
    /// None.
    public func skills(of dataset: Dataset, hash: String) throws -> [GateMeasurement] { [] }
}
