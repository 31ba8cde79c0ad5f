import Diagnosis
import Foundation
import ResultStore
import Sandbox

/// Runs the files of one round and says what came of it.
public protocol PipelineCheck: Sendable {
    /// - Parameters:
    ///   - files: folder with the pipeline's files.
    ///   - round: where output and leavings go: `check/`, which is there and empty.
    /// - Throws: `SandboxError` and other failures that are ours; whatever the program did is in the verdict.
    func run(files: URL, in round: RoundDirectory) async throws -> CheckVerdict
}

/// What came of one check run. Stored as `check/outcome.json`: a check run whose verdict is on disk is never repeated.
public struct CheckVerdict: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable {
        /// Exit status 0, and the contract was kept.
        case clean
        /// An exception, or another exit status than 0.
        case error
        /// The same, without a word printed.
        case silent
        /// Our limit on wall time.
        case timeout
        /// Another of our limits.
        case killed
        /// Exit status 0, but the contract was broken.
        case contract
    }

    public var kind: Kind
    public var outcome: SandboxOutcome
    /// Nil for a clean run only.
    public var error: ErrorReport?
    /// What the model is told: the output verbatim for `error`, the breach for `contract`, the reason for
    /// `killed`, the ending for `silent`.
    public var detail: String
    /// Seconds that were allowed.
    public var wallLimit: Double
    public var epochs: Int
    /// Pairs of image and mask that the program was given.
    public var samples: Int

    public init(
        kind: Kind, outcome: SandboxOutcome, error: ErrorReport?, detail: String, wallLimit: Double, epochs: Int,
        samples: Int
    ) {
        self.kind = kind
        self.outcome = outcome
        self.error = error
        self.detail = detail
        self.wallLimit = wallLimit
        self.epochs = epochs
        self.samples = samples
    }
}

extension SandboxOutcome {
    /// `exit 1`, `signal 9`, `limit wallTime`, `stopped`.
    var terminationText: String {
        switch termination {
        case .exited(let status): "exit \(status)"
        case .signalled(let signal): "signal \(signal)"
        case .limit(let limit): "limit \(limit.rawValue)"
        case .stopped: "stopped"
        }
    }
}
