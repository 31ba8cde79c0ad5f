import Files
import Foundation

/// Writes a prepared dataset beside its final place and moves it there when complete.
struct DatasetWriter {
    private let target: URL
    private let partial: URL

    /// - Throws: `DatasetError.unwritable`.
    init(target: URL) throws(DatasetError) {
        self.target = target
        let name = ".\(target.lastPathComponent).\(UUID().uuidString.prefix(8)).partial"
        partial = target.deletingLastPathComponent().appending(path: name, directoryHint: .isDirectory)
        do {
            for folder in ["images", "masks"] {
                try FileManager.default.createDirectory(
                    at: partial.appending(path: folder), withIntermediateDirectories: true)
            }
        } catch {
            throw .unwritable(WriteFailure(partial, error))
        }
    }

    func add(_ id: String, image: Image, mask: Image) throws(DatasetError) {
        do {
            try PNG.write(image, to: partial.appending(path: "images/\(id).png"), level: 9)
            try PNG.write(mask, to: partial.appending(path: "masks/\(id).png"), level: 9)
        } catch {
            throw .picture(error)
        }
    }

    func add(text: String, as name: String) throws(DatasetError) {
        do {
            try AtomicFile.write(Array(text.utf8), to: partial.appending(path: name))
        } catch {
            throw .unwritable(error)
        }
    }

    /// Writes the two JSON files and moves the folder to its place, where nothing may be.
    func finish(_ description: DatasetDescription, _ split: DatasetSplit) throws(DatasetError) -> Dataset {
        try add(text: try encode(description), as: "dataset.json")
        try add(text: try encode(split), as: "split.json")
        let dataset = try Dataset.load(partial)
        do {
            try FileManager.default.moveItem(at: partial, to: target)
        } catch {
            throw FileManager.default.fileExists(atPath: target.path(percentEncoded: false))
                ? .occupied(path: target.path(percentEncoded: false))
                : .unwritable(WriteFailure(target, error))
        }
        return Dataset(folder: target, description: dataset.description, split: dataset.split)
    }

    func discard() {
        try? FileManager.default.removeItem(at: partial)
    }

    private func encode(_ value: some Encodable) throws(DatasetError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
        } catch {
            throw .unwritable(WriteFailure(target, error))
        }
    }
}
