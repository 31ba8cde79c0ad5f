import Metrics

/// Reads the shape out of a model's answer, whatever its dress.
///
/// ```swift
/// let reader = try AnswerReader(width: 512, height: 512, asked: .polygon, convention: .pixels)
/// let answer = try reader.read("Here it is:\n```json\n{\"polygon\": [[10, 20], [200, 30], [90, 180]]}\n```")
/// answer.shape       // in pixels
/// answer.repairs     // []
/// ```
///
/// Answers are hostile text: sizes are limited, time is linear in the bytes but for the search for crossings (at most
/// `mostVertices` positions), and no input makes it trap. What it cannot read it refuses with a reason; it never fills in what an
/// answer does not say.
public struct AnswerReader: Sendable {
    /// Bytes of an answer that are read.
    public static let mostBytes = 1 << 20
    /// Positions of a shape.
    public static let mostVertices = 2000

    /// Pixels of the picture that was asked about.
    public let width: Int
    public let height: Int
    public let asked: ShapeKind
    /// What the prompt asked for.
    public let convention: CoordinateConvention

    /// - Throws: `MetricsError.shape` when a side is not positive.
    public init(
        width: Int, height: Int, asked: ShapeKind = .polygon, convention: CoordinateConvention = .pixels
    ) throws(MetricsError) {
        _ = try Mask(width: width, height: height)
        (self.width, self.height, self.asked, self.convention) = (width, height, asked, convention)
    }

    /// Reads an answer given as text.
    ///
    /// - Throws: `AnswerFailure`: a failed draw.
    public func read(_ answer: String) throws(AnswerFailure) -> DrawnAnswer { try read(Array(answer.utf8)) }

    /// Reads an answer given as bytes, valid UTF-8 or not.
    ///
    /// - Throws: `AnswerFailure`: a failed draw.
    public func read(_ answer: [UInt8]) throws(AnswerFailure) -> DrawnAnswer {
        guard answer.count <= Self.mostBytes else { throw .tooLong(bytes: answer.count) }
        guard answer.contains(where: { $0 > 32 }) else { throw .empty }
        let words = AnswerWords(answer)
        let candidates = AnswerCandidates(answer, asked: asked)
        var repairs: [Repair] = []
        if let (candidate, ignored) = candidates.last(), isEnough(candidate.geometry) {
            if candidate.isLenient, !isProse(candidate, answer) { repairs.append(.lenientSyntax) }
            if candidate.isTruncated { repairs.append(.truncated) }
            if ignored > 0 { repairs.append(.earlierAnswersIgnored(ignored)) }
            if candidate.isBoxAsSize { repairs.append(.boxAsSize) }
            return try finish(
                candidate.geometry, dress: dress(of: candidate, in: answer), stated: candidate.stated,
                rowsFirst: candidate.hasRowsFirst || words.sayRowsFirst, repairs)
        }
        if let failure = candidates.failure { throw failure }
        var prose = ProseCoordinates(answer)
        if let points = prose.positions(), isEnough(.ring(points)) {
            return try finish(
                .ring(points), dress: .prose, stated: prose.isPercent ? .percent : nil,
                rowsFirst: words.sayRowsFirst, repairs)
        }
        if words.isRefusal { throw .refusal }
        throw candidates.candidates.isEmpty ? .noShape : .degenerate
    }

    /// A lone position is no outline.
    private func isEnough(_ geometry: Geometry) -> Bool {
        switch geometry {
        case .point: asked == .point
        case .ring(let points): asked == .point || points.count >= (asked == .box ? 2 : 3)
        default: true
        }
    }

    private func finish(
        _ geometry: Geometry, dress: DrawnAnswer.Dress, stated: CoordinateConvention?, rowsFirst: Bool,
        _ earlier: [Repair]
    ) throws(AnswerFailure) -> DrawnAnswer {
        guard geometry.count <= Self.mostVertices else { throw .tooManyVertices }
        let raw = shape(of: geometry)
        if case .nothing = raw {
            return DrawnAnswer(shape: .nothing, convention: convention, dress: dress, repairs: earlier)
        }
        let reading = CoordinateReading(width: Double(width), height: Double(height), asked: convention)
        let verdict = try reading.verdict(of: raw.positions, stated: stated, rowsFirst: rowsFirst)
        var repairs = earlier
        if verdict.convention != convention { repairs.append(.convention(asked: convention)) }
        if verdict.isSwapped { repairs.append(.swappedAxes) }
        if let kind = raw.kind, kind != asked { repairs.append(.kind(asked: asked)) }
        var cleaner = ShapeCleaner(width: Double(width), height: Double(height))
        let shape = cleaner.clean(raw.mapped { reading.pixels($0, verdict) })
        repairs += cleaner.repairs
        guard !shape.positions.isEmpty else { throw .degenerate }
        if shape.kind == .point {
            guard cleaner.outside * 2 < shape.positions.count else { throw .outOfFrame }
        } else {
            guard try !isEmpty(shape) else { throw .degenerate }
        }
        return DrawnAnswer(shape: shape, convention: verdict.convention, dress: dress, repairs: repairs)
    }

    private func isEmpty(_ shape: DrawnShape) throws(AnswerFailure) -> Bool {
        do {
            return try shape.mask(width: width, height: height).isEmpty
        } catch {
            throw .degenerate
        }
    }

    /// A list of positions is what was asked for, where it can be.
    private func shape(of geometry: Geometry) -> DrawnShape {
        switch geometry {
        case .point(let point): return .points([point])
        case .ring(let points):
            if asked == .point { return .points(points) }
            if asked == .box, points.count == 2 {
                return .boxes([Box(left: points[0].x, top: points[0].y, right: points[1].x, bottom: points[1].y)])
            }
            return .polygons([Polygon(outline: points)])
        case .polygons(let polygons): return .polygons(polygons)
        case .boxes(let boxes): return .boxes(boxes)
        case .nothing: return .nothing
        }
    }

    private func isProse(_ candidate: AnswerCandidates.Candidate, _ answer: [UInt8]) -> Bool {
        answer[candidate.range.lowerBound] == UInt8(ascii: "(")
    }

    private func dress(of candidate: AnswerCandidates.Candidate, in answer: [UInt8]) -> DrawnAnswer.Dress {
        if isProse(candidate, answer) { return .prose }
        let before = answer[..<candidate.range.lowerBound]
        let fences = before.indices.count { index in
            answer[index] == UInt8(ascii: "`") && (index == 0 || answer[index - 1] != UInt8(ascii: "`"))
                && index + 2 < answer.count && answer[index + 1] == UInt8(ascii: "`")
                && answer[index + 2] == UInt8(ascii: "`")
        }
        if fences % 2 == 1 { return .fenced }
        let isAlone =
            before.allSatisfy { $0 <= 32 } && answer[candidate.range.upperBound...].allSatisfy { $0 <= 32 }
        return isAlone ? .json : .embedded
    }
}
