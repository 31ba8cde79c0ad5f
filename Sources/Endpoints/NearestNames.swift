/// Suggestions for a name that was mistyped.
public enum NearestNames {
    /// The candidates within a third of the name's length, nearest first, at most three.
    ///
    /// Case is ignored; a candidate that contains the name counts as near. Cost: names × length².
    public static func suggestions(for name: String, among candidates: [String]) -> [String] {
        let wanted = name.lowercased()
        let limit = max(2, wanted.count / 3)
        let near = candidates.compactMap { candidate -> (String, Int)? in
            let other = candidate.lowercased()
            let distance = distance(wanted, other)
            if distance <= limit { return (candidate, distance) }
            return wanted.count >= 3 && other.contains(wanted) ? (candidate, limit + 1) : nil
        }
        return near.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(3).map(\.0)
    }

    /// Edits (insertion, deletion, substitution) from one text to the other: V. I. Levenshtein, 1966.
    public static func distance(_ a: String, _ b: String) -> Int {
        let target = Array(b)
        var row = Array(0...target.count)
        for (i, character) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in target.enumerated() {
                let substituted = diagonal + (character == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[target.count]
    }
}
