import Datasets
import Files
import Foundation

/// A file that the user named for a result.
enum OutputFile {
    /// Where it is written: a symbolic link's end.
    ///
    /// - Throws: `CommandFailure.usage` for what is there and is no regular file.
    static func url(_ path: String) throws(CommandFailure) -> URL {
        do throws(WriteFailure) {
            return try AtomicFile.target(URL(filePath: path))
        } catch {
            throw .usage(error.description)
        }
    }

    /// Where a picture is written; one that is there is replaced.
    ///
    /// - Throws: `CommandFailure.usage` for another file that is there.
    static func picture(_ path: String) throws(CommandFailure) -> URL {
        let url = try url(path)
        guard FileManager.default.fileExists(atPath: url.path(percentEncoded: false)) else { return url }
        let start = try? FileHandle(forReadingFrom: url).read(upToCount: signature.count) ?? Data()
        guard let start, start.isEmpty || Array(start) == signature else {
            throw .usage("\(path) exists, is no PNG and was left as it is: name another file")
        }
        return url
    }

    /// The first eight bytes of every PNG (ISO/IEC 15948, 5.2).
    private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
}
