import Foundation

/// What lies in a folder that somebody else wrote to, found without following a single link.
///
/// Each folder is opened relative to its parent's descriptor and with `O_NOFOLLOW`, so that nothing that is swapped for a link
/// during the walk leads outside. Counts and depth are bounded: a walk through hostile input ends.
public struct FolderListing: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case file, folder, link
        /// A FIFO, socket or device: never open one.
        case other
    }

    public struct Entry: Sendable, Hashable {
        /// Relative to the folder, components separated by `/`. For the eye of a terminal use `printable(_:)`.
        public var path: String
        public var kind: Kind
        /// As the file states it; 0 for everything but files.
        public var bytes: Int
        /// What it occupies: less than `bytes` for a file with holes.
        public var allocatedBytes: Int
    }

    /// Sorted by path.
    public private(set) var entries: [Entry] = []
    public private(set) var allocatedBytes = 0
    /// True where there were more entries than asked for, or a folder lay deeper, or one could not be opened.
    public private(set) var isCut = false

    /// - Parameters:
    ///   - folder: Its own path is trusted; what is inside is not.
    ///   - maximumDepth: Folders below folders, one open descriptor each.
    /// - Throws: `SandboxError.broken` where the folder itself cannot be opened.
    public init(_ folder: URL, maximumEntries: Int = 20_000, maximumDepth: Int = 64) throws(SandboxError) {
        let path = folder.path(percentEncoded: false)
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .broken(reason: "cannot list \(path): \(systemMessage(errno))") }
        walk(descriptor, prefix: "", entriesLeft: maximumEntries, depthLeft: maximumDepth)
        entries.sort { $0.path < $1.path }
    }

    public var files: [Entry] { entries.filter { $0.kind == .file } }

    /// Closes the descriptor.
    private mutating func walk(_ descriptor: Int32, prefix: String, entriesLeft maximum: Int, depthLeft: Int) {
        guard let stream = fdopendir(descriptor) else {
            close(descriptor)
            isCut = true
            return
        }
        defer { closedir(stream) }
        while let item = readdir(stream) {
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            guard entries.count < maximum else {
                isCut = true
                return
            }
            add(name, in: dirfd(stream), prefix: prefix, maximum: maximum, depthLeft: depthLeft)
        }
    }

    private mutating func add(_ name: String, in folder: Int32, prefix: String, maximum: Int, depthLeft: Int) {
        var status = stat()
        guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return }
        let allocated = Int(status.st_blocks) * 512
        allocatedBytes += allocated
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
        entries.append(
            Entry(
                path: prefix + name, kind: kind, bytes: kind == .file ? Int(status.st_size) : 0,
                allocatedBytes: allocated))
        guard kind == .folder else { return }
        guard depthLeft > 0 else {
            isCut = true
            return
        }
        let descriptor = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            isCut = true
            return
        }
        walk(descriptor, prefix: prefix + name + "/", entriesLeft: maximum, depthLeft: depthLeft - 1)
    }
}
