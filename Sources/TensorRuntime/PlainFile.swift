import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Opening files that others may have tampered with, and replacing files as a whole.
enum PlainFile {
    /// The bytes of a plain file, mapped; a symbolic link, a FIFO, a directory or an oversized file is refused.
    static func map(_ url: URL, maximumBytes: Int) throws -> Data {
        let descriptor = open(url.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(url) }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw failure(url) }
        guard information.st_mode & S_IFMT == S_IFREG else {
            throw RuntimeError.file(path: url.path, reason: "it is not a plain file")
        }
        let size = Int(information.st_size)
        guard size <= maximumBytes else {
            throw RuntimeError.file(
                path: url.path, reason: "it has \(size) bytes, more than the \(maximumBytes) allowed")
        }
        guard size > 0 else { return Data() }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw failure(url)
        }
        return Data(bytesNoCopy: address, count: size, deallocator: .unmap)
    }

    /// Writes a temporary file in the same folder, flushes it, renames it over `url`, and flushes the folder.
    ///
    /// `body` is given a function that writes bytes. Whatever throws, the file that was at `url` stays and no other is left.
    static func replace(_ url: URL, _ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws {
        let folder = url.deletingLastPathComponent()
        let temporary = folder.appending(path: ".\(url.lastPathComponent).\(UInt64.random(in: 0 ... .max))")
        let descriptor = open(temporary.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(temporary) }
        do {
            defer { close(descriptor) }
            try body { try write($0, to: descriptor, temporary) }
            guard fsync(descriptor) == 0 else { throw failure(temporary) }
        } catch {
            unlink(temporary.path)
            throw error
        }
        guard rename(temporary.path, url.path) == 0 else {
            let error = failure(url)
            unlink(temporary.path)
            throw error
        }
        flush(folder: folder)
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ url: URL) throws {
        var written = 0
        while written < bytes.count {
            guard let start = bytes.baseAddress?.advanced(by: written) else { return }
            #if canImport(Glibc)
                let count = Glibc.write(descriptor, start, bytes.count - written)
            #else
                let count = Darwin.write(descriptor, start, bytes.count - written)
            #endif
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(url) }
            written += count
        }
    }

    /// A rename is on the disk only with its folder; where folders cannot be flushed, the file system does it in its own time.
    private static func flush(folder: URL) {
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func failure(_ url: URL) -> RuntimeError {
        .file(path: url.path, reason: String(cString: strerror(errno)))
    }
}
