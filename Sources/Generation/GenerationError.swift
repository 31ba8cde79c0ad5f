import Datasets
import Foundation
import ResultStore
import Sandbox

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What stops a run without being its end: the run stays where it is and goes on from there when it is started again.
public enum GenerationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another process works on this run.
    case locked(run: String)
    case diskFull(path: String)
    case cannotWrite(path: String, reason: String)
    case cannotRead(path: String, reason: String)
    /// A file of a finished round is gone or altered, so that the conversation cannot be continued as it was.
    case damagedRound(run: String, round: Int, file: String)

    public var description: String {
        switch self {
        case .locked(let run): "another llmbench works on \(run): wait for it, or start a run of another number"
        case .diskFull(let path): "no space left for \(path): free some and run the same command again"
        case .cannotWrite(let path, let reason): "cannot write \(path): \(reason)"
        case .cannotRead(let path, let reason): "cannot read \(path): \(reason)"
        case .damagedRound(let run, let round, let file):
            "\(run), round \(round): \(file) is missing or damaged; restore it, or delete the run's folder and start another run"
        }
    }

    static func writing(_ url: URL, code: Int32) -> GenerationError {
        let path = url.path(percentEncoded: false)
        if code == ENOSPC || code == EDQUOT { return .diskFull(path: path) }
        return .cannotWrite(path: path, reason: String(cString: strerror(code)))
    }
}
