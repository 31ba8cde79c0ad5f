import Files
import Foundation

extension BubblewrapSandbox {
    /// Finds out under which identity namespaces can be made here, by making them.
    ///
    /// - Throws: `SandboxError.unavailable` with bubblewrap's own words and the command that mends the usual causes.
    static func probe(_ bubblewrap: URL, policy: SandboxPolicy = .standard) throws(SandboxError) -> Identity {
        var candidates: [Identity] = [.ordinary]
        if geteuid() == 0 {
            candidates = [.root]
            if policy.has(.ownUser), let staging = ["/mnt", "/media", "/srv"].first(where: { isEmptyFolder($0) }) {
                candidates.insert(.dropped(uid: unprivilegedID, staging: staging), at: 0)
            }
        }
        var said = ""
        for identity in candidates {
            let trial = try trial(bubblewrap, identity: identity, policy: policy)
            if trial.succeeded { return identity }
            said = trial.message
        }
        throw .unavailable(reason: ([said] + SandboxCheck.namespaceRemedies()).joined(separator: "; "))
    }

    /// Something lies below a staging folder only where the machine uses it; then the run's own folders might be hidden.
    private static func isEmptyFolder(_ path: String) -> Bool {
        guard let items = try? FileManager.default.contentsOfDirectory(atPath: path) else { return false }
        return items.isEmpty
    }

    private static func trial(
        _ bubblewrap: URL, identity: Identity, policy: SandboxPolicy
    ) throws(SandboxError) -> (succeeded: Bool, message: String) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-probe-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw .broken(
                reason: "cannot create \(folder.path(percentEncoded: false)): \(SystemReason.of(error) ?? "\(error)")")
        }
        defer { try? FileManager.default.removeItem(at: folder) }
        let request = SandboxRequest(
            command: ["/usr/bin/true"], mounts: [.init(host: folder, inside: "/out")], workingDirectory: "/",
            limits: SandboxLimits(wallSeconds: 20, cpuSeconds: 20),
            standardOutput: folder.appending(path: "stdout"), standardError: folder.appending(path: "stderr"))
        let invocation = BubblewrapInvocation(
            bubblewrap: bubblewrap, identity: identity, mounts: request.mounts, request: request, threads: 1,
            policy: policy, waitsForGo: false)
        let supervisor = Supervisor(
            limits: request.limits, writable: [], standardOutput: request.standardOutput,
            standardError: request.standardError, diskReserveBytes: 0, stop: StopFlag())
        let report = try supervisor.run(invocation.program())
        let said = report.errorHead.split(separator: "\n").last.map(String.init) ?? "it ended without a word"
        return (report.status.exitCode == 0, printable(said))
    }
}

/// Programs of the system.
enum SystemProgram {
    static func find(_ name: String) -> URL? {
        ["/usr/bin", "/bin", "/usr/local/bin"]
            .map { URL(filePath: $0).appending(path: name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path(percentEncoded: false)) }
    }
}
