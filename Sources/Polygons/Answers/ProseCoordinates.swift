/// Positions written without brackets: `x=10, y=20`, `x="10" y="20"`, or `10,20 30,40 50,60`.
struct ProseCoordinates {
    private struct Number {
        var value: Double
        var range: Range<Int>
        var isPercent: Bool
        /// `x` or `y` where the number is said to be one.
        var label: UInt8?
    }

    private var bytes: [UInt8]
    private(set) var isPercent = false

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The last group of positions in the text; `nil` when there is none.
    ///
    /// - Complexity: O(bytes).
    mutating func positions() -> [Point]? {
        let numbers = numbers()
        if let labelled = labelled(numbers) { return labelled }
        return plain(numbers)
    }

    private mutating func labelled(_ numbers: [Number]) -> [Point]? {
        var points: [Point] = []
        var index = 0
        while index + 1 < numbers.count {
            let (a, b) = (numbers[index], numbers[index + 1])
            let isNear = b.range.lowerBound - a.range.upperBound <= 16
            switch (a.label, b.label) {
            case (UInt8(ascii: "x"), UInt8(ascii: "y")) where isNear: points.append(Point(a.value, b.value))
            case (UInt8(ascii: "y"), UInt8(ascii: "x")) where isNear: points.append(Point(b.value, a.value))
            default:
                index += 1
                continue
            }
            isPercent = isPercent || a.isPercent
            index += 2
        }
        return points.isEmpty ? nil : points
    }

    /// The last run of numbers with nothing but separators between them that has an even number of at least six, or of four.
    private mutating func plain(_ numbers: [Number]) -> [Point]? {
        var runs: [[Number]] = []
        for number in numbers {
            if let last = runs.last?.last, isSeparator(last.range.upperBound..<number.range.lowerBound) {
                runs[runs.count - 1].append(number)
            } else {
                runs.append([number])
            }
        }
        guard let run = runs.last(where: { $0.count >= 4 && $0.count % 2 == 0 }) else { return nil }
        isPercent = run.contains(where: \.isPercent)
        return stride(from: 0, to: run.count, by: 2).map { Point(run[$0].value, run[$0 + 1].value) }
    }

    /// Commas, semicolons and blanks, at least one of them; the numbers of a list are blanked before.
    private func isSeparator(_ range: Range<Int>) -> Bool {
        !range.isEmpty && range.count <= 16
            && bytes[range].allSatisfy { byte in
                switch byte {
                case 9, 10, 13, 32, UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "%"): true
                default: false
                }
            }
    }

    private mutating func numbers() -> [Number] {
        var numbers: [Number] = []
        var position = 0
        while position < bytes.count {
            guard isStart(position) else {
                position += 1
                continue
            }
            let start = position
            position += 1
            while position < bytes.count, isDigitOrDot(bytes[position]) { position += 1 }
            // A full stop ends a sentence, not a number.
            var end = position
            while end > start, bytes[end - 1] == UInt8(ascii: ".") { end -= 1 }
            if isListMarker(start, end) {
                for index in start...end { bytes[index] = 32 }
                continue
            }
            guard end - start <= 32, let value = Double(String(decoding: bytes[start..<end], as: UTF8.self)) else {
                continue
            }
            numbers.append(
                Number(
                    value: value, range: start..<end,
                    isPercent: end < bytes.count && bytes[end] == UInt8(ascii: "%"), label: label(before: start)))
        }
        return numbers
    }

    private func isDigitOrDot(_ byte: UInt8) -> Bool { (48...57).contains(byte) || byte == UInt8(ascii: ".") }

    /// Digits that do not continue a word, with their sign.
    private func isStart(_ position: Int) -> Bool {
        let byte = bytes[position]
        let before = position > 0 ? bytes[position - 1] : 32
        let isWordBefore =
            (48...57).contains(before) || (65...90).contains(before) || (97...122).contains(before) || before >= 128
        if byte == UInt8(ascii: "-") {
            return !isWordBefore && position + 1 < bytes.count && (48...57).contains(bytes[position + 1])
        }
        return (48...57).contains(byte) && !isWordBefore
    }

    /// `1.` or `1)` at the start of a line.
    private func isListMarker(_ start: Int, _ end: Int) -> Bool {
        guard end < bytes.count, bytes[end] == UInt8(ascii: ".") || bytes[end] == UInt8(ascii: ")"), end - start <= 3
        else {
            return false
        }
        var before = start - 1
        while before >= 0, start - before <= 8, bytes[before] == 32 { before -= 1 }
        return before < 0 || bytes[before] == 10
    }

    /// `x` or `y`, as a word of its own, before `=` or `:` and quotes.
    private func label(before start: Int) -> UInt8? {
        var position = start - 1
        var isAssigned = false
        while position >= 0, start - position <= 6 {
            switch bytes[position] {
            case UInt8(ascii: "="), UInt8(ascii: ":"): isAssigned = true
            case 32, UInt8(ascii: "\""), UInt8(ascii: "'"): break
            case UInt8(ascii: "x"), UInt8(ascii: "y"), UInt8(ascii: "X"), UInt8(ascii: "Y"):
                let before = position > 0 ? bytes[position - 1] : 32
                let isWord = (65...90).contains(before) || (97...122).contains(before) || before == UInt8(ascii: "_")
                return isAssigned && !isWord ? bytes[position] | 32 : nil
            default: return nil
            }
            position -= 1
        }
        return nil
    }
}
