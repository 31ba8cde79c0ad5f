/// What stands between a program and the machine, each part by itself.
///
/// `SandboxPolicy` is the one place that says which of them hold; `BubblewrapInvocation` turns them into bubblewrap's arguments,
/// `SystemCallFilter` holds the calls that are refused, `SandboxLimits` the amounts, `LimitBackend` who enforces those.
enum Protection: String, CaseIterable, Sendable {
    /// A harness that runs as root gives root up before anything else.
    case ownUser
    /// The program sees no process but its own, and all of them end with the first.
    case ownProcesses
    /// No network but a loopback of its own.
    case ownNetwork
    /// No shared memory, semaphores or message queues of the machine.
    case ownIPC
    /// The machine's name is not told.
    case ownHostName
    /// The names of the machine's control groups are not told.
    case ownControlGroups
    /// Of the machine's files only `/usr`, a few of `/etc` and the mounts of the request are there, all others are absent.
    case ownFiles
    /// What is not `/out`, `/tmp` or `/dev/shm` cannot be written.
    case readOnlyFiles
    /// `/tmp` and `/dev/shm` are empty at the start, bounded, and gone at the end.
    case ownTemporaryFolder
    /// Nothing of the harness's environment, and so no key, is handed on.
    case ownEnvironment
    case noCapabilities
    /// No further namespaces can be made, in which a program would be root again.
    case noNestedNamespaces
    /// `SystemCallFilter`.
    case systemCallFilter
}

/// Which protections a sandbox has, and what of the machine it shows.
struct SandboxPolicy: Sendable {
    /// All of them, outside of tests: a test takes one away to show that its attack then succeeds.
    var protections = Set(Protection.allCases)
    /// Shown only where the user asks for the GPU: those of NVIDIA's driver, whichever the machine has.
    var devices = driverDevices + (0..<16).map { "/dev/nvidia\($0)" }

    private static let driverDevices = [
        "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset",
    ]

    static let standard = SandboxPolicy()

    static func without(_ withheld: Protection...) -> SandboxPolicy {
        SandboxPolicy(protections: standard.protections.subtracting(withheld))
    }

    func has(_ protection: Protection) -> Bool { protections.contains(protection) }

    /// The user inside: the kernel's `nobody`.
    static let userInside = 65_534
    static let hostName = "sandbox"
    /// Files of `/etc` that are written for the sandbox, so that nothing of the machine's own is read.
    static let syntheticFiles = [
        "/etc/passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/tmp:/usr/sbin/nologin\n",
        "/etc/group": "root:x:0:\nnogroup:x:65534:\n",
        "/etc/hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    ]
    /// Folders of the system beside `/usr`; Debian's are links into it, elsewhere they may be folders.
    static let systemFolders = ["/bin", "/sbin", "/lib", "/lib32", "/lib64"]
    /// The machine's own, where it has them: programs do not start without the first.
    static let systemFiles = ["/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts"]

    /// The environment of generated code, the same on every machine.
    static func environment(threads: Int) -> [String: String] {
        [
            "PATH": "/python/bin:/usr/bin:/bin", "HOME": "/tmp", "USER": "nobody", "TMPDIR": "/tmp", "LANG": "C.UTF-8",
            "TERM": "dumb", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1", "PYTHONNOUSERSITE": "1", "PYTHONFAULTHANDLER": "1", "MPLBACKEND": "Agg",
            "MPLCONFIGDIR": "/tmp/matplotlib", "XDG_CACHE_HOME": "/tmp/cache", "TORCH_HOME": "/tmp/torch",
            "NO_ALBUMENTATIONS_UPDATE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "\(threads)",
            "LLMBENCH_THREADS": "\(threads)",
            // Threads that wait spin for some 0.1 ms and then sleep: without an end to it they take the cores that other programs
            // need, without any of it a small network trains in 1.5 times the time.
            "GOMP_SPINCOUNT": "20000",
            "MKL_NUM_THREADS": "\(threads)", "OPENBLAS_NUM_THREADS": "\(threads)",
            "KERAS_BACKEND": "tensorflow", "KERAS_HOME": "/tmp/keras", "TF_NUM_INTRAOP_THREADS": "\(threads)",
            "TF_NUM_INTEROP_THREADS": "\(threads)",
            // TensorFlow's own remarks, but not its errors, are kept from standing before a program's.
            "TF_CPP_MIN_LOG_LEVEL": "2",
        ]
    }
}
