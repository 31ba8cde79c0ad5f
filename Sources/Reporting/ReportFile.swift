import Datasets
import Files
import Foundation

/// A file of a report that a library writes by name: made elsewhere and put in its place as a whole, so that what an earlier report left
/// there stays whole until then.
enum ReportFile {
    /// - Parameter make: writes the file it is given.
    /// - Throws: `ReportError.writing`, and what `make` throws.
    static func write(to url: URL, _ make: (URL) throws -> Void) throws {
        let scratch = FileManager.default.temporaryDirectory.appending(
            path: "llmbench-\(UUID().uuidString).\(url.pathExtension)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        try make(scratch)
        do {
            try AtomicFile.write([UInt8](Data(contentsOf: scratch)), to: AtomicFile.target(url))
        } catch let failure as WriteFailure {
            throw ReportError.writing(path: url.path(percentEncoded: false), reason: failure.reason)
        } catch {
            throw ReportError.writing(path: url.path(percentEncoded: false), reason: ReportError.reason(error))
        }
    }
}
