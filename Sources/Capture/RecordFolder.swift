import Foundation

/// The folder that the helper wrote beside generated code: everything in it may be a trap. Files are opened relative to their
/// folders without following links, must be regular, and are bounded in size.
struct RecordFolder {
    private let path: String

    /// - Parameter out: the host's folder behind `/out`; the record lies in `.llmbench` below it.
    init(out: URL) {
        path = out.path(percentEncoded: false)
    }

    /// The content of a file, or nil where there is none of that name.
    ///
    /// - Parameter name: below `.llmbench`, parts separated by slashes.
    /// - Throws: `CaptureError.badRecord` for links, devices, pipes and files beyond `maximumBytes`.
    func read(_ name: String, maximumBytes: Int) throws(CaptureError) -> Data? {
        var folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return nil }
        defer { close(folder) }
        var parts = [".llmbench"] + name.split(separator: "/").map(String.init)
        let last = parts.removeLast()
        for part in parts {
            let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            if next < 0 {
                if errno == ENOENT { return nil }
                throw .badRecord(file: name, reason: "\(part) is no plain folder")
            }
            close(folder)
            folder = next
        }
        let file = openat(folder, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .badRecord(file: name, reason: "it is no plain file")
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .badRecord(file: name, reason: "it is no plain file")
        }
        guard status.st_size <= maximumBytes else {
            throw .badRecord(file: name, reason: "it has \(status.st_size) bytes, more than \(maximumBytes)")
        }
        return try content(of: file, size: Int(status.st_size), name: name)
    }

    private func content(of file: Int32, size: Int, name: String) throws(CaptureError) -> Data {
        var data = Data(count: size)
        var done = 0
        while done < size {
            let count = data.withUnsafeMutableBytes { buffer in
                buffer.baseAddress.map { pread(file, $0 + done, size - done, off_t(done)) } ?? 0
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .badRecord(file: name, reason: "it ends early") }
            done += count
        }
        return data
    }
}
