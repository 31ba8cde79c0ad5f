import Files
import Foundation

/// A folder in the layout `images/`, `masks/` that can be mounted read-only as `/data`.
public struct StagedData: Sendable, Hashable {
    public var folder: URL
    /// The samples in it, in order of their names.
    public var samples: [String]
}

extension Dataset {
    /// The whole training part: what a pipeline trains, validates and tests on.
    ///
    /// Files are copies: whatever happens to the folder, the dataset stays as it is.
    ///
    /// - Parameter target: Created, or replaced where it holds nothing but an earlier staging.
    /// - Throws: `DatasetError`.
    public func stageTraining(to target: URL) throws(DatasetError) -> StagedData {
        try stage(split.training.sorted(), to: target) { id, masks throws(DatasetError) in
            try copy(maskURL(id), to: masks)
        }
    }

    /// A fixed small part of the training data for check runs. Samples with foreground come first, in a seeded order: a check run on
    /// empty masks would show little.
    ///
    /// - Parameters:
    ///   - count: How many samples; the whole training part if it has fewer.
    ///   - seed: The same seed and dataset give the same samples.
    /// - Throws: `DatasetError`.
    /// - Complexity: decodes every training mask.
    public func stageSubset(count: Int, seed: UInt64, to target: URL) throws(DatasetError) -> StagedData {
        var generator = SeededGenerator(seed: seed)
        var withForeground: [String] = []
        var empty: [String] = []
        for id in split.training.sorted().shuffled(using: &generator) {
            if withForeground.count >= count { break }
            let mask = try truth(id)
            if mask.bytes.contains(255) { withForeground.append(id) } else { empty.append(id) }
        }
        let chosen = (withForeground + empty).prefix(max(0, count)).sorted()
        return try stage(chosen, to: target) { id, masks throws(DatasetError) in
            try copy(maskURL(id), to: masks)
        }
    }

    /// The held-out images with a placeholder in place of every mask.
    ///
    /// The placeholder is a centred disc, a quarter of the image's shorter side in radius: loaders that skip or refuse empty masks keep
    /// working, and nothing of the truth leaves the host.
    ///
    /// - Throws: `DatasetError`.
    public func stageHeldOut(to target: URL) throws(DatasetError) -> StagedData {
        try stage(split.heldOut.sorted(), to: target) { id, masks throws(DatasetError) in
            let image = try image(id)
            let placeholder = Self.placeholder(width: image.width, height: image.height)
            do throws(PNGError) {
                try PNG.write(placeholder, to: masks.appending(path: id + description.maskSuffix + ".png"))
            } catch {
                throw .picture(error)
            }
        }
    }

    /// The disc that stands in for a held-out mask.
    static func placeholder(width: Int, height: Int) -> Image {
        let radius = Double(min(width, height)) / 4
        var bytes = [UInt8](repeating: 0, count: width * height)
        for y in 0..<height {
            for x in 0..<width {
                let dx = Double(x) - Double(width - 1) / 2
                let dy = Double(y) - Double(height - 1) / 2
                if dx * dx + dy * dy <= radius * radius { bytes[y * width + x] = 255 }
            }
        }
        return Image(checked: width, height, 1, bytes)
    }

    /// Fills a neighbour and renames it, so that a folder that exists is complete.
    private func stage(
        _ ids: [String], to target: URL, mask: (_ id: String, _ masks: URL) throws(DatasetError) -> Void
    ) throws(DatasetError) -> StagedData {
        let partial = try StagingFolder(replacing: target)
        do throws(DatasetError) {
            for id in ids {
                try copy(imageURL(id), to: partial.images)
                try mask(id, partial.masks)
            }
            try partial.commit()
        } catch {
            partial.discard()
            throw error
        }
        return StagedData(folder: target, samples: ids)
    }

    private func copy(_ source: URL, to folder: URL) throws(DatasetError) {
        let target = folder.appending(path: source.lastPathComponent)
        let path = source.path(percentEncoded: false)
        var status = stat()
        guard lstat(path, &status) == 0 else {
            throw .unreadable(.cannotOpen(path: path, reason: String(cString: strerror(errno))))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(.notRegular(path: path)) }
        do {
            try FileManager.default.copyItem(at: source, to: target)
        } catch {
            throw .unwritable(WriteFailure(target, error))
        }
    }
}

/// A folder with `images/` and `masks/` that appears under its name only when complete.
struct StagingFolder {
    let target: URL
    let partial: URL

    var images: URL { partial.appending(path: "images", directoryHint: .isDirectory) }
    var masks: URL { partial.appending(path: "masks", directoryHint: .isDirectory) }

    init(replacing target: URL) throws(DatasetError) {
        self.target = target
        let name = ".\(target.lastPathComponent).\(UUID().uuidString.prefix(8)).partial"
        partial = target.deletingLastPathComponent().appending(path: name, directoryHint: .isDirectory)
        try Self.requireReplaceable(target)
        do {
            try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
            try FileManager.default.createDirectory(at: masks, withIntermediateDirectories: true)
        } catch {
            throw .unwritable(WriteFailure(partial, error))
        }
    }

    func commit() throws(DatasetError) {
        try Self.requireReplaceable(target)
        do {
            if FileManager.default.fileExists(atPath: target.path(percentEncoded: false)) {
                try FileManager.default.removeItem(at: target)
            }
            try FileManager.default.moveItem(at: partial, to: target)
        } catch {
            throw .unwritable(WriteFailure(target, error))
        }
    }

    func discard() {
        try? FileManager.default.removeItem(at: partial)
    }

    /// Nothing is removed that this type could not have made.
    private static func requireReplaceable(_ target: URL) throws(DatasetError) {
        let path = target.path(percentEncoded: false)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? ["?"]
        guard isFolder.boolValue, Set(entries).isSubset(of: ["images", "masks"]) else { throw .occupied(path: path) }
    }
}
