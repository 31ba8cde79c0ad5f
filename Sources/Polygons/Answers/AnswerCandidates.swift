/// The shapes that stand in a text, in order.
struct AnswerCandidates {
    struct Candidate {
        var range: Range<Int>
        var geometry: Geometry
        var isLenient: Bool
        var isTruncated: Bool
        var hasRowsFirst: Bool
        var isBoxAsSize: Bool
        var stated: CoordinateConvention?
    }

    private let bytes: [UInt8]
    private let asked: ShapeKind
    private(set) var candidates: [Candidate] = []
    /// What was wrong with the last value that looked like a shape and was none.
    private(set) var failure: AnswerFailure?

    /// Bytes looked at, at most so many times the text: what does not parse is searched for something inside it.
    private static let mostPasses = 8

    init(_ bytes: [UInt8], asked: ShapeKind) {
        (self.bytes, self.asked) = (bytes, asked)
        var position = 0
        var budget = bytes.count * Self.mostPasses
        while position < bytes.count {
            guard [UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "(")].contains(bytes[position]) else {
                position += 1
                continue
            }
            var reader = LenientJSON(bytes, at: position)
            let value = reader.value()
            budget -= reader.position - position
            if let value {
                append(value, position..<reader.position, reader)
                position = max(reader.position, position + 1)
            } else {
                position = budget > 0 ? position + 1 : max(reader.position, position + 1)
            }
        }
    }

    private mutating func append(_ value: AnswerValue, _ range: Range<Int>, _ reader: LenientJSON) {
        var finder = GeometryFinder(asked: asked, isTruncated: reader.isTruncated)
        guard let geometry = finder.geometry(of: value) else {
            if let found = finder.failure {
                failure = found
                candidates.removeAll()
            }
            return
        }
        failure = nil
        candidates.append(
            Candidate(
                range: range, geometry: geometry, isLenient: reader.isLenient, isTruncated: reader.isTruncated,
                hasRowsFirst: finder.hasRowsFirst, isBoxAsSize: finder.isBoxAsSize,
                stated: finder.convention ?? (value.holdsPercent ? .percent : nil)))
    }

    /// The answer: the last shape, with those before it that belong to it, and the number of those that do not.
    ///
    /// Positions in brackets that follow each other with words or list numbers between them are one outline; outlines or boxes
    /// with nothing but separators between them are several parts of one shape.
    func last() -> (candidate: Candidate, ignored: Int)? {
        guard var last = candidates.last else { return nil }
        var parts = [last.geometry]
        var first = candidates.count - 1
        while first > 0 {
            let (before, after) = (candidates[first - 1], candidates[first])
            let gap = before.range.upperBound..<after.range.lowerBound
            guard Self.isPoint(before.geometry) == Self.isPoint(after.geometry), !Self.isNothing(before.geometry),
                Self.isPoint(after.geometry) ? joinsPoints(gap) : joinsShapes(gap)
            else { break }
            first -= 1
            parts.append(before.geometry)
            last.isLenient = last.isLenient || before.isLenient
            last.isBoxAsSize = last.isBoxAsSize || before.isBoxAsSize
            last.range = before.range.lowerBound..<last.range.upperBound
        }
        guard let merged = Geometry.merged(parts.reversed()) else { return (last, candidates.count - 1) }
        last.geometry = merged
        return (last, first)
    }

    private static func isPoint(_ geometry: Geometry) -> Bool { if case .point = geometry { true } else { false } }
    private static func isNothing(_ geometry: Geometry) -> Bool { if case .nothing = geometry { true } else { false } }

    private func joinsShapes(_ gap: Range<Int>) -> Bool {
        gap.count <= 64 && bytes[gap].allSatisfy { [9, 10, 13, 32, UInt8(ascii: ","), UInt8(ascii: ";")].contains($0) }
    }

    /// Up to 40 bytes of blanks, punctuation and letters, no brackets, and digits only as the number of a list's line.
    private func joinsPoints(_ gap: Range<Int>) -> Bool {
        guard gap.count <= 40 else { return false }
        var isMarker = true
        for byte in bytes[gap] {
            switch byte {
            case 48...57: if !isMarker { return false }
            case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "("), UInt8(ascii: "{"), UInt8(ascii: "}"):
                return false
            case UInt8(ascii: ")"), UInt8(ascii: "."): if !isMarker { return false }
            case 10: isMarker = true
            case 9, 13, 32: break
            default: isMarker = false
            }
        }
        return true
    }
}
