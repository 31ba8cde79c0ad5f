import Files
import Foundation

extension SandboxCheck {
    /// A program that makes a namespace of its own must be refused, and by the filter.
    static func systemCalls() -> SandboxCheck {
        do {
            // Without the other protection against it, so that the filter alone answers.
            let outcome = try trial(
                ["/usr/bin/unshare", "--user", "/usr/bin/true"], policy: .without(.noNestedNamespaces))
            guard outcome.termination == .exited(1) else {
                return SandboxCheck(
                    name: "system calls", status: .missing, detail: "a program could make a namespace of its own",
                    remedy: "use a kernel with seccomp (CONFIG_SECCOMP_FILTER)")
            }
            let refused = SystemCallFilter.refusals.reduce(0) { $0 + $1.calls.count }
            return SandboxCheck(
                name: "system calls", status: .working, detail: "filtered: \(refused) are refused, tried with one")
        } catch {
            return SandboxCheck(name: "system calls", status: .missing, detail: error.description)
        }
    }

    /// Each backend that works here ends a program that takes memory without end.
    static func limits() -> SandboxCheck {
        let available = LimitBackend.available()
        var (tried, failed) = ([String](), [String]())
        for backend in available {
            do {
                let outcome = try trial(["/usr/bin/tail", "/dev/zero"], backend: backend)
                if outcome.termination == .limit(.memory) {
                    tried.append(backend.rawValue)
                } else {
                    failed.append(
                        "\(backend.rawValue) did not end a program at its memory limit (\(outcome.termination))")
                }
            } catch {
                failed.append("\(backend.rawValue): \(error.description)")
            }
        }
        let absent = LimitBackend.allCases.compactMap { backend in
            backend.obstacle().map { "\(backend.rawValue) does not work here: \($0)" }
        }
        guard failed.isEmpty, let best = available.first else {
            return SandboxCheck(name: "limits", status: .missing, detail: failed.joined(separator: "; "))
        }
        let detail = (["by \(best.rawValue); tried: \(tried.joined(separator: ", "))"] + absent).joined(separator: "; ")
        guard !best.hasControlGroup else { return SandboxCheck(name: "limits", status: .working, detail: detail) }
        return SandboxCheck(
            name: "limits", status: .degraded,
            detail: detail + "; a program may pass a limit for 0.05 s before it is ended",
            remedy: "for control groups: systemd-run --user --scope -p Delegate=yes llmbench …")
    }

    /// One command in a sandbox with small limits.
    private static func trial(
        _ command: [String], policy: SandboxPolicy = .standard, backend: LimitBackend = .watchdog
    ) throws(SandboxError) -> SandboxOutcome {
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-trial-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw .broken(
                reason: "cannot create \(folder.path(percentEncoded: false)): \(SystemReason.of(error) ?? "\(error)")")
        }
        defer { try? FileManager.default.removeItem(at: folder) }
        let sandbox = try BubblewrapSandbox(limitBackend: backend, policy: policy)
        let request = SandboxRequest(
            command: command, mounts: [], workingDirectory: "/",
            limits: SandboxLimits(wallSeconds: 60, cpuSeconds: 60, memoryBytes: 64 << 20, writtenBytes: 1 << 20),
            standardOutput: folder.appending(path: "stdout"), standardError: folder.appending(path: "stderr"))
        return try sandbox.launch(request, stop: StopFlag())
    }
}
