import Files
import Foundation
import GRDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A database that can be read and not written. SQLite reads one in write-ahead mode only where it may make files beside it, so a
/// copy is read.
struct UnwritableDatabase {
    /// Its path without links: SQLite keeps the log beside the end of a link.
    private let path: String
    /// Where the copy is made.
    private let temporary: URL
    /// How often a copy is tried while another process writes, and the pause between, in seconds.
    var attempts = 50
    var pause = 0.1

    /// Nil where there is none, or where it, its folder, its log and its lock take writes of this process.
    init?(_ database: URL, temporary: URL = FileManager.default.temporaryDirectory) {
        self.init(any: database, temporary: temporary)
        let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        let beside = ["-wal", "-shm", ".lock"].map { path + $0 }.filter { access($0, F_OK) == 0 }
        guard ([path, folder] + beside).contains(where: { access($0, W_OK) != 0 }) else { return nil }
    }

    /// Whether it can be written or not.
    init?(any database: URL, temporary: URL) {
        guard let resolved = realpath(database.path(percentEncoded: false), nil) else { return nil }
        defer { free(resolved) }
        path = String(cString: resolved)
        self.temporary = temporary
        guard access(path, R_OK) == 0 else { return nil }
    }

    /// A copy on which a reader may work, brought up to date as an older one is when it is opened. Its file has no name any more
    /// when this returns, so that nothing is left behind.
    ///
    /// - Throws: `StoreError.busy` where another process writes without a pause, `.newerVersion` and `.foreign` as for the original;
    ///   `.unusable` and `.diskFull` with the temporary folder's path.
    func copy() throws -> DatabaseQueue {
        let folder = temporary.appending(
            path: "llmbench-read-\(UUID().uuidString)", directoryHint: .isDirectory)
        defer { try? FileManager.default.removeItem(at: folder) }
        let copy = folder.appending(path: "bench.sqlite")
        return try StoreError.wrapping(folder, "copying \(path) to it, to be read") {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try copyAtRest(to: copy)
            let queue = try DatabaseQueue(path: copy.path(percentEncoded: false))
            // Folds in what a killed writer left in its log, and needs no files beside it from then on.
            try queue.inDatabase {
                _ = try String.fetchOne($0, sql: "PRAGMA journal_mode = MEMORY")
                try $0.execute(sql: "PRAGMA temp_store = MEMORY")
            }
            // Its header and its tables are whole now: what could not be seen of the original is seen here.
            try queue.read { try ResultStore.refuseForeign($0, path: path) }
            guard try queue.read({ try !Schema.migrator.hasBeenSuperseded($0) }) else {
                throw StoreError.newerVersion(path: path)
            }
            try Schema.migrator.migrate(queue)
            return queue
        }
    }

    /// The database, its log and its journal as they stood together: none changed from before the copy until after it.
    private func copyAtRest(to copy: URL) throws {
        let pairs = ["", "-wal", "-journal"].map { (from: path + $0, to: copy.path(percentEncoded: false) + $0) }
        for _ in 0..<attempts {
            let before = pairs.map { FileState($0.from) }
            // A file system tells times to some milliseconds only: what has just changed may change again unseen.
            if before[0] != nil, before.allSatisfy({ $0?.isAtRest ?? true }) {
                for (pair, state) in zip(pairs, before) {
                    unlink(pair.to)
                    if state != nil { try Self.copy(pair.from, to: pair.to) }
                }
                if pairs.map({ FileState($0.from) }) == before { return }
            }
            Thread.sleep(forTimeInterval: pause)
        }
        throw StoreError.busy(path: path, doing: "copying it to be read")
    }

    /// What there is to be read until its end; nothing where it has gone.
    ///
    /// - Throws: `StoreError` for what cannot be read, `POSIXError` for what cannot be written.
    private static func copy(_ from: String, to: String) throws {
        let source = open(from, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else {
            guard errno != ENOENT else { return }
            throw StoreError.unusable(path: from, reason: String(cString: strerror(errno)))
        }
        defer { close(source) }
        let target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        defer { close(target) }
        var chunk = Data(count: 1 << 20)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(source, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw StoreError.unusable(path: from, reason: String(cString: strerror(errno))) }
            guard count > 0 else { return }
            if let code = AtomicFile.append(chunk.prefix(count), to: target) {
                throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO)
            }
        }
    }

    private struct FileState: Equatable {
        let inode: UInt64
        let bytes: Int64
        let seconds: Int
        let nanoseconds: Int

        /// Nil where there is no file.
        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            #if canImport(Darwin)
                let changed = status.st_mtimespec
            #else
                let changed = status.st_mtim
            #endif
            (inode, bytes) = (UInt64(status.st_ino), Int64(status.st_size))
            (seconds, nanoseconds) = (changed.tv_sec, changed.tv_nsec)
        }

        /// Not changed in the last tenth of a second; a time further ahead than a second is another machine's clock.
        var isAtRest: Bool {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            let age = Double(now.tv_sec - seconds) + Double(now.tv_nsec - nanoseconds) * 1e-9
            return age > 0.1 || age < -1
        }
    }
}
