import CSeccomp
import Foundation

/// The system calls that a sandboxed program is refused: what no training needs and what kernels were broken through.
///
/// Namespaces and missing capabilities forbid most of these already; the filter also closes the code behind them. It is a list of
/// refusals and not of permissions, because numerical libraries use what the next version of theirs will use, and a call that is
/// refused without need would be counted as an error of the model's.
///
/// Source of the list: the calls that Docker's default profile withholds from containers without capabilities
/// (docs.docker.com/engine/security/seccomp), and those that its issue trackers added since; the reasons are ours.
enum SystemCallFilter {
    /// One reason, and the calls it holds for, by name; a name that this machine's kernel headers do not know is left out.
    struct Refusal: Sendable {
        var reason: String
        var calls: [String]
        /// What the caller sees.
        var code: Int32 = EPERM
    }

    static let refusals: [Refusal] = [
        Refusal(
            reason: "looks into or steers other processes",
            calls: ["ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp"]),
        Refusal(
            reason: "changes what is mounted where",
            calls: [
                "mount", "umount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "fsconfig",
                "fsmount", "fspick", "mount_setattr", "swapon", "swapoff", "quotactl", "quotactl_fd",
            ]),
        Refusal(reason: "makes or enters namespaces", calls: ["unshare", "setns"]),
        Refusal(
            reason: "loads code into the kernel",
            calls: [
                "bpf", "init_module", "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load",
            ]),
        Refusal(
            reason: "opened the kernel to attacks before, and nothing here needs it",
            calls: [
                "userfaultfd", "perf_event_open", "lookup_dcookie", "fanotify_init", "name_to_handle_at",
                "open_by_handle_at", "memfd_secret", "modify_ldt", "vmsplice", "uselib", "ustat", "sysfs", "_sysctl",
                "nfsservctl", "vm86", "vm86old", "personality",
            ]),
        Refusal(reason: "keeps memory that no process holds, and that nobody counts", calls: ["shmget"]),
        Refusal(reason: "keeps secrets for others", calls: ["add_key", "keyctl", "request_key"]),
        Refusal(
            reason: "steers the machine",
            calls: [
                "reboot", "settimeofday", "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64",
                "adjtimex", "stime", "acct", "iopl", "ioperm", "syslog", "vhangup", "sethostname", "setdomainname",
            ]),
        // Its requests would pass no filter; libraries fall back where a kernel does not have it.
        Refusal(
            reason: "does other calls unseen", calls: ["io_uring_setup", "io_uring_enter", "io_uring_register"],
            code: ENOSYS),
        // Its flags lie in memory, where no filter can see them; the C library falls back to `clone`, whose flags can be seen.
        Refusal(reason: "may make namespaces unseen", calls: ["clone3"], code: ENOSYS),
    ]

    /// `CLONE_NEWNS`, `…CGROUP`, `…UTS`, `…IPC`, `…USER`, `…PID`, `…NET` of linux/sched.h.
    private static let namespaceFlags: [UInt64] = [
        0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
    ]
    /// Families of sockets: Unix, which data loaders' workers need, and the two of the internet, for the loopback.
    private static let socketFamilies: Set<UInt64> = [
        UInt64(AF_UNIX), UInt64(AF_INET), UInt64(AF_INET6),
    ]
    /// `SOCK_STREAM`, `SOCK_DGRAM`, `SOCK_SEQPACKET`; the bits above the low four are flags.
    private static let socketTypes: Set<UInt64> = [1, 2, 5]
    /// `TIOCSTI`, `TIOCLINUX`: put characters into a terminal's input.
    private static let terminalRequests: [UInt64] = [0x5412, 0x541c]

    /// The filter for bubblewrap's `--seccomp`, in a pipe: a classic BPF program as the kernel takes it, some 3 KiB. Calls of another instruction set than
    /// the machine's own (x32, 32 bit) end the process.
    ///
    /// - Throws: `SandboxError.broken` where libseccomp refuses.
    /// Cost: under a millisecond.
    static func program() throws(SandboxError) -> Pipe2 {
        // SCMP_ACT_ALLOW and SCMP_ACT_ERRNO are macros that Swift does not see (seccomp.h of libseccomp 2.5).
        guard let context = seccomp_init(0x7fff_0000) else { throw .broken(reason: "libseccomp has no memory") }
        defer { seccomp_release(context) }
        for refusal in refusals {
            for name in refusal.calls { try refuse(name, in: context, code: refusal.code) }
        }
        for flag in namespaceFlags {
            try refuse("clone", in: context, where: [compare(0, SCMP_CMP_MASKED_EQ, flag, flag)])
        }
        for family in 0...UInt64(AF_INET6) where !socketFamilies.contains(family) {
            try refuse("socket", in: context, code: EAFNOSUPPORT, where: [compare(0, SCMP_CMP_EQ, family)])
        }
        try refuse("socket", in: context, code: EAFNOSUPPORT, where: [compare(0, SCMP_CMP_GT, UInt64(AF_INET6))])
        for type in 0...UInt64(15) where !socketTypes.contains(type) {
            try refuse("socket", in: context, where: [compare(1, SCMP_CMP_MASKED_EQ, 0xf, type)])
        }
        for request in terminalRequests {
            try refuse("ioctl", in: context, where: [compare(1, SCMP_CMP_MASKED_EQ, 0xffff_ffff, request)])
        }
        let pipe = try Pipe2()
        let result = seccomp_export_bpf(context, pipe.writeEnd)
        guard result == 0 else {
            throw .broken(reason: "the filter of system calls cannot be written: \(systemMessage(-result))")
        }
        pipe.closeWriteEnd()
        return pipe
    }

    private static func compare(
        _ argument: UInt32, _ operation: scmp_compare, _ first: UInt64, _ second: UInt64 = 0
    ) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: operation, datum_a: first, datum_b: second)
    }

    private static func refuse(
        _ name: String, in context: scmp_filter_ctx, code: Int32 = EPERM, where conditions: [scmp_arg_cmp] = []
    ) throws(SandboxError) {
        let call = seccomp_syscall_resolve_name(name)
        // -1 is a name that this libseccomp does not know; what the machine's instruction set lacks has numbers below that.
        guard call >= 0 else { return }
        let action = 0x0005_0000 | UInt32(code)
        let result = seccomp_rule_add_array(context, action, call, UInt32(conditions.count), conditions)
        guard result == 0 else {
            throw .broken(reason: "the filter of system calls takes no rule for \(name): \(systemMessage(-result))")
        }
    }
}
