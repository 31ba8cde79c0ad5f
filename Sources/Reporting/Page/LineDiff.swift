/// What changed from one text to the next: lines, and inside a line that was changed the words.
///
/// Lines are compared by `Collection.difference(from:)`, Myers' algorithm (Algorithmica 1, 1986), after equal heads and tails are set
/// aside.
struct LineDiff: Sendable {
    /// A stretch of a line; `changed` where its counterpart differs.
    struct Part: Sendable, Hashable {
        var text: String
        var changed: Bool
    }

    enum Line: Sendable, Hashable {
        case kept(old: Int, new: Int, String)
        case removed(old: Int, [Part])
        case added(new: Int, [Part])
    }

    /// Neighbouring changes with the lines around them. Line numbers count from 1.
    var hunks: [[Line]] = []
    /// True where the texts are too large and too different to compare line by line; then there are no hunks.
    var isTooLarge = false

    /// Myers' algorithm takes time and memory with the square of the differences: more lines than this are not compared.
    static let largest = 6000
    /// Longer lines are not compared by words.
    static let longestLine = 600

    /// - Complexity: O((n + m) d) for n and m lines of which d differ.
    init(from old: [String], to new: [String], context: Int = 3) {
        let head = zip(old, new).prefix { $0 == $1 }.count
        let tail = zip(old.dropFirst(head).reversed(), new.dropFirst(head).reversed()).prefix { $0 == $1 }.count
        let (from, to) = (Array(old[head..<old.count - tail]), Array(new[head..<new.count - tail]))
        guard from.count + to.count <= Self.largest else {
            isTooLarge = true
            return
        }
        guard !from.isEmpty || !to.isEmpty else { return }
        var lines = old[..<head].enumerated().map { Line.kept(old: $0 + 1, new: $0 + 1, $1) }
        lines += Self.changed(from, to, offset: head)
        lines += old[(old.count - tail)...].enumerated().map {
            .kept(old: old.count - tail + $0 + 1, new: new.count - tail + $0 + 1, $1)
        }
        hunks = Self.hunks(of: lines, context: context)
    }

    /// The part between the equal ends, all its lines in reading order: what was removed before what took its place.
    private static func changed(_ old: [String], _ new: [String], offset: Int) -> [Line] {
        var removed = Set<Int>()
        var inserted = Set<Int>()
        for change in new.difference(from: old) {
            switch change {
            case .remove(let index, _, _): removed.insert(index)
            case .insert(let index, _, _): inserted.insert(index)
            }
        }
        var lines: [Line] = []
        var (i, j) = (0, 0)
        while i < old.count || j < new.count {
            let (firstOld, firstNew) = (i, j)
            while i < old.count, removed.contains(i) { i += 1 }
            while j < new.count, inserted.contains(j) { j += 1 }
            lines += replaced(Array(old[firstOld..<i]), Array(new[firstNew..<j]), offset + firstOld, offset + firstNew)
            while i < old.count, j < new.count, !removed.contains(i), !inserted.contains(j) {
                lines.append(.kept(old: offset + i + 1, new: offset + j + 1, old[i]))
                (i, j) = (i + 1, j + 1)
            }
        }
        return lines
    }

    /// Lines that stand in one another's place are compared in order.
    private static func replaced(_ old: [String], _ new: [String], _ oldStart: Int, _ newStart: Int) -> [Line] {
        var before: [Line] = []
        var after: [Line] = []
        for index in 0..<max(old.count, new.count) {
            let pair = index < old.count && index < new.count ? words(old[index], new[index]) : nil
            if index < old.count {
                before.append(
                    .removed(old: oldStart + index + 1, pair?.0 ?? [Part(text: old[index], changed: false)]))
            }
            if index < new.count {
                after.append(.added(new: newStart + index + 1, pair?.1 ?? [Part(text: new[index], changed: false)]))
            }
        }
        return before + after
    }

    /// The differing words of two lines; nil where they have too little in common for that to help.
    static func words(_ old: String, _ new: String) -> ([Part], [Part])? {
        guard old.utf8.count <= longestLine, new.utf8.count <= longestLine else { return nil }
        let (from, to) = (tokens(old), tokens(new))
        let difference = to.difference(from: from)
        let common = from.count - difference.removals.count
        guard common * 3 >= max(from.count, to.count) else { return nil }
        func offsets(_ changes: [CollectionDifference<String>.Change]) -> Set<Int> {
            Set(
                changes.map { change in
                    switch change {
                    case .insert(let offset, _, _), .remove(let offset, _, _): offset
                    }
                })
        }
        return (parts(from, changed: offsets(difference.removals)), parts(to, changed: offsets(difference.insertions)))
    }

    private static func parts(_ tokens: [String], changed: Set<Int>) -> [Part] {
        tokens.enumerated().reduce(into: []) { parts, token in
            let isChanged = changed.contains(token.offset)
            if let last = parts.last, last.changed == isChanged {
                parts[parts.count - 1].text += token.element
            } else {
                parts.append(Part(text: token.element, changed: isChanged))
            }
        }
    }

    /// Words, runs of spaces, and every other character alone.
    private static func tokens(_ line: String) -> [String] {
        enum Kind { case word, space, other }
        func kind(_ character: Character) -> Kind {
            character.isLetter || character.isNumber || character == "_" ? .word : character == " " ? .space : .other
        }
        var tokens: [String] = []
        var last = Kind.other
        for character in line {
            let kind = kind(character)
            if kind != .other, kind == last {
                tokens[tokens.count - 1].append(character)
            } else {
                tokens.append(String(character))
            }
            last = kind
        }
        return tokens
    }

    private static func hunks(of lines: [Line], context: Int) -> [[Line]] {
        let changes = lines.indices.filter { if case .kept = lines[$0] { false } else { true } }
        var ranges: [Range<Int>] = []
        for index in changes {
            let range = max(0, index - context)..<min(lines.count, index + context + 1)
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
            } else {
                ranges.append(range)
            }
        }
        return ranges.map { Array(lines[$0]) }
    }
}
