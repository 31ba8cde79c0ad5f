import Datasets
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
}
