import Foundation

/// Where two JSON documents differ, as the rows of a table.
enum JSONDifferences {
    struct Row: CustomStringConvertible {
        var field: String
        var ours: String
        var theirs: String

        var description: String { "\(field) | \(ours) | \(theirs)" }
    }

    /// Numbers may differ by `tolerance` of their size; everything else must be equal.
    static func rows(_ ours: Any?, _ theirs: Any?, tolerance: Double, at field: String = "") -> [Row] {
        if let ours = ours as? [String: Any], let theirs = theirs as? [String: Any] {
            return Set(ours.keys).union(theirs.keys).sorted().flatMap {
                rows(ours[$0], theirs[$0], tolerance: tolerance, at: field.isEmpty ? $0 : "\(field).\($0)")
            }
        }
        if let ours = ours as? [Any], let theirs = theirs as? [Any], ours.count == theirs.count {
            return ours.indices.flatMap { rows(ours[$0], theirs[$0], tolerance: tolerance, at: "\(field)[\($0)]") }
        }
        if let ours = ours as? NSNumber, let theirs = theirs as? NSNumber {
            // By their text: Foundation reads long numbers as decimals, whose conversion errs in the last bit.
            let (a, b) = (Double("\(ours)") ?? .nan, Double("\(theirs)") ?? .nan)
            if a == b || abs(a - b) <= tolerance * max(abs(a), abs(b)) { return [] }
        } else if let ours = ours as? String, let theirs = theirs as? String {
            if ours == theirs { return [] }
        } else if ours is NSNull, theirs is NSNull {
            return []
        }
        return [Row(field: field, ours: text(ours), theirs: text(theirs))]
    }

    /// The rows under a heading, for a failure's message.
    static func table(_ rows: [Row]) -> String {
        (["field | ours | nnunetv2"] + rows.map(\.description)).joined(separator: "\n")
    }

    private static func text(_ value: Any?) -> String { value.map { "\($0)" } ?? "(missing)" }
}
