import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Files of what was asked and answered that are whole or not there, also after the power failed.
public enum ExchangeFiles {
    /// Writes to a neighbour, synchronises, renames, synchronises the folder.
    ///
    /// - Throws: `ExchangeFileError`; the neighbour is removed.
    public static func write(_ data: Data, to url: URL) throws(ExchangeFileError) {
        let partial = url.appendingPathExtension("writing")
        let descriptor = open(partial.path(percentEncoded: false), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .writing(url, code: errno) }
        do throws(ExchangeFileError) {
            try append(data, to: descriptor, of: url)
            guard fsync(descriptor) == 0 else { throw ExchangeFileError.writing(url, code: errno) }
        } catch {
            close(descriptor)
            unlink(partial.path(percentEncoded: false))
            throw error
        }
        close(descriptor)
        try rename(partial, to: url)
    }

    /// Renames a file or folder and makes the new name last.
    public static func rename(_ old: URL, to new: URL) throws(ExchangeFileError) {
        guard renamed(old, new) == 0 else { throw .writing(new, code: errno) }
        try synchronise(new.deletingLastPathComponent())
    }

    private static func renamed(_ old: URL, _ new: URL) -> Int32 {
        #if canImport(Glibc)
            Glibc.rename(plain(old), plain(new))
        #else
            Darwin.rename(plain(old), plain(new))
        #endif
    }

    /// All bytes, in as many calls as it takes.
    static func append(_ data: Data, to descriptor: Int32, of url: URL) throws(ExchangeFileError) {
        var failure: Int32 = 0
        data.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                #if canImport(Glibc)
                    let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                #else
                    let count = Darwin.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                #endif
                if count >= 0 {
                    done += count
                } else if errno != EINTR {
                    failure = errno
                    return
                }
            }
        }
        if failure != 0 { throw .writing(url, code: failure) }
    }

    /// With all folders above it; one that is there is left as it is.
    public static func makeFolder(_ url: URL) throws(ExchangeFileError) {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
            throw .diskFull(path: plain(url))
        } catch {
            throw .cannotWrite(path: plain(url), reason: error.localizedDescription)
        }
    }

    /// Whether there is a file or folder of that name.
    public static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: plain(url)) }

    private static func synchronise(_ folder: URL) throws(ExchangeFileError) {
        let descriptor = open(plain(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .writing(folder, code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .writing(folder, code: errno) }
    }

    /// Without the slash at the end, which would make `rename` ask for a folder.
    private static func plain(_ url: URL) -> String {
        var path = url.path(percentEncoded: false)
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
