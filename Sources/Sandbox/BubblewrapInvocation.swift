import Foundation

/// The command line that puts one request into the sandbox.
struct BubblewrapInvocation {
    let bubblewrap: URL
    let identity: BubblewrapSandbox.Identity
    /// In the order in which they are made: a later one may lie inside an earlier one.
    let mounts: [SandboxRequest.Mount]
    let request: SandboxRequest
    let threads: Int
    let policy: SandboxPolicy
    var showsGPU = false
    /// Held back until the harness says so: the program must not start before its control group has it.
    let waitsForGo: Bool

    static let statusDescriptor: Int32 = 3
    static let goDescriptor: Int32 = 4
    private static let firstFreeDescriptor: Int32 = 5

    /// - Throws: `SandboxError.broken` where no descriptors are left.
    func program() throws(SandboxError) -> Supervisor.Program {
        var arguments = namespaces
        var inputs: [Int32: Pipe2] = [:]
        var next = Self.firstFreeDescriptor
        if policy.has(.systemCallFilter) {
            inputs[next] = try SystemCallFilter.program()
            arguments += ["--seccomp", "\(next)"]
            next += 1
        }
        var go: Pipe2?
        if waitsForGo {
            let pipe = try Pipe2()
            inputs[Self.goDescriptor] = pipe
            arguments += ["--block-fd", "\(Self.goDescriptor)"]
            go = pipe
        }
        arguments += system
        for (path, content) in SandboxPolicy.syntheticFiles.sorted(by: { $0.key < $1.key }) {
            inputs[next] = try Pipe2(holding: Data(content.utf8))
            arguments += ["--ro-bind-data", "\(next)", path]
            next += 1
        }
        arguments += volatileFolders + devices + binds
        if policy.has(.readOnlyFiles) { arguments += ["--remount-ro", "/"] }
        arguments += environment + ["--chdir", request.workingDirectory, "--"] + resourceLimits + request.command
        return Supervisor.Program(
            arguments: prefix + [bubblewrap.path(percentEncoded: false)] + arguments,
            environment: hostEnvironment, inputs: inputs, go: go, statusDescriptor: Self.statusDescriptor)
    }

    private var namespaces: [String] {
        var arguments = ["--unshare-user", "--die-with-parent", "--new-session"]
        for (protection, option) in [
            (Protection.ownProcesses, "--unshare-pid"), (.ownNetwork, "--unshare-net"), (.ownIPC, "--unshare-ipc"),
            (.ownHostName, "--unshare-uts"), (.ownControlGroups, "--unshare-cgroup-try"),
            (.noNestedNamespaces, "--disable-userns"),
        ] where policy.has(protection) {
            arguments.append(option)
        }
        if policy.has(.ownHostName) { arguments += ["--hostname", SandboxPolicy.hostName] }
        arguments += policy.has(.noCapabilities) ? ["--cap-drop", "ALL"] : ["--cap-add", "ALL"]
        let id = policy.has(.noCapabilities) ? SandboxPolicy.userInside : 0
        return arguments + ["--uid", "\(id)", "--gid", "\(id)", "--json-status-fd", "\(Self.statusDescriptor)"]
    }

    private var system: [String] {
        var arguments = [policy.has(.readOnlyFiles) ? "--ro-bind" : "--bind", "/usr", "/usr"]
        if !policy.has(.ownFiles) { arguments += ["--ro-bind", "/", "/host"] }
        for folder in SandboxPolicy.systemFolders {
            if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder) {
                arguments += ["--symlink", target, folder]
            } else if FileManager.default.fileExists(atPath: folder) {
                arguments += ["--ro-bind", folder, folder]
            }
        }
        for path in SandboxPolicy.systemFiles { arguments += ["--ro-bind-try", path, path] }
        return arguments
    }

    private var volatileFolders: [String] {
        let size = "\(request.limits.volatileBytes)"
        let temporary =
            policy.has(.ownTemporaryFolder)
            ? ["--perms", "1777", "--size", size, "--tmpfs", "/tmp"] : ["--bind", "/tmp", "/tmp"]
        return ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", size, "--tmpfs", "/dev/shm"]
            + (showsGPU ? [] : ["--remount-ro", "/dev"]) + temporary
    }

    /// Those that are there, and only where the user asked.
    private var devices: [String] {
        guard showsGPU else { return [] }
        return policy.devices.flatMap { ["--dev-bind-try", $0, $0] } + ["--remount-ro", "/dev"]
    }

    private var binds: [String] {
        mounts.enumerated().flatMap { index, mount in
            let source =
                switch identity {
                case .dropped(_, let staging): "\(staging)/\(index)"
                case .ordinary, .root: mount.host.path(percentEncoded: false)
                }
            return [mount.writable || !policy.has(.readOnlyFiles) ? "--bind" : "--ro-bind", source, mount.inside]
        }
    }

    /// What bubblewrap itself is started with.
    private var hostEnvironment: [String: String] {
        let own = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"]
        guard policy.has(.ownEnvironment) else {
            return ProcessInfo.processInfo.environment.merging(own) { _, new in new }
        }
        return own
    }

    private var environment: [String] {
        var variables = SandboxPolicy.environment(threads: threads)
        if showsGPU { variables["CUDA_VISIBLE_DEVICES"] = nil }
        variables.merge(request.environment) { _, new in new }
        return (policy.has(.ownEnvironment) ? ["--clearenv"] : [])
            + variables.sorted { $0.key < $1.key }.flatMap { ["--setenv", $0.key, $0.value] }
    }

    /// Limits of a single process that the kernel enforces at once; the watchdog's are those of the whole tree.
    private var resourceLimits: [String] {
        let limits = request.limits
        // Above the watchdog's, so that it is the one that speaks; this one stops a file that outruns its samples.
        let fileBytes = limits.writtenBytes + (256 << 20)
        return [
            "/usr/bin/prlimit", "--nofile=\(limits.openFiles)", "--fsize=\(fileBytes)", "--core=0",
            "--cpu=\(Int(limits.cpuSeconds.rounded(.up)) + 2)", "--nproc=\(20 * limits.processes)",
        ]
    }

    /// What stands before bubblewrap when root has to be given up first.
    ///
    /// Another user cannot pass through root's private folders to the sources of the mounts, so they are bound below an empty
    /// folder first, in a mount namespace that only this run sees.
    private var prefix: [String] {
        guard case .dropped(let uid, let staging) = identity else { return [] }
        let script = """
            stage=$1 count=$2 i=0; shift 2
            mount -t tmpfs -o mode=0711,size=256k,nosuid,nodev tmpfs "$stage" || exit 125
            while [ $i -lt $count ]; do
              if [ -d "$1" ]; then mkdir "$stage/$i"; else : >"$stage/$i"; fi
              mount --bind -- "$1" "$stage/$i" || exit 125
              i=$((i + 1)); shift
            done
            exec "$@"
            """
        return [
            "/usr/bin/unshare", "--mount", "--propagation", "private", "--", "/bin/sh", "-c", script, "sh", staging,
        ]
            + ["\(mounts.count)"] + mounts.map { $0.host.path(percentEncoded: false) }
            + [
                "/usr/bin/setpriv", "--reuid", "\(uid)", "--regid", "\(uid)", "--clear-groups", "--no-new-privs",
                "--inh-caps=-all", "--bounding-set=-all", "--",
            ]
    }
}
