/// Reads JSON as models write it: other quotes, bare keys, trailing commas, comments, Python's tuples and names, percent signs and
/// units, and an end that never came.
///
/// One pass over bytes, each looked at a bounded number of times; nesting is limited. It never fails on what it does not know: it stops
/// there and says where.
struct LenientJSON {
    static let deepest = 24

    private let bytes: [UInt8]
    private(set) var position: Int
    /// Whether anything differed from the letter of RFC 8259.
    private(set) var isLenient = false
    /// Whether the text ended inside the value.
    private(set) var isTruncated = false

    init(_ bytes: [UInt8], at position: Int) {
        (self.bytes, self.position) = (bytes, position)
    }

    /// The value at the position; `nil` when there is none, with the position where reading stopped.
    mutating func value(depth: Int = 0) -> AnswerValue? {
        skipBlanks()
        guard let byte = peek else {
            isTruncated = true
            return nil
        }
        switch byte {
        case UInt8(ascii: "{"): return depth < Self.deepest ? object(depth) : nil
        case UInt8(ascii: "["): return depth < Self.deepest ? list(closing: UInt8(ascii: "]"), depth) : nil
        case UInt8(ascii: "("):
            isLenient = true
            return depth < Self.deepest ? list(closing: UInt8(ascii: ")"), depth) : nil
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return string().map(AnswerValue.text)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"): return number()
        case UInt8(ascii: "."): return isEllipsis ? ellipsis(3) : number()
        case 0xE2: return isEllipsis ? ellipsis(3) : nil
        default: return word()
        }
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func object(_ depth: Int) -> AnswerValue? {
        position += 1
        var members: [(key: String, value: AnswerValue)] = []
        while true {
            skipBlanks()
            guard let byte = peek else { return cut(.object(members)) }
            if byte == UInt8(ascii: "}") {
                position += 1
                return .object(members)
            }
            guard let key = key() else { return isTruncated ? .object(members) : nil }
            skipBlanks()
            guard let colon = peek else { return cut(.object(members)) }
            guard colon == UInt8(ascii: ":") else { return nil }
            position += 1
            guard let value = value(depth: depth + 1) else { return isTruncated ? .object(members) : nil }
            members.append((key, value))
            if isTruncated { return .object(members) }
            guard separator(closing: UInt8(ascii: "}")) else { return isTruncated ? .object(members) : nil }
        }
    }

    private mutating func list(closing: UInt8, _ depth: Int) -> AnswerValue? {
        position += 1
        var values: [AnswerValue] = []
        while true {
            skipBlanks()
            guard let byte = peek else { return cut(.list(values)) }
            if byte == closing {
                position += 1
                return .list(values)
            }
            guard let value = value(depth: depth + 1) else { return isTruncated ? .list(values) : nil }
            values.append(value)
            if isTruncated { return .list(values) }
            guard separator(closing: closing) else { return isTruncated ? .list(values) : nil }
        }
    }

    /// A comma, or the closing bracket left in place; false for anything else and at the end of the text.
    private mutating func separator(closing: UInt8) -> Bool {
        skipBlanks()
        guard let byte = peek else {
            isTruncated = true
            return false
        }
        if byte == closing { return true }
        // Lists without commas between their brackets are common: [[1, 2] [3, 4]].
        if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "(") || byte == UInt8(ascii: "{") {
            isLenient = true
            return true
        }
        guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") else { return false }
        if byte == UInt8(ascii: ";") { isLenient = true }
        position += 1
        skipBlanks()
        if peek == closing { isLenient = true }
        return true
    }

    private mutating func cut(_ value: AnswerValue) -> AnswerValue {
        isTruncated = true
        return value
    }

    private mutating func key() -> String? {
        if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") { return string().map(Self.plainKey) }
        let start = position
        while let byte = peek, Self.isName(byte) { position += 1 }
        guard position > start else { return nil }
        isLenient = true
        if position == bytes.count { isTruncated = true }
        return Self.plainKey(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    static func plainKey(_ key: String) -> String {
        String(
            decoding: key.utf8.prefix(64).compactMap { byte -> UInt8? in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte + 32
                case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: " "): nil
                default: byte
                }
            }, as: UTF8.self)
    }

    private mutating func string() -> String? {
        let quote = bytes[position]
        if quote == UInt8(ascii: "'") { isLenient = true }
        position += 1
        let start = position
        while let byte = peek {
            if byte == quote {
                position += 1
                return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
            }
            position += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        position = bytes.count
        isTruncated = true
        return nil
    }

    private mutating func number() -> AnswerValue? {
        let start = position
        while let byte = peek, Self.isNumeric(byte), position - start < 64 { position += 1 }
        // A number that runs into the end of the text may have lost digits.
        if position == bytes.count {
            isTruncated = true
            return nil
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text) else { return nil }
        if text.first == "+" || text.first == "." || text.last == "." { isLenient = true }
        if peek == UInt8(ascii: "%") {
            isLenient = true
            position += 1
            return .number(value, isPercent: true)
        }
        if peek == UInt8(ascii: "p"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "x") {
            isLenient = true
            position += 2
        }
        return .number(value, isPercent: false)
    }

    private mutating func word() -> AnswerValue? {
        let start = position
        while let byte = peek, Self.isName(byte), position - start < 16 { position += 1 }
        switch String(decoding: bytes[start..<position], as: UTF8.self) {
        case "true", "false", "null": return .word
        case "True", "False", "None", "undefined":
            isLenient = true
            return .word
        case "NaN", "nan", "Infinity", "inf":
            isLenient = true
            return .number(.nan, isPercent: false)
        default:
            if position == bytes.count, position > start {
                isTruncated = true
            }
            return nil
        }
    }

    private var isEllipsis: Bool {
        guard position + 2 < bytes.count else { return false }
        return bytes[position...(position + 2)].elementsEqual([46, 46, 46])
            || bytes[position...(position + 2)].elementsEqual([0xE2, 0x80, 0xA6])
    }

    private mutating func ellipsis(_ length: Int) -> AnswerValue {
        position += length
        isLenient = true
        return .elision
    }

    private mutating func skipBlanks() {
        while let byte = peek {
            let next = position + 1 < bytes.count ? bytes[position + 1] : 0
            switch (byte, next) {
            case (9, _), (10, _), (13, _), (32, _): position += 1
            case (UInt8(ascii: "/"), UInt8(ascii: "/")), (UInt8(ascii: "#"), _): skipComment(to: [10])
            case (UInt8(ascii: "/"), UInt8(ascii: "*")): skipComment(to: [UInt8(ascii: "*"), UInt8(ascii: "/")])
            default: return
            }
        }
    }

    private mutating func skipComment(to end: [UInt8]) {
        isLenient = true
        position += end.count
        while position < bytes.count {
            if position + end.count <= bytes.count, bytes[position..<(position + end.count)].elementsEqual(end) {
                position += end.count
                return
            }
            position += 1
        }
        position = bytes.count
    }

    static func isNumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "-"), 128...255:
            true
        default: false
        }
    }
}
