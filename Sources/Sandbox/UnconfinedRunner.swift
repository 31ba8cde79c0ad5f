import Files
import Foundation

/// Runs generated code **without any protection**, for machines without bubblewrap and people who accept that: it exists only
/// behind `--unsafe-no-sandbox`.
///
/// The environment is cleared and the limits are watched as in the sandbox; the paths inside (`/code`, `/data`, `/out`) are
/// replaced by the host's where an argument or variable begins with one. Everything else is open to the program: files, network,
/// processes that outlive it.
public struct UnconfinedRunner: SandboxRunner {
    public let python: PythonEnvironment?
    public let threads: Int

    public init(python: PythonEnvironment? = nil, threads: Int? = nil) {
        self.python = python
        self.threads = max(1, threads ?? min(2, ProcessInfo.processInfo.activeProcessorCount))
    }

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
        var variables = SandboxPolicy.environment(threads: threads)
        variables.merge(request.environment) { _, new in new }
        variables = variables.mapValues { Self.translate($0, mounts: mounts) }
        let limits = request.limits
        let shell = """
            cd "$1" || exit 125
            shift
            ulimit -c 0; ulimit -n \(limits.openFiles) 2>/dev/null; ulimit -t \(Int(limits.cpuSeconds.rounded(.up)) + 2)
            exec "$@"
            """
        let program = Supervisor.Program(
            arguments: ["/bin/sh", "-c", shell, "sh", Self.translate(request.workingDirectory, mounts: mounts)]
                + request.command.map { Self.translate($0, mounts: mounts) },
            environment: variables, statusDescriptor: nil)
        let report = try Supervisor(
            limits: limits, writable: mounts.filter(\.writable).map(\.host), standardOutput: request.standardOutput,
            standardError: request.standardError, diskReserveBytes: 64 << 20, stop: stop
        ).run(program)
        var outcome = report.outcome
        switch report.verdict {
        case .failure(let error): throw error
        case .stopped: outcome.termination = .stopped
        case .limit(let limit): outcome.termination = .limit(limit)
        case nil: outcome.termination = try termination(report)
        }
        return outcome
    }

    private func termination(_ report: Supervisor.Report) throws(SandboxError) -> SandboxOutcome.Termination {
        guard let signal = report.end.signal else {
            let code = report.end.exitStatus ?? 0
            if code == 127 || code == 126 || code == 125, report.errorHead.hasPrefix("sh: ") {
                throw .environmentBroken(reason: printable(report.errorHead))
            }
            return .exited(code)
        }
        switch signal {
        case SIGKILL:
            throw .broken(reason: "the program was killed from outside (SIGKILL that the harness did not send)")
        case SIGXCPU: return .limit(.cpuTime)
        default: return .signalled(signal)
        }
    }

    /// The longest mount that a path lies in decides.
    static func translate(_ text: String, mounts: [SandboxRequest.Mount]) -> String {
        let matching = mounts.filter { text == $0.inside || text.hasPrefix($0.inside + "/") }
        guard let mount = matching.max(by: { $0.inside.count < $1.inside.count }) else { return text }
        var host = mount.host.path(percentEncoded: false)
        if host.hasSuffix("/") { host.removeLast() }
        return host + text.dropFirst(mount.inside.count)
    }
}
