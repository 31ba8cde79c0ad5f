import Exchanges
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Folders that generated code filled: links that lead out, names that break lines, paths deeper than any path may be.
enum HostileTree {
    /// Removes a folder or file with all below it. No link is followed. The depth does not matter: folders are moved up to the
    /// top one by one, so that neither a path nor the number of open files grows.
    static func remove(_ url: URL) throws(ExchangeFileError) {
        var path = url.path(percentEncoded: false)
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw .writing(url, code: errno)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            guard unlink(path) == 0 else { throw .writing(url, code: errno) }
            return
        }
        chmod(path, 0o700)
        let top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard top >= 0 else { throw .writing(url, code: errno) }
        defer { close(top) }
        var moved = 0
        while true {
            let names = entries(top)
            if names.isEmpty { break }
            for name in names { try removeEntry(name, in: top, moved: &moved, root: url) }
        }
        guard rmdir(path) == 0 else { throw .writing(url, code: errno) }
    }

    /// Removes a file, or a folder after its own folders were moved to the top.
    private static func removeEntry(
        _ name: [CChar], in top: Int32, moved: inout Int, root: URL
    ) throws(ExchangeFileError) {
        guard isFolder(name, in: top) else {
            guard unlinkat(top, name, 0) == 0 else { throw .writing(root, code: errno) }
            return
        }
        fchmodat(top, name, 0o700, 0)
        let folder = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { throw .writing(root, code: errno) }
        defer { close(folder) }
        for inner in entries(folder) {
            if isFolder(inner, in: folder) {
                fchmodat(folder, inner, 0o700, 0)
                // A name may be taken by something hostile; another one is not.
                repeat { moved += 1 } while renameat(folder, inner, top, ".moved-\(moved)") != 0 && errno != EACCES
            } else {
                unlinkat(folder, inner, 0)
            }
        }
        guard unlinkat(top, name, AT_REMOVEDIR) == 0 else { throw .writing(root, code: errno) }
    }

    private static func isFolder(_ name: [CChar], in folder: Int32) -> Bool {
        var status = stat()
        return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Names but `.` and `..`, as bytes: they need not be text.
    static func entries(_ folder: Int32) -> [[CChar]] {
        let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else { return [] }
        defer { closedir(stream) }
        var names: [[CChar]] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) { bytes in
                    Array(UnsafeBufferPointer(start: bytes, count: strlen(bytes) + 1))
                }
            }
            if name != [46, 0], name != [46, 46, 0] { names.append(name) }
        }
        return names
    }
}
