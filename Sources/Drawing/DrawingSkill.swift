import Datasets
import Polygons

/// What is done so that a model sees the target better: what a picture goes through before it is sent, and where the model looks.
///
/// Written `mri`, `pyramid`, or both as `mri+pyramid`.
public struct DrawingSkill: Sendable, Hashable {
    /// What a picture goes through.
    public enum Preparation: Sendable, Hashable {
        /// The chain of a modality, for all pictures.
        case modality(Modality)
        /// The chain that `SkillRouter` chooses for each picture.
        case routed

        var name: String {
            switch self {
            case .modality(let modality): modality.rawValue
            case .routed: "auto"
            }
        }
    }

    /// Where the model looks.
    public enum Look: String, Sendable, Hashable, Codable, CaseIterable {
        /// At the whole picture, then into ever smaller windows around what the look before found: for tiny targets.
        case pyramid
        /// Into the window that holds the targets of a few labelled training pictures.
        case staticBox = "static-box"
        /// At each slice of a volume, then at where the drawings of the neighbouring slices say that the target is.
        case crossSlice = "cross-slice"

        /// Looks of one draw.
        var looks: Int {
            switch self {
            case .pyramid: 1 + Windows.pyramidFactors.count
            case .staticBox: 1
            case .crossSlice: 2
            }
        }
    }

    /// How many labelled training pictures the static box is learnt from, fewer where there are not so many.
    public static let boxLabels = 10

    /// Which these are.
    static func boxLabels(in dataset: Dataset) -> [String] {
        DrawingSession.spread(dataset.split.training, boxLabels)
    }

    public static let names = Modality.allCases.map(\.rawValue) + ["auto"] + Look.allCases.map(\.rawValue)

    public var preparation: Preparation?
    public var look: Look?

    public init(_ preparation: Preparation? = nil, look: Look? = nil) {
        (self.preparation, self.look) = (preparation, look)
    }

    public static func modality(_ modality: Modality) -> DrawingSkill { DrawingSkill(.modality(modality)) }
    public static func look(_ look: Look) -> DrawingSkill { DrawingSkill(look: look) }
    public static let routed = DrawingSkill(.routed)

    public var name: String { [preparation?.name, look?.rawValue].compactMap { $0 }.joined(separator: "+") }

    /// - Throws: `DrawingError.unknownSkill`.
    public init(named name: String) throws(DrawingError) {
        self.init()
        for part in name.split(separator: "+", omittingEmptySubsequences: false).map(String.init) {
            if part == "auto", preparation == nil {
                preparation = .routed
            } else if let modality = Modality(rawValue: part), preparation == nil {
                preparation = .modality(modality)
            } else if let look = Look(rawValue: part), self.look == nil {
                self.look = look
            } else {
                throw .unknownSkill(name: name, known: Self.names)
            }
        }
    }
}
