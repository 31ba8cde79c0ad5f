import Foundation

/// What a program has written so far: in the writable folders, in its private /tmp, and in files without a name.
struct DiskWatch {
    let writable: [URL]
    let output: URL
    let reserveBytes: Int
    private let devices: Set<UInt>

    private(set) var namelessMemory = 0
    /// The file system of this path has less than the reserve left.
    private(set) var fullPath: String?
    private var folders = (bytes: 0, files: 0)
    private var temporary = (bytes: 0, files: 0)
    private var namelessBytes = 0
    private var nextWalk = ContinuousClock.now
    private var nextDescriptors = ContinuousClock.now

    init(writable: [URL], output: URL, reserveBytes: Int) {
        self.writable = writable
        self.output = output
        self.reserveBytes = reserveBytes
        devices = Set(
            writable.compactMap { url in
                var status = stat()
                return lstat(url.path(percentEncoded: false), &status) == 0 ? UInt(status.st_dev) : nil
            })
    }

    var writtenBytes: Int { folders.bytes + temporary.bytes + namelessBytes }
    var writtenFiles: Int { folders.files + temporary.files }

    /// - Parameter initProcess: The first process of the sandbox; its root shows the private /tmp.
    mutating func sample(tree: ProcessTree, initProcess: pid_t?) {
        let now = ContinuousClock.now
        if let initProcess {
            temporary = (0, 0)
            for folder in ["tmp", "dev/shm"] {
                let inside = "/proc/\(initProcess)/root/\(folder)"
                guard let usage = Self.ownUsage(of: inside, beside: "/" + folder) else { continue }
                temporary.bytes += usage.usedBytes
                temporary.files += usage.usedFiles
            }
        }
        if now >= nextWalk {
            walk()
            // A walk takes at most a tenth of the time, however many files there are.
            let cost = ContinuousClock.now - now
            nextWalk = .now + max(.milliseconds(100), cost * 10)
        }
        if now >= nextDescriptors {
            let nameless = tree.namelessBytes(devices: devices)
            namelessBytes = nameless.onDevices
            namelessMemory = nameless.inMemory
            nextDescriptors = .now + max(.milliseconds(250), (ContinuousClock.now - now) * 10)
        }
    }

    /// Counts the writable folders once more when the program has ended: one that writes fast can be over its limit, and ended by
    /// the bound on a single file, before the first sample saw it.
    mutating func settle() {
        walk()
        temporary = (0, 0)
        namelessBytes = 0
    }

    private mutating func walk() {
        folders = (0, 0)
        for folder in writable {
            guard let listing = try? FolderListing(folder, maximumEntries: 200_000) else { continue }
            folders.bytes += listing.allocatedBytes
            // What cannot be counted because it lies too deep counts as too much.
            folders.files += listing.isCut ? Int.max / 4 : listing.entries.count
        }
        for url in writable + [output] {
            let path = url.path(percentEncoded: false)
            if let usage = Self.usage(of: path), usage.freeBytes < reserveBytes, fullPath == nil { fullPath = path }
        }
    }

    /// What a folder's file system holds; nil where it is not there, or is the machine's own.
    ///
    /// Before bubblewrap has changed its root, the path inside shows the machine's folder, and for a moment none at all. So the file system
    /// is asked for before and after: where it cannot be told, or has changed meanwhile, nothing is counted.
    static func ownUsage(of inside: String, beside machine: String) -> (usedBytes: Int, usedFiles: Int, freeBytes: Int)?
    {
        guard let before = device(of: inside), before != device(of: machine), let usage = usage(of: inside),
            device(of: inside) == before
        else { return nil }
        return usage
    }

    private static func device(of path: String) -> UInt? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt(status.st_dev) : nil
    }

    static func usage(of path: String) -> (usedBytes: Int, usedFiles: Int, freeBytes: Int)? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let block = Int(status.f_frsize)
        let used = Int(status.f_blocks) - Int(status.f_bfree)
        return (used * block, Int(status.f_files) - Int(status.f_ffree), Int(status.f_bavail) * block)
    }
}
