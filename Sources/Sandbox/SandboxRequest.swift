import Foundation

/// One program to run in the sandbox: what it sees, what it may write, how long and how large it may grow.
public struct SandboxRequest: Sendable {
    /// A host folder made visible inside.
    public struct Mount: Sendable, Hashable {
        public var host: URL
        /// Absolute path inside the sandbox.
        public var inside: String
        public var writable: Bool

        public init(host: URL, inside: String, writable: Bool = false) {
            self.host = host
            self.inside = inside
            self.writable = writable
        }
    }

    /// Program and arguments, with paths as they are inside.
    public var command: [String]
    /// Folders beside the system and the Python environment, by convention `/code`, `/data`, `/helper` (read-only) and
    /// `/out` (writable).
    public var mounts: [Mount]
    public var workingDirectory: String
    /// Added to the cleared environment.
    public var environment: [String: String]
    public var limits: SandboxLimits
    /// Where the host stores what the program printed, as it comes. Both are created.
    public var standardOutput: URL
    public var standardError: URL

    public init(
        command: [String], mounts: [Mount], workingDirectory: String = "/code", environment: [String: String] = [:],
        limits: SandboxLimits = SandboxLimits(), standardOutput: URL, standardError: URL
    ) {
        self.command = command
        self.mounts = mounts
        self.workingDirectory = workingDirectory
        self.environment = environment
        self.limits = limits
        self.standardOutput = standardOutput
        self.standardError = standardError
    }
}

/// Bounds on one sandboxed program, counted over its whole process tree.
public struct SandboxLimits: Sendable, Hashable, Codable {
    /// Seconds of wall time.
    public var wallSeconds: Double
    /// Seconds of processor time, all processes together.
    public var cpuSeconds: Double
    /// Bytes of resident memory, all processes together.
    public var memoryBytes: Int
    public var processes: Int
    public var openFiles: Int
    /// Bytes in writable mounts and the private /tmp.
    public var writtenBytes: Int
    /// Files in writable mounts and the private /tmp.
    public var writtenFiles: Int
    /// Bytes printed, each stream.
    public var outputBytes: Int

    public init(
        wallSeconds: Double = 600, cpuSeconds: Double = 1200, memoryBytes: Int = 8 << 30, processes: Int = 256,
        openFiles: Int = 1024, writtenBytes: Int = 2 << 30, writtenFiles: Int = 10_000, outputBytes: Int = 16 << 20
    ) {
        self.wallSeconds = wallSeconds
        self.cpuSeconds = cpuSeconds
        self.memoryBytes = memoryBytes
        self.processes = processes
        self.openFiles = openFiles
        self.writtenBytes = writtenBytes
        self.writtenFiles = writtenFiles
        self.outputBytes = outputBytes
    }

    /// Size of each of the two folders that lie in memory, `/tmp` and `/dev/shm`.
    var volatileBytes: Int { max(1 << 20, min(writtenBytes, 1 << 30)) }
}

/// How a sandboxed program ended, and what it used.
public struct SandboxOutcome: Sendable, Hashable, Codable {
    /// Which of our limits ended a program.
    public enum Limit: String, Sendable, Hashable, Codable, CaseIterable {
        case wallTime, cpuTime, memory, processes, writtenBytes, writtenFiles, outputBytes
    }

    public enum Termination: Sendable, Hashable, Codable {
        case exited(Int32)
        /// A signal that the program (or one of its own processes) raised: the program's own failure.
        case signalled(Int32)
        /// One of our limits: the program's own failure.
        case limit(Limit)
        /// The caller asked for the end (the capture has what it needs, the user pressed control-C).
        case stopped
    }

    public var termination: Termination
    public var wallSeconds: Double
    public var cpuSeconds: Double
    public var peakMemoryBytes: Int
    /// Bytes that a stream printed beyond its limit and that were not stored.
    public var droppedOutputBytes: Int

    public init(
        termination: Termination, wallSeconds: Double, cpuSeconds: Double, peakMemoryBytes: Int,
        droppedOutputBytes: Int = 0
    ) {
        self.termination = termination
        self.wallSeconds = wallSeconds
        self.cpuSeconds = cpuSeconds
        self.peakMemoryBytes = peakMemoryBytes
        self.droppedOutputBytes = droppedOutputBytes
    }

    public var succeeded: Bool { termination == .exited(0) }
}

/// A failure of the harness or its machine. **Never shown to a model as its own error and never counted**: it stops the run
/// with its sentence, and the run resumes at the same round.
public enum SandboxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// bubblewrap is not installed, or cannot make namespaces here.
    case unavailable(reason: String)
    /// The Python environment is missing or cannot import what every pipeline needs.
    case environmentBroken(reason: String)
    /// The Swift toolchain or the prebuilt modules of the target `swift` are missing, or do not go together.
    case swiftMissing(reason: String)
    /// The disk that holds the run is full.
    case diskFull(path: String)
    /// The sandbox itself died: not the program's exit, not one of our limits.
    case broken(reason: String)

    public var description: String {
        switch self {
        case .unavailable(let reason): "the sandbox cannot run here: \(reason)"
        case .environmentBroken(let reason): "the Python environment is unusable: \(reason)"
        case .swiftMissing(let reason): "the target swift cannot be used here: \(reason)"
        case .diskFull(let path): "no space left for \(path): free some and run the same command again"
        case .broken(let reason): "the sandbox failed: \(reason)"
        }
    }
}

/// Something that runs programs under a policy. `BubblewrapSandbox` is the real one; `UnconfinedRunner` exists only behind
/// `--unsafe-no-sandbox`.
public protocol SandboxRunner: Sendable {
    /// Runs one program to its end.
    ///
    /// - Throws: `SandboxError` for failures that are ours; everything the program did itself is in the outcome.
    func run(_ request: SandboxRequest) async throws -> SandboxOutcome
}
