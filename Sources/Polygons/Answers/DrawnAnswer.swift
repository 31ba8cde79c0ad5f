/// A model's answer, read: a shape in pixels, and everything that had to be done to get it.
public struct DrawnAnswer: Sendable, Hashable, Codable {
    /// In pixels of the picture that was asked about; may reach beyond its frame.
    public var shape: DrawnShape
    /// What the numbers in the answer meant.
    public var convention: CoordinateConvention
    /// Where in the answer the shape stood.
    public var dress: Dress
    /// In the order in which they were made.
    public var repairs: [Repair]

    public enum Dress: String, Sendable, Hashable, Codable {
        /// The answer is one JSON value and nothing else.
        case json
        /// In a fenced block.
        case fenced
        /// JSON with other text around it.
        case embedded
        /// Coordinates in a sentence or a list.
        case prose
    }
}

/// What the numbers of an answer mean.
public enum CoordinateConvention: String, Sendable, Hashable, Codable, CaseIterable {
    case pixels
    /// 0 to 1 of the picture's sides.
    case unit
    /// 0 to 100 of the picture's sides; only where the answer writes the sign %.
    case percent
    /// 0 to 1000 of the picture's sides.
    case thousandths
}

/// A fault of an answer that left no doubt about what was meant.
public enum Repair: Sendable, Hashable, Codable {
    /// Not JSON by the letter: other quotes, trailing commas, comments, tuples, units.
    case lenientSyntax
    /// The answer ended inside the shape; what is kept is what was whole.
    case truncated
    /// Other conventions than asked for; see `DrawnAnswer.convention`.
    case convention(asked: CoordinateConvention)
    /// Rows came first: by the name of the format, by the answer's own words, or because only so all positions lie in the frame.
    case swappedAxes
    /// Another kind of shape than asked for.
    case kind(asked: ShapeKind)
    /// Several answers; the last counts.
    case earlierAnswersIgnored(Int)
    /// A box whose corners came in another order, or one given as position and size.
    case boxReordered, boxAsSize
    /// Vertices equal to the one before them.
    case repeatedVertices(Int)
    /// Rings of fewer than three different vertices or without area.
    case ringsDropped(Int)
    /// Positions outside the frame, kept: only what is inside can be filled.
    case outOfFrame(Int)
    /// An outline that crosses itself, filled by the even-odd rule.
    case selfIntersecting
}

/// Why an answer could not be read. It counts as a failed draw; nothing is guessed in its place.
public enum AnswerFailure: Error, Sendable, Hashable, Codable, CustomStringConvertible {
    case empty
    case tooLong(bytes: Int)
    case tooManyVertices
    case refusal
    case noShape
    /// Points were left out by the model itself, with an ellipsis.
    case elided
    /// Lists of numbers that are no pairs, or numbers that are none.
    case malformed
    /// Whether numbers are pixels, parts or something else cannot be told.
    case unknownConvention
    /// Most positions lie outside the frame.
    case outOfFrame
    /// No pixel is inside.
    case degenerate

    public var description: String {
        switch self {
        case .empty: "the answer is empty"
        case .tooLong(let bytes): "the answer has \(bytes) bytes; at most \(AnswerReader.mostBytes) are read"
        case .tooManyVertices: "the answer has more than \(AnswerReader.mostVertices) positions"
        case .refusal: "the model declined to draw"
        case .noShape: "the answer holds no shape"
        case .elided: "the answer leaves out positions with an ellipsis"
        case .malformed: "the answer holds numbers that do not make positions"
        case .unknownConvention: "the positions fit neither pixels nor parts of the picture's sides"
        case .outOfFrame: "most positions lie outside the picture"
        case .degenerate: "the shape covers no pixel"
        }
    }
}
