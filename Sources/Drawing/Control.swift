import Datasets
import Metrics
import Polygons

/// A drawer that is no model: what a number of a model's has to be held against.
public enum Control: Sendable, Hashable {
    /// Know the training set's mean size at most.
    case ellipse, random
    /// Know whether targets are bright or dark.
    case otsu, watershed
    /// Knows the mean size, and looks at the picture.
    case grabCut
    /// The truth drawn again with so many vertices: a ceiling.
    case truth(vertices: Int)

    public static let all: [Control] =
        [.ellipse, .random, .otsu, .watershed, .grabCut] + RedrawnTruth.counts.map { .truth(vertices: $0) }

    /// What the command line, the store and folders call it.
    public var name: String {
        switch self {
        case .ellipse: "control-ellipse"
        case .random: "control-random"
        case .otsu: "control-otsu"
        case .watershed: "control-watershed"
        case .grabCut: "control-grabcut"
        case .truth(let vertices): "truth-\(vertices)"
        }
    }

    /// Whether it is drawn from the truth of the picture.
    public var isCeiling: Bool { if case .truth = self { true } else { false } }

    /// Whether a name means a control at all, known or not.
    public static func isMeant(by name: String) -> Bool { name.hasPrefix("control-") || name.hasPrefix("truth-") }

    /// - Throws: `DrawingError.unknownControl`.
    public init(named name: String) throws(DrawingError) {
        guard let control = Self.all.first(where: { $0.name == name }) else {
            throw .unknownControl(name: name, known: Self.all.map(\.name))
        }
        self = control
    }
}

/// Controls with what they learnt of the training part. No held-out truth reaches them, but for the ceilings.
public struct TaughtControl: Sendable {
    public let control: Control
    private let prior: ShapePrior?
    private let brightness: Brightness?

    /// - Throws: `DatasetError`, `DrawingError.noTraining`.
    /// - Complexity: reads the training masks, and for `otsu` and `watershed` the training pictures.
    public init(_ control: Control, on dataset: Dataset) throws {
        self.control = control
        var (prior, brightness): (ShapePrior?, Brightness?) = (nil, nil)
        do {
            switch control {
            case .ellipse, .random, .grabCut:
                prior = try ShapePrior(of: try dataset.split.training.map { try Mask(try dataset.truth($0)) })
            case .otsu, .watershed:
                brightness = try Brightness(
                    of: try dataset.split.training.map { (try dataset.image($0), try Mask(try dataset.truth($0))) })
            case .truth: break
            }
        } catch PolygonsError.noLabels {
            throw DrawingError.noTraining(dataset: dataset.name)
        }
        (self.prior, self.brightness) = (prior, brightness)
    }

    /// The mask of one picture.
    ///
    /// - Parameters:
    ///   - truth: read for the ceilings alone.
    ///   - seed: of the random polygon.
    public func draw(_ image: Image, truth: () throws -> Mask, seed: UInt64) throws -> Mask {
        switch (control, prior, brightness) {
        case (.ellipse, let prior?, _): try CentredEllipse(prior: prior).draw(image)
        case (.random, let prior?, _): try RandomPolygon(prior: prior, seed: seed).draw(image)
        case (.grabCut, let prior?, _): try GrabCutDrawer(prior: prior).draw(image)
        case (.otsu, _, let brightness?): try OtsuDrawer(brightness: brightness).draw(image)
        case (.watershed, _, let brightness?): try WatershedDrawer(brightness: brightness).draw(image)
        case (.truth(let vertices), _, _): try RedrawnTruth(vertices: vertices).draw(try truth())
        default: try Mask(width: image.width, height: image.height)
        }
    }
}

extension Mask {
    /// The mask that a picture of 0 and 255 shows.
    ///
    /// - Throws: `MetricsError`.
    public init(_ image: Image) throws(MetricsError) {
        try self.init(width: image.width, height: image.height, values: image.grey().bytes)
    }
}
