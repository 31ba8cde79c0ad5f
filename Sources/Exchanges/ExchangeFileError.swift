import Files
import Foundation

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
        writing(WriteFailure(path: url.path(percentEncoded: false), code: code))
    }

    static func writing(_ failure: WriteFailure) -> ExchangeFileError {
        failure.isFullDisk
            ? .diskFull(path: failure.path) : .cannotWrite(path: failure.path, reason: failure.reason)
    }
}
