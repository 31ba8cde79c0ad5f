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

    /// Writes a temporary file in the same folder, flushes it, and renames it over `url`.
    static func replace(_ url: URL, with data: Data) throws {
        let temporary = url.deletingLastPathComponent().appending(
            path: ".\(url.lastPathComponent).\(UInt64.random(in: 0 ... .max))")
        let descriptor = open(temporary.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(temporary) }
        do {
            try data.withUnsafeBytes { bytes in
                var written = 0
                while written < bytes.count {
                    let count = write(descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
                    guard count > 0 else { throw failure(temporary) }
                    written += count
                }
            }
            guard fsync(descriptor) == 0 else { throw failure(temporary) }
            close(descriptor)
        } catch {
            close(descriptor)
            unlink(temporary.path)
            throw error
        }
        guard rename(temporary.path, url.path) == 0 else {
            let error = failure(url)
            unlink(temporary.path)
            throw error
        }
    }

    private static func failure(_ url: URL) -> RuntimeError {
        .file(path: url.path, reason: String(cString: strerror(errno)))
    }
}
