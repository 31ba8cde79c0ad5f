import Datasets
import Files
import Foundation
import Hashing

/// Yielded tensors by content, shared between runs as hard links: pipelines that read a dataset alike store its tensors once.
public struct TensorCache: Sendable {
    public let folder: URL

    /// - Parameter folder: usually `Workspace.cache`; created on first use.
    public init(folder: URL) {
        self.folder = folder.appending(path: "tensors", directoryHint: .isDirectory)
    }

    /// Makes `target` hold `content`: a link to the cached file of the same content, which is written first if need be.
    ///
    /// - Throws: `CaptureError.unwritable`.
    public func place(_ content: Data, at target: URL) throws(CaptureError) {
        let name = SHA256.hexadecimal(content)
        let cached = folder.appending(path: "\(name).safetensors")
        if !holds(cached, content) {
            try HostFile.write(content, to: cached)
        }
        let (from, to) = (cached.path(percentEncoded: false), target.path(percentEncoded: false))
        try HostFile.makeFolder(target.deletingLastPathComponent())
        unlink(to)
        if link(from, to) != 0 {
            // Another file system, or one without hard links.
            try HostFile.write(content, to: target)
        }
    }

    /// A cached file is believed only if it still has the content that its name promises.
    private func holds(_ cached: URL, _ content: Data) -> Bool {
        guard let found = try? Data(contentsOf: cached, options: .mappedIfSafe) else { return false }
        return found == content
    }
}

/// Files of the host's own, complete or absent.
enum HostFile {
    static func makeFolder(_ url: URL) throws(CaptureError) {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw .unwritable(WriteFailure(url, error))
        }
    }

    /// After `AtomicFile.write`, in a folder that is made where it is missing.
    static func write(_ content: Data, to url: URL) throws(CaptureError) {
        try makeFolder(url.deletingLastPathComponent())
        do throws(WriteFailure) {
            try AtomicFile.write(content, to: url)
        } catch {
            throw .unwritable(error)
        }
    }
}
