import Files
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Files of what was asked and answered that are whole or not there, also after the power failed.
public enum ExchangeFiles {
    /// After `AtomicFile.write`, through `NAME.writing`: one process at a time holds the folder.
    ///
    /// - Throws: `ExchangeFileError`.
    public static func write(_ data: Data, to url: URL) throws(ExchangeFileError) {
        do throws(WriteFailure) {
            try AtomicFile.write(data, to: url, through: url.appendingPathExtension("writing"))
        } catch {
            throw .writing(error)
        }
    }

    /// Renames a file or folder and makes the new name last.
    public static func rename(_ old: URL, to new: URL) throws(ExchangeFileError) {
        guard renamed(old, new) == 0 else { throw .writing(new, code: errno) }
        let folder = new.deletingLastPathComponent()
        if let code = AtomicFile.synchronise(folder: folder) { throw .writing(folder, code: code) }
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
        if let code = AtomicFile.append(data, to: descriptor) { throw .writing(url, code: code) }
    }

    /// With all folders above it; one that is there is left as it is.
    public static func makeFolder(_ url: URL) throws(ExchangeFileError) {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw .writing(WriteFailure(url, error))
        }
    }

    /// Whether there is a file or folder of that name.
    public static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: plain(url)) }

    /// Without the slash at the end, which would make `rename` ask for a folder.
    private static func plain(_ url: URL) -> String {
        var path = url.path(percentEncoded: false)
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
