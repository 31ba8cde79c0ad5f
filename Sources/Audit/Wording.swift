import Foundation

/// Numbers and names as findings write them.
enum Wording {
    /// Up to `digits` significant digits.
    static func number(_ value: Double, digits: Int = 4) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "infinity" : "-infinity" }
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int(value))" }
        return String(format: "%.\(digits)g", value)
    }

    /// "1 run", "3 runs".
    static func count(_ number: Int, _ noun: String, plural: String? = nil) -> String {
        number == 1 ? "1 \(noun)" : "\(number) \(plural ?? noun + "s")"
    }

    /// The first few of a list, and how many more there are.
    static func list(_ names: [String], most: Int = 4) -> String {
        let shown = names.prefix(most).map { String($0.prefix(120)) }.joined(separator: ", ")
        return names.count > most ? "\(shown) and \(names.count - most) more" : shown
    }

    static func hash(_ hash: String) -> String { hash.isEmpty ? "none" : String(hash.prefix(12)) }

    /// One argument of a shell's command line, in single quotes where it needs them.
    static func shell(_ argument: String) -> String {
        let plain =
            !argument.isEmpty
            && argument.utf8.allSatisfy { byte in
                byte < 128
                    && (Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber
                        || "-_./=:,+".utf8.contains(byte))
            }
        return plain ? argument : "'" + argument.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}
