import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Files that appear whole or not at all.
public enum AtomicFile {
    /// Where a file that a user named is to be written: the end of a symbolic link, which stays a link.
    ///
    /// - Throws: `WriteFailure` for what is there and is no regular file, such as a device, which a rename would replace.
    public static func target(_ url: URL) throws(WriteFailure) -> URL {
        let path = url.path(percentEncoded: false)
        var status = stat()
        guard lstat(path, &status) == 0 else { return url }
        var url = url
        if status.st_mode & S_IFMT == S_IFLNK {
            guard let resolved = realpath(path, nil), stat(path, &status) == 0 else {
                throw WriteFailure(path: path, reason: "it is a symbolic link to nothing; name a file")
            }
            defer { free(resolved) }
            url = URL(filePath: String(cString: resolved))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            throw WriteFailure(
                path: path,
                reason: "it is \(isFolder ? "a folder" : "no regular file"), and was left as it is; name a file")
        }
        return url
    }

    /// Fills a temporary neighbour, synchronises it to the disk and renames it. A reader sees the old bytes or the new ones.
    ///
    /// - Throws: `WriteFailure`; the temporary file is removed.
    public static func write(_ bytes: [UInt8], to url: URL) throws(WriteFailure) {
        let path = url.path(percentEncoded: false)
        var template = Array((path + ".XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw WriteFailure(path: path, code: errno) }
        var failure: Int32 = 0
        var written = 0
        while written < bytes.count, failure == 0 {
            let count = bytes.withUnsafeBytes { buffer in
                #if canImport(Glibc)
                    Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
                #else
                    Darwin.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
                #endif
            }
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                failure = errno
            }
        }
        if failure == 0, fchmod(descriptor, 0o644) != 0 || fsync(descriptor) != 0 { failure = errno }
        close(descriptor)
        if failure == 0, rename(template, path) != 0 { failure = errno }
        guard failure == 0 else {
            unlink(template)
            throw WriteFailure(path: path, code: failure)
        }
    }
}
