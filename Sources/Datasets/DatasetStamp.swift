import Foundation

/// What the file system says of a dataset's files without opening them: another one where a file was written, put in place of another,
/// or taken away since.
///
/// A file that is written within the clock's grain of the last look, with as many bytes, cannot be seen; its grain is nanoseconds on
/// the file systems in use.
public struct DatasetStamp: Sendable, Hashable {
    private struct File: Hashable {
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    /// Nil for a file that is not there.
    private var files: [File?]

    fileprivate init(_ urls: [URL]) {
        files = urls.map { url in
            var status = stat()
            guard stat(url.path(percentEncoded: false), &status) == 0 else { return nil }
            // The time of the last change of the file's record, which nobody can set back.
            return File(
                inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: Int(status.st_ctim.tv_sec),
                nanoseconds: Int(status.st_ctim.tv_nsec))
        }
    }
}

extension Dataset {
    /// - Complexity: one look at the file system a file; none is opened.
    public func stamp() -> DatasetStamp {
        DatasetStamp(
            ["dataset.json", "split.json"].map { folder.appending(path: $0) }
                + samples.flatMap { [imageURL($0), maskURL($0)] })
    }
}
