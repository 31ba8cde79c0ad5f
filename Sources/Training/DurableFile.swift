import Files
import Foundation

/// Files that are either whole on disk or not there: what a killed process or a full disk leaves behind is never half a file
/// under a finished name.
enum DurableFile {
    /// After `AtomicFile.write`, in a folder that is made where it is missing.
    ///
    /// - Throws: `TrainingError.diskFull` and `.file`.
    static func write(_ data: Data, to url: URL) throws {
        try makeFolder(url.deletingLastPathComponent())
        do throws(WriteFailure) {
            try AtomicFile.write(data, to: url)
        } catch {
            throw failure(error)
        }
    }

    /// Reads a regular file that a hostile program may have put there: no links, no devices, no more than `limit` bytes.
    static func read(_ url: URL, limit: Int) throws -> Data {
        do throws(UntrustedFileError) {
            return try UntrustedFile.data(url, maximumBytes: limit)
        } catch {
            let reason =
                switch error {
                case .cannotOpen(_, let reason): reason
                case .notRegular: "is not a regular file; links are not followed"
                case .tooLarge(_, let maximum): "holds more than the \(maximum) bytes that are read"
                }
            throw TrainingError.file(path: url.path, reason: reason)
        }
    }

    static func makeFolder(_ folder: URL) throws {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw failure(WriteFailure(folder, error))
        }
    }

    static func failure(_ failure: WriteFailure) -> TrainingError {
        failure.isFullDisk
            ? .diskFull(path: failure.path) : .file(path: failure.path, reason: failure.reason)
    }
}
