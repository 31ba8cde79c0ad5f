/// Takes `<think>…</think>` out of a text that arrives in pieces.
///
/// A block is recognised at the beginning of the text only, several in a row too: what stands after the first word of the
/// reply is the reply, tags included. A block that is never closed is reasoning to its end.
struct ReasoningSplitter {
    struct Pieces: Equatable {
        var content = ""
        var reasoning = ""
    }

    private enum State {
        case beginning, thinking, replying
    }

    private static let opening = "<think>"
    private static let closing = "</think>"

    private var state = State.beginning
    private var held = ""
    private var hasThought = false

    /// Whether the text so far ends inside a block.
    var isUnclosed: Bool { state == .thinking }

    /// What of the text so far is certain. Cost: linear in the piece and what was held back (a few characters).
    mutating func feed(_ piece: String) -> Pieces {
        held += piece
        var out = Pieces()
        while step(&out) {}
        return out
    }

    /// What was held back as the possible beginning of a tag.
    mutating func finish() -> Pieces {
        defer { held = "" }
        switch state {
        case .thinking: return Pieces(reasoning: held)
        // White space between two blocks, or after the last, belongs to neither.
        case .beginning where hasThought && held.allSatisfy(\.isWhitespace): return Pieces()
        case .beginning, .replying: return Pieces(content: held)
        }
    }

    /// - Returns: whether the state changed, so that the rest is looked at again.
    private mutating func step(_ out: inout Pieces) -> Bool {
        switch state {
        case .beginning:
            let text = held.drop { $0.isWhitespace }
            if text.hasPrefix(Self.opening) {
                held = String(text.dropFirst(Self.opening.count))
                state = .thinking
                hasThought = true
                return true
            }
            guard !text.isEmpty, !Self.opening.hasPrefix(text) else { return false }
            if hasThought { held = String(text) }
            state = .replying
            return true
        case .thinking:
            if let range = held.firstRange(of: Self.closing) {
                out.reasoning += held[..<range.lowerBound]
                held = String(held[range.upperBound...])
                state = .beginning
                return true
            }
            let kept = Self.overlap(of: held, with: Self.closing)
            out.reasoning += held.dropLast(kept)
            held = String(held.suffix(kept))
            return false
        case .replying:
            out.content += held
            held = ""
            return false
        }
    }

    /// How many characters at the end of `text` may be the beginning of `tag`.
    private static func overlap(of text: String, with tag: String) -> Int {
        for length in stride(from: min(tag.count - 1, text.count), to: 0, by: -1)
        where tag.hasPrefix(text.suffix(length)) { return length }
        return 0
    }
}
