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

    /// Fills a neighbour, synchronises it to the disk, renames it and synchronises the folder. A reader sees the old bytes or the new
    /// ones, also after the power failed.
    ///
    /// - Parameters:
    ///   - neighbour: What is filled, where the caller alone writes `url` at a time; one that a killed process left is overwritten. By
    ///     default a hidden file of a name that no other process makes, `.NAME.RANDOM.partial`.
    ///   - synchronisesFolder: False where a folder is filled that is renamed as a whole.
    /// - Throws: `WriteFailure`; the neighbour is removed, and `url` is what it was.
    public static func write(
        _ bytes: some ContiguousBytes, to url: URL, through neighbour: URL? = nil, synchronisesFolder: Bool = true
    ) throws(WriteFailure) {
        let path = url.path(percentEncoded: false)
        let (descriptor, partial) = try make(neighbour, beside: url)
        var failure = append(bytes, to: descriptor)
        if failure == nil, fsync(descriptor) != 0 { failure = errno }
        close(descriptor)
        if failure == nil, rename(partial, path) != 0 { failure = errno }
        if let failure {
            unlink(partial)
            throw WriteFailure(path: path, code: failure)
        }
        // The file is in its place; a folder that cannot be synchronised is no reason to call it unwritten.
        if synchronisesFolder { _ = synchronise(folder: url.deletingLastPathComponent()) }
    }

    private static func make(
        _ neighbour: URL?, beside url: URL
    ) throws(WriteFailure) -> (descriptor: Int32, path: String) {
        let (folder, flags) = (url.deletingLastPathComponent(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC)
        while true {
            let random = String(UInt64.random(in: .min ... .max), radix: 36)
            let partial = (neighbour ?? folder.appending(path: ".\(url.lastPathComponent).\(random).partial"))
                .path(percentEncoded: false)
            let descriptor = open(partial, flags | (neighbour == nil ? O_EXCL : O_TRUNC), 0o644)
            if descriptor >= 0 { return (descriptor, partial) }
            guard errno == EEXIST, neighbour == nil else {
                throw WriteFailure(path: url.path(percentEncoded: false), code: errno)
            }
        }
    }

    /// All bytes, in as many calls as it takes.
    ///
    /// - Returns: `errno`; nil when all was written.
    public static func append(_ bytes: some ContiguousBytes, to descriptor: Int32) -> Int32? {
        bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                #if canImport(Glibc)
                    let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
                #else
                    let count = Darwin.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
                #endif
                if count >= 0 {
                    done += count
                } else if errno != EINTR {
                    return errno
                }
            }
            return nil
        }
    }

    /// Makes the names in a folder last, where its file system can.
    ///
    /// - Returns: `errno`; nil when it is done, or where the file system has no such thing.
    public static func synchronise(folder: URL) -> Int32? {
        let descriptor = open(folder.path(percentEncoded: false), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        return fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP ? nil : errno
    }
}
