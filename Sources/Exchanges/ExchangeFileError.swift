import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of what was asked or answered that could not be written or read.
public enum ExchangeFileError: Error, Sendable, Hashable, CustomStringConvertible {
    case diskFull(path: String)
    case cannotWrite(path: String, reason: String)
    case cannotRead(path: String, reason: String)

    public var description: String {
        switch self {
        case .diskFull(let path): "no space left for \(path): free some and run the same command again"
        case .cannotWrite(let path, let reason): "cannot write \(path): \(reason)"
        case .cannotRead(let path, let reason): "cannot read \(path): \(reason)"
        }
    }

    /// - Parameter code: `errno`.
    public static func writing(_ url: URL, code: Int32) -> ExchangeFileError {
        let path = url.path(percentEncoded: false)
        if code == ENOSPC || code == EDQUOT { return .diskFull(path: path) }
        return .cannotWrite(path: path, reason: String(cString: strerror(code)))
    }
}
