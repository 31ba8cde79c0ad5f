import Foundation

/// Runs programs that nobody trusts under bubblewrap.
///
/// ```swift
/// let sandbox = try BubblewrapSandbox(python: try PythonEnvironment.locate(requirements: requirements))
/// let outcome = try await sandbox.run(
///     SandboxRequest(
///         command: [sandbox.interpreter, "main.py"], mounts: [Mount(host: code, inside: "/code"), …],
///         standardOutput: log, standardError: errors))
/// ```
///
/// What the program gets: namespaces of its own (user, process, network, IPC, host name, cgroup), no capabilities and no way to
/// gain any, no network but its own loopback, `/usr` and the mounts read-only, a private `/tmp` and `/dev/shm` of bounded size, a
/// cleared environment, a user that is not root. A host thread watches the whole process tree and ends it at the limits.
///
/// What it does not offer: control groups are not used, so between two samples (0.05 s) a program may pass a limit before it is
/// ended; System V shared memory that is attached nowhere is not counted; the system call interface of the kernel is open
/// (no seccomp filter beyond what namespaces forbid).
public struct BubblewrapSandbox: SandboxRunner {
    /// Whose rights bubblewrap itself has.
    public enum Identity: Sendable, Hashable {
        /// The user's own, who is not root.
        case ordinary
        /// The harness runs as root: the sandbox gives root up for an unprivileged user first, and the mounts are prepared in a
        /// mount namespace so that folders below `/root` stay reachable.
        case dropped(uid: UInt32, staging: String)
        /// The harness runs as root where it may not mount (a container): the program runs as root without any capability.
        case root
    }

    public let python: PythonEnvironment?
    public let bubblewrap: URL
    public let identity: Identity
    /// Threads that numerical libraries may start.
    public let threads: Int
    /// With less free space on the file system of a writable folder the disk counts as full.
    public let diskReserveBytes: Int

    /// The user of programs started by root: outside the ranges that Debian gives to people and services.
    static let unprivilegedID: UInt32 = 64_209

    /// - Parameters:
    ///   - python: Mounted read-only where given.
    ///   - bubblewrap: Found on the system's path when not given.
    /// - Throws: `SandboxError.unavailable` when bubblewrap is missing or cannot make its namespaces here; costs about 50 ms.
    public init(
        python: PythonEnvironment? = nil, bubblewrap: URL? = nil, threads: Int? = nil,
        diskReserveBytes: Int = 64 << 20
    ) throws(SandboxError) {
        guard let program = bubblewrap ?? SystemProgram.find("bwrap") else {
            throw .unavailable(reason: "bubblewrap is not installed; run: apt-get install bubblewrap")
        }
        self.python = python
        self.bubblewrap = program
        self.threads = max(1, threads ?? min(2, ProcessInfo.processInfo.activeProcessorCount))
        self.diskReserveBytes = diskReserveBytes
        identity = try Self.probe(program)
    }

    /// Path of the Python interpreter inside.
    public var interpreter: String { python?.interpreterInside ?? "/usr/bin/python3" }

    public func run(_ request: SandboxRequest) async throws -> SandboxOutcome {
        let stop = StopFlag()
        return try await withTaskCancellationHandler {
            try await onThread { try launch(request, stop: stop) }
        } onCancel: {
            stop.raise()
        }
    }

    private func launch(_ request: SandboxRequest, stop: StopFlag) throws(SandboxError) -> SandboxOutcome {
        let mounts = (python?.mounts ?? []) + request.mounts
        for mount in mounts {
            guard FileManager.default.fileExists(atPath: mount.host.path(percentEncoded: false)) else {
                throw .broken(reason: "\(mount.host.path(percentEncoded: false)) is to be mounted and does not exist")
            }
        }
        if case .dropped(let uid, _) = identity {
            for mount in mounts where mount.writable { try Self.hand(mount.host, to: uid) }
        }
        let writable = mounts.filter(\.writable).map(\.host)
        let invocation = BubblewrapInvocation(
            bubblewrap: bubblewrap, identity: identity, mounts: mounts, request: request, threads: threads)
        let supervisor = Supervisor(
            limits: request.limits, writable: writable, standardOutput: request.standardOutput,
            standardError: request.standardError, diskReserveBytes: diskReserveBytes, stop: stop)
        return try judge(supervisor.run(invocation.program()), request: request)
    }

    /// Ours or theirs: the program's end becomes an outcome, the harness's an error.
    private func judge(_ report: Supervisor.Report, request: SandboxRequest) throws(SandboxError) -> SandboxOutcome {
        var outcome = report.outcome
        switch report.verdict {
        case .failure(let error): throw error
        case .stopped: outcome.termination = .stopped
        case .limit(let limit): outcome.termination = .limit(limit)
        case nil: outcome.termination = try termination(report, program: request.command.first ?? "")
        }
        return outcome
    }

    private func termination(_ report: Supervisor.Report, program: String) throws(SandboxError)
        -> SandboxOutcome.Termination
    {
        guard let code = report.status.exitCode else {
            let said = report.errorHead.split(separator: "\n").last.map(String.init) ?? "it said nothing"
            if let signal = report.end.signal { throw .broken(reason: "bubblewrap was ended by signal \(signal)") }
            throw .unavailable(reason: FolderListing.printable(said))
        }
        if (code == 126 || code == 127) && report.errorHead.hasPrefix("prlimit: failed to execute \(program):") {
            throw .environmentBroken(reason: "\(program) cannot be started inside the sandbox")
        }
        if code != 0, report.machineRanOutOfMemory {
            throw .broken(
                reason: "the machine ran out of memory during the run; free some and run the same command again")
        }
        guard code > 128, code <= 192 else { return .exited(code) }
        switch code - 128 {
        case SIGKILL:
            throw .broken(reason: "the program was killed from outside (SIGKILL that the harness did not send)")
        case SIGXCPU: return .limit(.cpuTime)
        case SIGXFSZ: return .limit(.writtenBytes)
        case let signal: return .signalled(signal)
        }
    }

    /// Makes a writable folder and what lies in it belong to the sandbox's user. Links are changed themselves, not followed.
    private static func hand(_ folder: URL, to uid: UInt32) throws(SandboxError) {
        let path = folder.path(percentEncoded: false)
        guard lchown(path, uid, uid) == 0 else {
            throw .broken(reason: "cannot give \(path) to the sandbox's user: \(systemMessage(errno))")
        }
        for entry in try FolderListing(folder).entries { lchown(path + "/" + entry.path, uid, uid) }
    }
}

/// Runs blocking work on a thread of its own, so that the pool of Swift's tasks is never blocked.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Result { try body() }) }
        thread.stackSize = 8 << 20
        thread.start()
    }
}
