import Foundation

/// The prepared datasets of a folder, by name.
public struct DatasetCatalogue: Sendable, Hashable {
    /// Holds one folder a dataset.
    public let root: URL

    public init(root: URL) {
        self.root = root
    }

    /// Folders with a `dataset.json`, in order of their names; none where the folder does not exist.
    public func names() -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: root.path(percentEncoded: false))) ?? []
        return entries.filter { name in
            let file = root.appending(path: name).appending(path: "dataset.json")
            return Dataset.isSlug(name) && FileManager.default.fileExists(atPath: file.path(percentEncoded: false))
        }.sorted()
    }

    /// One dataset.
    ///
    /// - Throws: `DatasetError.unknownDataset` with the nearest names, or what `Dataset.load` throws.
    public func load(_ name: String) throws(DatasetError) -> Dataset {
        let known = names()
        guard known.contains(name) else {
            throw .unknownDataset(
                name, nearest: Self.nearest(to: name, among: known), folder: root.path(percentEncoded: false))
        }
        return try Dataset.load(root.appending(path: name, directoryHint: .isDirectory))
    }

    /// Up to two names that a mistyped one may have meant: those that contain it or are contained in it, then those within a third
    /// of its length in Levenshtein's distance.
    public static func nearest(to name: String, among known: [String]) -> [String] {
        let typed = name.lowercased()
        let scored = known.compactMap { candidate -> (name: String, distance: Int)? in
            let other = candidate.lowercased()
            if typed.count >= 3, other.contains(typed) || typed.contains(other) { return (candidate, 0) }
            let distance = editDistance(Array(typed), Array(other))
            return distance <= max(2, typed.count / 3) ? (candidate, distance) : nil
        }
        return scored.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(2).map(\.name)
    }

    /// Insertions, deletions and substitutions (Levenshtein 1966), O(n m).
    static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
        var row = Array(0...b.count)
        for (i, left) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in b.enumerated() {
                let substituted = diagonal + (left == right ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
