import Datasets
import Exchanges
import Files
import Foundation
import ResultStore

/// The small fixed part of the training data that check runs see.
public struct CheckSubset: Sendable, Hashable {
    /// Holds `images/` and `masks/`.
    public var folder: URL
    public var samples: [String]

    public init(folder: URL, samples: [String]) {
        self.folder = folder
        self.samples = samples
    }

    /// Pairs of image and mask: enough for four of them in validation and test each, few enough for seconds an epoch.
    public static let size = 32

    /// Stages the subset below `cache/`, once for each content of the dataset.
    ///
    /// - Parameter hash: `Dataset.contentHash()`.
    /// - Throws: `DatasetError`, `GenerationError`.
    public static func stage(_ dataset: Dataset, hash: String, in workspace: Workspace) throws -> CheckSubset {
        let parent = workspace.cache.appending(path: "staged", directoryHint: .isDirectory)
        try ExchangeFiles.makeFolder(parent)
        let name = "\(dataset.name)-\(hash.prefix(16))-check\(size)"
        let folder = parent.appending(path: name, directoryHint: .isDirectory)
        let lock = try FileLock(waitingFor: parent.appending(path: "\(name).lock"))
        defer { lock.release() }
        if let known = staged(in: folder) { return known }
        let data = try dataset.stageSubset(count: size, seed: 20, to: folder)
        return CheckSubset(folder: data.folder, samples: data.samples)
    }

    /// A folder of that name is complete: it appeared by a rename. Another process may have it mounted, so it is left as it is.
    private static func staged(in folder: URL) -> CheckSubset? {
        let images = folder.appending(path: "images").path(percentEncoded: false)
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: images) else { return nil }
        let samples = names.filter { $0.hasSuffix(".png") }.map { String($0.dropLast(4)) }.sorted()
        return samples.isEmpty ? nil : CheckSubset(folder: folder, samples: samples)
    }
}
