import Foundation

/// The command line that puts one request into the sandbox.
struct BubblewrapInvocation {
    let bubblewrap: URL
    let identity: BubblewrapSandbox.Identity
    /// In the order in which they are made: a later one may lie inside an earlier one.
    let mounts: [SandboxRequest.Mount]
    let request: SandboxRequest
    let threads: Int

    private static let insideID = 65_534
    private static let statusDescriptor: Int32 = 3
    /// Files of `/etc` that are written for the sandbox, so that nothing of the machine's own is read.
    private static let syntheticFiles = [
        "/etc/passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/tmp:/usr/sbin/nologin\n",
        "/etc/group": "root:x:0:\nnogroup:x:65534:\n",
        "/etc/hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    ]

    /// - Throws: `SandboxError.broken` where no descriptors are left.
    func program() throws(SandboxError) -> Supervisor.Program {
        var arguments = namespaces + system
        var inputs: [Int32: Pipe2] = [:]
        var next = Self.statusDescriptor + 1
        for (path, content) in Self.syntheticFiles.sorted(by: { $0.key < $1.key }) {
            inputs[next] = try Pipe2(holding: content)
            arguments += ["--ro-bind-data", "\(next)", path]
            next += 1
        }
        arguments += volatileFolders + binds + ["--remount-ro", "/"] + environment
        arguments += ["--chdir", request.workingDirectory, "--"] + resourceLimits + request.command
        return Supervisor.Program(
            arguments: prefix + [bubblewrap.path(percentEncoded: false)] + arguments,
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"], inputs: inputs,
            statusDescriptor: Self.statusDescriptor, newSession: false)
    }

    private var namespaces: [String] {
        [
            "--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent", "--new-session",
            "--cap-drop", "ALL", "--uid", "\(Self.insideID)", "--gid", "\(Self.insideID)", "--hostname", "sandbox",
            "--json-status-fd", "\(Self.statusDescriptor)",
        ]
    }

    private var system: [String] {
        var arguments = ["--ro-bind", "/usr", "/usr"]
        for folder in ["/bin", "/sbin", "/lib", "/lib32", "/lib64"] {
            // Debian's are links into /usr; elsewhere they may be folders.
            if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder) {
                arguments += ["--symlink", target, folder]
            } else if FileManager.default.fileExists(atPath: folder) {
                arguments += ["--ro-bind", folder, folder]
            }
        }
        for path in ["/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts"] {
            arguments += ["--ro-bind-try", path, path]
        }
        return arguments
    }

    private var volatileFolders: [String] {
        let size = "\(max(1 << 20, min(request.limits.writtenBytes, 1 << 30)))"
        return [
            "--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", size, "--tmpfs", "/dev/shm",
            "--remount-ro", "/dev", "--perms", "1777", "--size", size, "--tmpfs", "/tmp",
        ]
    }

    private var binds: [String] {
        mounts.enumerated().flatMap { index, mount in
            let source =
                switch identity {
                case .dropped(_, let staging): "\(staging)/\(index)"
                case .ordinary, .root: mount.host.path(percentEncoded: false)
                }
            return [mount.writable ? "--bind" : "--ro-bind", source, mount.inside]
        }
    }

    private var environment: [String] {
        var variables = SandboxEnvironment.variables(threads: threads)
        variables.merge(request.environment) { _, new in new }
        return ["--clearenv"]
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

/// The environment of generated code, the same on every machine.
enum SandboxEnvironment {
    static func variables(threads: Int) -> [String: String] {
        [
            "PATH": "/python/bin:/usr/bin:/bin", "HOME": "/tmp", "USER": "nobody", "TMPDIR": "/tmp", "LANG": "C.UTF-8",
            "TERM": "dumb", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1", "PYTHONNOUSERSITE": "1", "PYTHONFAULTHANDLER": "1", "MPLBACKEND": "Agg",
            "MPLCONFIGDIR": "/tmp/matplotlib", "XDG_CACHE_HOME": "/tmp/cache", "TORCH_HOME": "/tmp/torch",
            "NO_ALBUMENTATIONS_UPDATE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "\(threads)",
            // Threads that wait spin for some 0.1 ms and then sleep: without an end to it they take the cores that other programs
            // need, without any of it a small network trains in 1.5 times the time.
            "GOMP_SPINCOUNT": "20000",
            "MKL_NUM_THREADS": "\(threads)", "OPENBLAS_NUM_THREADS": "\(threads)",
        ]
    }
}
