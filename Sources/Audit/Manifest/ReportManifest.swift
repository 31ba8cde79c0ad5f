import Files
import Foundation
import Hashing

/// `report/manifest.json`: which results each file of a report was made from, and what was written.
///
/// ```swift
/// try ReportManifest.record([figure], in: folder, results: store.resultHash())
/// ```
///
/// Reports are written a file at a time and by different commands; so each file has its own hash of the results.
public struct ReportManifest: Sendable, Hashable, Codable {
    /// The file's name in the report's folder.
    public static let name = "manifest.json"

    public struct File: Sendable, Hashable, Codable {
        /// Below the report's folder.
        public var path: String
        /// SHA-256 of the file as it was written.
        public var sha256: String
        /// `ResultStore.resultHash()` when it was written.
        public var results: String
        public var written: Date
    }

    public var schema = 1
    public var files: [File] = []

    /// Adds files that have just been written, in place of what is said of the same paths; entries of files that are gone are
    /// dropped.
    ///
    /// - Throws: `ReportManifestError`.
    /// - Complexity: reads every file given.
    public static func record(
        _ files: [URL], in folder: URL, results: String, at date: Date = Date()
    ) throws(ReportManifestError) {
        let root = folder.standardizedFileURL.path(percentEncoded: false)
        let prefix = root.hasSuffix("/") ? root : root + "/"
        // A manifest that cannot be read is replaced: what it said of other files is lost, and they count as unknown.
        var manifest = (try? read(in: folder)) ?? ReportManifest()
        var entries = Dictionary(manifest.files.map { ($0.path, $0) }, uniquingKeysWith: { _, last in last })
        for file in files {
            let path = file.standardizedFileURL.path(percentEncoded: false)
            guard path.hasPrefix(prefix), let data = try? Data(contentsOf: file) else {
                throw .unreadable(path: path, reason: "it cannot be read, or lies outside \(root)")
            }
            let name = String(path.dropFirst(prefix.count))
            entries[name] = File(path: name, sha256: SHA256.hexadecimal(data), results: results, written: date)
        }
        manifest.files = entries.values.sorted { $0.path < $1.path }.filter {
            FileManager.default.fileExists(atPath: folder.appending(path: $0.path).path(percentEncoded: false))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        do {
            try encoder.encode(manifest).write(to: folder.appending(path: name), options: .atomic)
        } catch {
            throw .unwritable(
                path: folder.appending(path: name).path(percentEncoded: false),
                reason: SystemReason.of(error) ?? "\(error)")
        }
    }

    /// Adds every file of the folder that was written since a moment, as `record(_:in:results:at:)` does.
    ///
    /// - Throws: `ReportManifestError`.
    /// - Complexity: reads every such file.
    public static func record(
        writtenSince start: Date, in folder: URL, results: String
    ) throws(ReportManifestError) {
        let written = FigureAgeCheck.files(below: folder).map { folder.appending(path: $0) }.filter { file in
            let values = try? file.resourceValues(forKeys: [.contentModificationDateKey])
            // File systems keep times to some milliseconds.
            return values?.contentModificationDate.map { $0.timeIntervalSince(start) > -0.1 } ?? false
        }
        try record(written, in: folder, results: results)
    }

    /// The manifest of a folder; nil where there is none.
    ///
    /// - Throws: `ReportManifestError.unreadable` for a file that is no manifest, or names a file outside the folder.
    public static func read(in folder: URL) throws(ReportManifestError) -> ReportManifest? {
        let url = folder.appending(path: name)
        let path = url.path(percentEncoded: false)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let data = try? Data(contentsOf: url), data.count <= 64 << 20,
            let manifest = try? decoder.decode(ReportManifest.self, from: data), manifest.schema == 1
        else { throw .unreadable(path: path, reason: "it is no manifest of a report") }
        let isInside = manifest.files.allSatisfy { file in
            !file.path.hasPrefix("/") && !file.path.split(separator: "/").contains("..")
        }
        guard isInside else { throw .unreadable(path: path, reason: "it names a file outside the report") }
        return manifest
    }
}

public enum ReportManifestError: Error, Sendable, Hashable, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case unwritable(path: String, reason: String)

    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): \(reason); write the report again"
        case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
        }
    }
}
