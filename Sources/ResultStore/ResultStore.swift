import Files
import Foundation
import GRDB

/// Every number of a study: `results/<study>/bench.sqlite`.
///
/// ```swift
/// let store = try ResultStore(path: workspace.database(study: "default"))
/// let run = try store.beginRun(RunRecord(key: key, provider: "openai"))
/// ```
///
/// SQLite in write-ahead mode: any number of processes read, one writes at a time, and a writer that finds another at work
/// waits for it (30 s at most). Every function is one transaction. Calls block the calling thread for the length of that
/// transaction, which is milliseconds.
public final class ResultStore: Sendable {
    /// The file.
    public let path: URL
    private let database: any DatabaseWriter
    /// A copy of one that cannot be written: what were written to it would be lost.
    public let isCopy: Bool

    /// Opens the database, making it and its folder when there is none, and brings an older one up to date.
    ///
    /// - Throws: `StoreError.newerVersion` for a file that a later llmbench wrote, `StoreError.notAStore` and `StoreError.foreign` for
    ///   what is none of ours; it is not touched.
    public init(path: URL) throws {
        try Self.refuseOthers(path)
        (self.path, isCopy) = (path, false)
        database = try StoreError.wrapping(path, "opening") {
            try FileManager.default.createDirectory(
                at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            // Two processes that find no tables would both create them.
            let lock = try FileLock(waitingFor: path.appendingPathExtension("lock"))
            defer { lock.release() }
            var configuration = Configuration()
            configuration.busyMode = .timeout(30)
            configuration.foreignKeysEnabled = true
            configuration.prepareDatabase { db in
                // A row `sent` must survive a power cut: it stands for money.
                try db.execute(sql: "PRAGMA synchronous = FULL")
            }
            let pool = try DatabasePool(path: path.path(percentEncoded: false), configuration: configuration)
            let migrator = Schema.migrator
            guard try pool.read({ try !migrator.hasBeenSuperseded($0) }) else {
                throw StoreError.newerVersion(path: path.path(percentEncoded: false))
            }
            try migrator.migrate(pool)
            return pool
        }
    }

    /// Opens the database to be read. One that this process may not write, such as that of a colleague or on a medium that is
    /// read-only, is read as a copy of the moment, in which nothing changes any more; `write` then fails.
    ///
    /// - Throws: As `init(path:)`; `StoreError.busy` where another process writes without a pause.
    public convenience init(reading path: URL) throws {
        guard let unwritable = UnwritableDatabase(path) else {
            try self.init(path: path)
            return
        }
        try Self.refuseOthers(path)
        self.init(path: path, copy: try unwritable.copy())
    }

    init(path: URL, copy: DatabaseQueue) {
        (self.path, isCopy, database) = (path, true, copy)
    }

    private static func refuseOthers(_ path: URL) throws {
        try refuseStrange(path)
        try refuseNewer(path)
        try refuseForeign(path)
    }

    /// What is there and is no regular file.
    private static func refuseStrange(_ path: URL) throws(StoreError) {
        let name = path.path(percentEncoded: false)
        var status = stat()
        guard lstat(name, &status) == 0 else { return }
        guard stat(name, &status) == 0 else {
            throw .foreign(path: name, reason: "is a symbolic link to nothing")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .foreign(
                path: name, reason: status.st_mode & S_IFMT == S_IFDIR ? "is a folder" : "is no regular file")
        }
    }

    /// A database of another program: it has tables, and not those that ours have had from the first version on. Looked at without
    /// changing it; where that is not possible, opening it decides.
    private static func refuseForeign(_ path: URL) throws {
        let name = path.path(percentEncoded: false)
        guard FileManager.default.fileExists(atPath: name) else { return }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(30)
        do {
            let queue = try DatabaseQueue(path: name, configuration: configuration)
            try queue.read { try refuseForeign($0, path: name) }
            try queue.close()
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            throw StoreError.damaged(path: name)
        } catch {
            return
        }
    }

    static func refuseForeign(_ db: Database, path: String) throws {
        let tables = try Set(
            String.fetchAll(
                db,
                sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"))
        // One that was just begun has the table of migrations alone.
        guard !tables.isEmpty, tables != ["grdb_migrations"],
            !tables.isSuperset(of: ["grdb_migrations", "run", "exchange", "round"])
        else { return }
        throw StoreError.foreign(path: path, reason: "is a database of something else than llmbench")
    }

    /// The schema's number stands in the file's header, which is read without opening the database: opening one in
    /// write-ahead mode creates files beside it.
    private static func refuseNewer(_ path: URL) throws {
        guard let file = try? FileHandle(forReadingFrom: path) else { return }
        defer { try? file.close() }
        guard let header = try file.read(upToCount: 100), header.count == 100 else { return }
        guard header.starts(with: Data("SQLite format 3\0".utf8)) else {
            throw StoreError.notAStore(path: path.path(percentEncoded: false))
        }
        let version = header[60..<64].reduce(0) { $0 << 8 | Int($1) }
        guard version <= Schema.version else {
            throw StoreError.newerVersion(path: path.path(percentEncoded: false))
        }
    }

    /// A read on a snapshot of the database.
    func read<T>(_ what: @autoclosure () -> String, _ body: (Database) throws -> T) throws -> T {
        try StoreError.wrapping(path, what()) { try database.read(body) }
    }

    /// A read on the writer's connection, outside of a transaction.
    func readByWriter<T>(_ what: @autoclosure () -> String, _ body: (Database) throws -> T) throws -> T {
        try StoreError.wrapping(path, what()) { try database.writeWithoutTransaction(body) }
    }

    /// One transaction.
    func write<T>(_ what: @autoclosure () -> String, _ body: (Database) throws -> T) throws -> T {
        guard !isCopy else {
            throw StoreError.unusable(path: path.path(percentEncoded: false), reason: String(cString: strerror(EROFS)))
        }
        return try StoreError.wrapping(path, what()) { try database.write(body) }
    }
}

/// Why the store did not do what it was asked.
public enum StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    case newerVersion(path: String)
    case notAStore(path: String)
    /// What lies there is none of ours: `reason` says what it is.
    case foreign(path: String, reason: String)
    case damaged(path: String)
    /// It, its folder or its lock cannot be made or opened.
    case unusable(path: String, reason: String)
    case diskFull(path: String)
    /// Another process held the database for longer than a writer waits.
    case busy(path: String, doing: String)
    case noSuchRun(name: String, study: String)
    case ambiguousRun(name: String, candidates: [String])
    /// `doing` says what was asked, with run, round and file where they apply.
    case failed(path: String, doing: String, reason: String)

    public var description: String {
        switch self {
        case .newerVersion(let path):
            "\(path) was written by a newer llmbench and was left untouched: use that version, or another --study"
        case .notAStore(let path): "\(path) is not a SQLite database: move it away, or use another --study"
        case .foreign(let path, let reason):
            "\(path) \(reason) and was left untouched: move it away, or use another --study"
        case .damaged(let path):
            "\(path) is damaged or was cut short: put back a copy of it, or move it away and begin the study anew"
        case .unusable(let path, let reason):
            "\(path) cannot be opened or made: \(reason); see to its folder, or use another --study or --workspace"
        case .diskFull(let path): "no space left for \(path): free some and run the same command again"
        case .busy(let path, let doing):
            "\(path) is held by another process (while \(doing)): wait for it and run the same command again"
        case .noSuchRun(let name, let study): "study '\(study)' has no run '\(name)': `llmbench generate` makes one"
        case .ambiguousRun(let name, let candidates):
            "'\(name)' fits \(candidates.count) runs, name more of the path: \(candidates.joined(separator: ", "))"
        case .failed(let path, let doing, let reason): "\(path), \(doing): \(reason)"
        }
    }

    static func wrapping<T>(_ path: URL, _ doing: @autoclosure () -> String, _ body: () throws -> T) throws -> T {
        let name = path.path(percentEncoded: false)
        do {
            return try body()
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError {
            switch error.resultCode {
            case .SQLITE_FULL: throw StoreError.diskFull(path: name)
            case .SQLITE_BUSY, .SQLITE_LOCKED: throw StoreError.busy(path: name, doing: doing())
            case .SQLITE_CORRUPT: throw StoreError.damaged(path: name)
            case .SQLITE_NOTADB: throw StoreError.notAStore(path: name)
            // Where there is no room for its side files, SQLite says that it cannot open, map or write them.
            case .SQLITE_IOERR where hasNoRoom(path), .SQLITE_CANTOPEN where hasNoRoom(path):
                throw StoreError.diskFull(path: name)
            default: throw StoreError.failed(path: name, doing: doing(), reason: error.description)
            }
        } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
            throw StoreError.diskFull(path: name)
        } catch {
            if hasNoRoom(path) { throw StoreError.diskFull(path: name) }
            if case FileLock.Failure.unusable(_, let reason) = error {
                throw StoreError.unusable(path: name, reason: reason)
            }
            if let reason = SystemReason.of(error) { throw StoreError.unusable(path: name, reason: reason) }
            throw StoreError.failed(path: name, doing: doing(), reason: "\(error)")
        }
    }

    /// Whether the file system has less room than one page of SQLite's index of the log, or no file more.
    private static func hasNoRoom(_ path: URL) -> Bool {
        var status = statvfs()
        var folder = path.deletingLastPathComponent()
        while statvfs(folder.path(percentEncoded: false), &status) != 0 {
            guard folder.pathComponents.count > 1 else { return false }
            folder.deleteLastPathComponent()
        }
        // One that is never written, such as an image of squashfs, says that it has no room.
        guard status.f_flag & UInt(ST_RDONLY) == 0 else { return false }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize) < 64 << 10
            || (status.f_files > 0 && status.f_favail == 0)
    }
}
