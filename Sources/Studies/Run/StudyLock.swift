import Datasets
import Files
import Foundation
import ResultStore

/// One process at a time works on a study: a lock that the kernel takes from a process that dies.
public struct StudyLock: Sendable {
    private let lock: FileLock

    /// - Throws: `StudyError.locked` with the other process's number.
    public init(_ study: String, in workspace: Workspace) throws {
        let folder = workspace.results(study: study)
        let file = folder.appending(path: "study.lock")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            lock = try FileLock(trying: file)
        } catch FileLock.Failure.held {
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            let holder = ProcessIdentity(text.trimmingCharacters(in: .whitespacesAndNewlines))
            throw StudyError.locked(study: study, pid: holder?.pid)
        } catch {
            var reason = SystemReason.of(error) ?? "\(error)"
            if case FileLock.Failure.unusable(_, let told) = error { reason = told }
            throw StudyError.unusable(path: folder.path(percentEncoded: false), reason: reason)
        }
        lock.write(ProcessIdentity.current.description)
    }

    public func release() {
        lock.release()
    }
}

/// Why a study cannot be run.
public enum StudyError: Error, Sendable, Hashable, CustomStringConvertible {
    case locked(study: String, pid: Int32?)
    case unusable(path: String, reason: String)
    case unknownJob(name: String, suggestions: [String])
    /// A job that is to be retried and did not fail.
    case notFailed(job: String, state: JobRecord.State, reason: String?)
    case notBegun(study: String)
    case unwritable(WriteFailure)

    public var description: String {
        switch self {
        case .unwritable(let failure): failure.description
        case .locked(let study, let pid):
            "study '\(study)' is being run by \(pid.map { "process \($0)" } ?? "another process"): wait for it, or watch it with "
                + "`llmbench study status --study \(study)`"
        case .unusable(let path, let reason):
            "\(path) cannot be made or used: \(reason); see to the folder, or use another --study or --workspace"
        case .unknownJob(let name, let suggestions):
            "the study has no job '\(name)'"
                + (suggestions.isEmpty
                    ? ": `llmbench study plan FILE` lists them"
                    : "; did you mean \(suggestions.joined(separator: " or "))?")
        case .notFailed(let job, .done, _):
            "\(job) is done: only a job that failed can be retried; leave its --retry out"
        case .notFailed(let job, let state, let reason):
            "\(job) is \(state.rawValue)\(reason.map { " (\($0))" } ?? ""): only a job that failed can be retried, and what needs it "
                + "is done with it; leave its --retry out"
        case .notBegun(let study): "study '\(study)' has not begun: `llmbench study run FILE` begins it"
        }
    }
}
