import Foundation

/// Files that are either whole on disk or not there: what a killed process or a full disk leaves behind is never half a file
/// under a finished name.
enum DurableFile {
    /// Writes beside the target, syncs, renames, syncs the folder.
    ///
    /// - Throws: `TrainingError.diskFull` and `.file`.
    static func write(_ data: Data, to url: URL) throws {
        let folder = url.deletingLastPathComponent()
        try makeFolder(folder)
        let partial = folder.appending(path: ".\(url.lastPathComponent).\(getpid()).partial")
        unlink(partial.path)
        let descriptor = open(partial.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(errno, at: url.path) }
        do {
            defer { close(descriptor) }
            try write(data, to: descriptor, path: url.path)
            guard fsync(descriptor) == 0 else { throw failure(errno, at: url.path) }
        } catch {
            unlink(partial.path)
            throw error
        }
        guard rename(partial.path, url.path) == 0 else {
            let code = errno
            unlink(partial.path)
            throw failure(code, at: url.path)
        }
        sync(folder: folder)
    }

    /// Writes all bytes to an open descriptor, however many calls that takes.
    static func write(_ data: Data, to descriptor: Int32, path: String) throws {
        try data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            var done = 0
            while done < bytes.count {
                let count = Foundation.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw failure(errno, at: path)
                }
                done += count
            }
        }
    }

    /// Reads a regular file that a hostile program may have put there: no links, no devices, no more than `limit` bytes.
    static func read(_ url: URL, limit: Int) throws -> Data {
        let descriptor = open(url.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw TrainingError.file(
                path: url.path, reason: errno == ELOOP ? "is a link, which is not followed" : reason(errno))
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(errno, at: url.path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw TrainingError.file(path: url.path, reason: "is not a regular file")
        }
        guard status.st_size <= limit else {
            throw TrainingError.file(
                path: url.path, reason: "holds \(status.st_size) bytes, more than the \(limit) that are read")
        }
        do {
            return try handle.read(upToCount: limit) ?? Data()
        } catch {
            throw TrainingError.file(path: url.path, reason: "cannot be read")
        }
    }

    static func makeFolder(_ folder: URL) throws {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
            throw TrainingError.diskFull(path: folder.path)
        } catch {
            throw TrainingError.file(path: folder.path, reason: "the folder cannot be made")
        }
    }

    private static func sync(folder: URL) {
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func failure(_ code: Int32, at path: String) -> TrainingError {
        code == ENOSPC || code == EDQUOT ? .diskFull(path: path) : .file(path: path, reason: reason(code))
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
