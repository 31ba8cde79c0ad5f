import Foundation
import ResultStore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a check run left in `/out`: hostile, and large.
enum CheckLeavings {
    private static let keptSuffixes = [".xlsx", ".png", ".json"]
    private static let largestKept = 16 << 20

    /// Removes everything, or everything but the small tables, pictures and JSON files at the top of a clean run's folder.
    static func prune(_ round: RoundDirectory, keep: Bool) throws {
        guard keep else { return try HostileTree.remove(round.output) }
        let path = round.output.path(percentEncoded: false)
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else {
            if errno == ENOENT { return }
            return try HostileTree.remove(round.output)
        }
        defer { close(folder) }
        for name in HostileTree.entries(folder) {
            let text = name.withUnsafeBufferPointer {
                String(validating: $0.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
            var status = stat()
            let isKept =
                fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_mode & S_IFMT == S_IFREG
                && status.st_nlink == 1 && status.st_size <= largestKept
                && keptSuffixes.contains { text?.lowercased().hasSuffix($0) ?? false }
            if isKept { continue }
            if status.st_mode & S_IFMT == S_IFDIR, let text {
                try HostileTree.remove(round.output.appending(path: text, directoryHint: .isDirectory))
            } else if status.st_mode & S_IFMT == S_IFDIR {
                // A folder whose name is no text: give it one.
                if renameat(folder, name, folder, ".unnamed") == 0 {
                    try HostileTree.remove(round.output.appending(path: ".unnamed", directoryHint: .isDirectory))
                }
            } else {
                unlinkat(folder, name, 0)
            }
        }
    }
}
