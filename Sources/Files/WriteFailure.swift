import Foundation

/// A file of the host's that could not be written.
public struct WriteFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public var path: String
    public var reason: String
    /// No room, or none within a quota: what was begun is whole once there is some.
    public var isFullDisk: Bool

    public init(path: String, reason: String, isFullDisk: Bool = false) {
        self.path = path
        self.reason = reason
        self.isFullDisk = isFullDisk
    }

    /// - Parameter code: `errno`.
    public init(path: String, code: Int32) {
        self.init(path: path, reason: String(cString: strerror(code)), isFullDisk: Self.isFullDisk(code))
    }

    /// What Foundation threw.
    public init(_ url: URL, _ error: any Error) {
        let isFull = (error as? CocoaError)?.code == .fileWriteOutOfSpace
        self.init(
            path: url.path(percentEncoded: false), reason: SystemReason.of(error) ?? error.localizedDescription,
            isFullDisk: isFull || SystemReason.code(error).map(Self.isFullDisk) ?? false)
    }

    private static func isFullDisk(_ code: Int32) -> Bool { code == ENOSPC || code == EDQUOT }

    public var description: String {
        isFullDisk
            ? "no space left for \(printable(path)): free some and run the same command again"
            : "cannot write \(printable(path)): \(reason)"
    }
}
