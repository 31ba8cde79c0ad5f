import Files
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
/// gain any, none of the system calls that `SystemCallFilter` refuses, no network but its own loopback, `/usr` and the mounts
/// read-only, a private `/tmp` and `/dev/shm` of bounded size, a cleared environment, a user that is not root. A
/// host thread watches the whole process tree and ends it at the limits.
///
/// Who enforces the limits is the `LimitBackend`: a control group where this user may make one, and always the watchdog, between
/// whose looks (0.05 s) a program without a control group may pass a limit before it is ended.
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
    /// Who enforces the limits.
    public let limitBackend: LimitBackend
    /// Hands the machine's NVIDIA devices in.
    public let showsGPU: Bool
    let policy: SandboxPolicy
    /// Seconds between two looks of the watchdog.
    var samplingInterval = 0.05

    /// The user of programs started by root: outside the ranges that Debian gives to people and services.
    static let unprivilegedID: UInt32 = 64_209

    /// - Parameters:
    ///   - python: Mounted read-only where given.
    ///   - bubblewrap: Found on the system's path when not given.
    ///   - limitBackend: The best that works here when not given.
    ///   - showsGPU: Hands the machine's NVIDIA devices in; without it a program sees none.
    /// - Throws: `SandboxError.unavailable` when bubblewrap is missing or cannot make its namespaces here, or the limit backend that
    ///   was asked for does not work; costs about 50 ms.
    public init(
        python: PythonEnvironment? = nil, bubblewrap: URL? = nil, threads: Int? = nil,
        diskReserveBytes: Int = 64 << 20, limitBackend: LimitBackend? = nil, showsGPU: Bool = false
    ) throws(SandboxError) {
        try self.init(
            python: python, bubblewrap: bubblewrap, threads: threads, diskReserveBytes: diskReserveBytes,
            limitBackend: limitBackend, showsGPU: showsGPU, policy: .standard)
    }

    init(
        python: PythonEnvironment? = nil, bubblewrap: URL? = nil, threads: Int? = nil,
        diskReserveBytes: Int = 64 << 20, limitBackend: LimitBackend? = nil, showsGPU: Bool = false,
        policy: SandboxPolicy
    ) throws(SandboxError) {
        guard let program = bubblewrap ?? SystemProgram.find("bwrap") else {
            throw .unavailable(reason: "bubblewrap is not installed; run: apt-get install bubblewrap")
        }
        self.python = python
        self.bubblewrap = program
        self.threads = max(1, threads ?? min(2, ProcessInfo.processInfo.activeProcessorCount))
        self.diskReserveBytes = diskReserveBytes
        self.policy = policy
        self.showsGPU = showsGPU
        if let limitBackend, let obstacle = limitBackend.obstacle() {
            throw .unavailable(
                reason: "limits by \(limitBackend.rawValue) do not work here: \(obstacle); "
                    + "--limits-by watchdog works everywhere")
        }
        self.limitBackend = limitBackend ?? LimitBackend.available()[0]
        identity = try Self.probe(program, policy: policy)
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

    /// Runs a program to its end on this thread.
    func launch(_ request: SandboxRequest, stop: StopFlag) throws(SandboxError) -> SandboxOutcome {
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
            bubblewrap: bubblewrap, identity: identity, mounts: mounts, request: request, threads: threads,
            policy: policy, showsGPU: showsGPU, waitsForGo: limitBackend.hasControlGroup)
        let supervisor = Supervisor(
            limits: request.limits, writable: writable, standardOutput: request.standardOutput,
            standardError: request.standardError, diskReserveBytes: diskReserveBytes, stop: stop,
            group: try controlGroup(request.limits), samplingInterval: samplingInterval)
        return try judge(supervisor.run(invocation.program()), request: request)
    }

    private func controlGroup(_ limits: SandboxLimits) throws(SandboxError) -> ControlGroup? {
        guard limitBackend.hasControlGroup else { return nil }
        do {
            return try ControlGroup(limitBackend, hierarchies: .current(), limits: limits)
        } catch {
            throw .broken(reason: error.reason)
        }
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
            throw .unavailable(reason: printable(said))
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
