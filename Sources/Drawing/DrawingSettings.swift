import Datasets
import Polygons

/// How drawings are asked for.
public struct DrawingSettings: Sendable, Hashable {
    /// Pixels a side of the picture that is sent.
    public static let sizes = 64...4096
    /// A pixel's votes are one word of 64 bits.
    public static let mostDraws = STAPLE.mostDrawings
    /// Drawings of one conversation.
    public static let mostTurns = 8
    /// What ends the name of the chain of a set whose conversations go on.
    static let loop = "loop"

    public var shape: ShapeKind
    /// Draws of each picture.
    public var draws: Int
    /// Pixels a side of the square picture that is sent.
    public var size: Int
    /// Whether a grid with its coordinates is drawn on the picture.
    public var grid: Bool
    /// The numbers that the prompt asks for.
    public var convention: CoordinateConvention
    public var skill: DrawingSkill?
    /// Drawings of one conversation: with more than 1 the model is shown its drawing and draws again.
    public var turns: Int
    /// Which drawing of a conversation is kept: the one that this score, which needs no truth, likes best; the earlier of equal ones.
    public var loopGate: GateScore
    /// Of sampling; nil leaves it to the endpoint.
    public var temperature: Double?
    /// Of sampling for the first draw, each further one takes the next number; nil leaves it to the endpoint. Also that of
    /// `control-random`, where nil is 1.
    public var samplingSeed: Int?

    public init(
        shape: ShapeKind = .polygon, draws: Int = 1, size: Int = 512, grid: Bool = false,
        convention: CoordinateConvention = .pixels, skill: DrawingSkill? = nil, turns: Int = 1,
        loopGate: GateScore = .boundaryContrast(ring: 3), temperature: Double? = nil, samplingSeed: Int? = nil
    ) {
        self.shape = shape
        self.draws = draws
        self.size = size
        self.grid = grid
        self.convention = convention
        self.skill = skill
        self.turns = turns
        self.loopGate = loopGate
        self.temperature = temperature
        self.samplingSeed = samplingSeed
    }

    /// The chain of skills as the store and recordings name it: `mri`, `loop`, `mri+loop`; nil for none.
    var chain: String? {
        let parts = (skill.map { [$0.name] } ?? []) + (turns > 1 ? [Self.loop] : [])
        return parts.isEmpty ? nil : parts.joined(separator: "+")
    }

    /// Looks of one draw, each with a request of its own.
    var looks: Int { skill?.look?.looks ?? 1 }

    /// Drawings that one draw asks for at most: its turns, or its looks.
    public var drawingsPerDraw: Int { max(turns, looks) }

    /// The file in `prompts/polygon/` with what follows a drawing, or is said beside a further look; nil where there is neither.
    var followUp: String? {
        if looks > 1, let look = skill?.look { return "look/\(look.rawValue).md" }
        return turns > 1 ? LoopFeedback.file : nil
    }

    /// A picture as it is sent under these settings.
    ///
    /// - Throws: `PolygonsError`, `ImageError`.
    func sent(_ original: Image, window: Box?) throws -> SentPicture {
        try SentPicture(original, skill: skill, size: size, grid: grid ? convention : nil, window: window)
    }

    /// - Throws: `DrawingError.number`, `.loopOfLooks`.
    func check() throws(DrawingError) {
        guard (1...Self.mostDraws).contains(draws) else {
            throw .number(setting: "--draws", value: "\(draws)", range: "a number from 1 to \(Self.mostDraws)")
        }
        guard Self.sizes.contains(size) else {
            throw .number(
                setting: "--size", value: "\(size)",
                range: "a number from \(Self.sizes.lowerBound) to \(Self.sizes.upperBound)")
        }
        guard (1...Self.mostTurns).contains(turns) else {
            throw .number(setting: "--turns", value: "\(turns)", range: "a number from 1 to \(Self.mostTurns)")
        }
        if turns > 1, let look = skill?.look, look.looks > 1 { throw .loopOfLooks(skill: look.rawValue) }
        if let temperature, !(0...2).contains(temperature) {
            throw .number(setting: "--temperature", value: "\(temperature)", range: "a number from 0 to 2")
        }
        if let samplingSeed, !(0...Int(Int32.max) - Self.mostDraws).contains(samplingSeed) {
            throw .number(
                setting: "--sampling-seed", value: "\(samplingSeed)",
                range: "a whole number from 0 to \(Int(Int32.max) - Self.mostDraws)")
        }
    }
}
