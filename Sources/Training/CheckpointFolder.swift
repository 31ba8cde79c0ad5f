import Foundation
import Hashing
import TensorRuntime

/// The checkpoints of one training: one safetensors file an epoch, whose name carries the SHA-256 of its bytes.
///
/// A file appears under its name in one step, so a killed process leaves the previous checkpoint; a file whose bytes no longer
/// match its name is passed over for the one before. The last two are kept.
struct CheckpointFolder {
    static let kept = 2
    /// No more than this is read back, 16 GiB.
    static let maximumBytes = 16 << 30

    let url: URL

    struct Saved {
        var epoch: Int
        var tensors: SafeTensors
        /// Newer checkpoints that were damaged, by file name.
        var damaged: [String]
    }

    /// - Throws: `TrainingError.diskFull`, `.file`; the checkpoints before stay as they were.
    func save(epoch: Int, tensors: [String: Tensor], metadata: [String: String]) throws {
        let data: Data
        do {
            data = try SafeTensors.encode(tensors, metadata: metadata)
        } catch {
            throw TrainingError.harness(reason: "the checkpoint of epoch \(epoch) cannot be encoded: \(error)")
        }
        let target = url.appending(path: Self.name(epoch: epoch, digest: Self.digest(of: data)))
        try DurableFile.write(data, to: target)
        prune(keeping: target.lastPathComponent)
    }

    /// The newest checkpoint that is whole; nil where the training has none yet.
    ///
    /// - Throws: `TrainingError.noUsableCheckpoint` where there are some and all are damaged.
    func latest() throws -> Saved? {
        var damaged: [String] = []
        let files = files()
        for (epoch, name) in files {
            if let tensors = whole(name) { return Saved(epoch: epoch, tensors: tensors, damaged: damaged) }
            damaged.append(name)
        }
        if damaged.isEmpty { return nil }
        throw TrainingError.noUsableCheckpoint(path: url.path, damaged: damaged.count)
    }

    func removeAll() throws {
        for (_, name) in files() { try? FileManager.default.removeItem(at: url.appending(path: name)) }
    }

    /// Newest first.
    private func files() -> [(epoch: Int, name: String)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        return names.compactMap { name in Self.epoch(of: name).map { ($0, name) } }
            .sorted { ($0.epoch, $0.name) > ($1.epoch, $1.name) }
    }

    private func whole(_ name: String) -> SafeTensors? {
        guard let data = try? DurableFile.read(url.appending(path: name), limit: Self.maximumBytes),
            name.hasSuffix(".\(Self.digest(of: data)).safetensors")
        else { return nil }
        return try? SafeTensors(data: data, name: name)
    }

    private func prune(keeping newest: String) {
        // What a killed process had begun; the training's lock says that nobody writes it now.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        where name.hasPrefix(".epoch-") && name.hasSuffix(".partial") {
            try? FileManager.default.removeItem(at: url.appending(path: name))
        }
        // What is damaged counts as none, so that two good ones stay.
        var good = 0
        for (_, name) in files() {
            if name != newest, good >= Self.kept || whole(name) == nil {
                try? FileManager.default.removeItem(at: url.appending(path: name))
            } else {
                good += 1
            }
        }
    }

    private static func digest(of data: Data) -> String {
        String(SHA256.hexadecimal(data).prefix(16))
    }

    private static func name(epoch: Int, digest: String) -> String {
        let number = String(epoch)
        return "epoch-\(String(repeating: "0", count: max(0, 5 - number.count)))\(number).\(digest).safetensors"
    }

    private static func epoch(of name: String) -> Int? {
        let parts = name.split(separator: ".")
        guard parts.count == 3, parts[2] == "safetensors", parts[0].hasPrefix("epoch-") else { return nil }
        return Int(parts[0].dropFirst(6))
    }
}
