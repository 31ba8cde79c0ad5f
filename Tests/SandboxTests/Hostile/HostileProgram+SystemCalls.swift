import Foundation

@testable import Sandbox

/// Attacks on the kernel: calls that open it, and roads to more rights.
extension HostileProgram {
    /// Root with capabilities in the namespace that owns the sandbox's others; forbidding further namespaces puts the program into
    /// one of its own, where capabilities reach nothing.
    private static let asRoot: Set<Protection> = [.noCapabilities, .noNestedNamespaces, .systemCallFilter]

    static let systemCalls = [
        HostileProgram(
            name: "traces another process",
            source: """
                child = os.fork()
                if child == 0: time.sleep(5); os._exit(0)
                try:
                    call(number(101, 117), 16, child, 0, 0)  # PTRACE_ATTACH
                    success()
                finally: os.kill(child, signal.SIGKILL)
                """,
            control: .without([.systemCallFilter])),
        HostileProgram(
            name: "reads another process's memory",
            source: """
                text = ctypes.create_string_buffer(b"a secret")
                child = os.fork()
                if child == 0: time.sleep(5); os._exit(0)
                target = ctypes.create_string_buffer(8)
                here = (ctypes.c_size_t * 2)(ctypes.addressof(target), 8)
                there = (ctypes.c_size_t * 2)(ctypes.addressof(text), 8)
                try:
                    call(number(310, 270), child, here, 1, there, 1, 0)  # process_vm_readv
                    if target.raw == b"a secret": success()
                finally: os.kill(child, signal.SIGKILL)
                """,
            control: .without([.systemCallFilter])),
        HostileProgram(
            name: "makes a user namespace, in which it would be root",
            source: "call(number(272, 97), 0x10000000); success()",
            control: .without([.noNestedNamespaces, .systemCallFilter])),
        HostileProgram(
            name: "makes a process in a new namespace",
            source: """
                child = call(number(56, 220), 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)  # clone, CLONE_NEWUSER
                if child == 0: os._exit(0)
                success()
                """,
            control: .without([.noNestedNamespaces, .systemCallFilter])),
        HostileProgram(
            name: "hides the flags of a new process in memory",
            source: """
                arguments = (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
                child = call(435, arguments, 64)  # clone3
                if child == 0: os._exit(0)
                success()
                """,
            control: .without([.noNestedNamespaces, .systemCallFilter])),
        HostileProgram(
            name: "mounts a file system over another",
            source: """
                os.mkdir("/tmp/m")
                if _libc.mount(b"tmpfs", b"/tmp/m", b"tmpfs", 0, None) != 0: raise OSError(ctypes.get_errno(), "mount")
                success()
                """,
            control: .without(asRoot)),
        HostileProgram(
            name: "mounts by the newer calls",
            source: "call(430, ctypes.c_char_p(b'tmpfs'), 0); success()  # fsopen",
            control: .without(asRoot)),
        HostileProgram(
            name: "changes its root", source: "os.mkdir('/tmp/r'); os.chroot('/tmp/r'); success()",
            control: .without([.noCapabilities, .systemCallFilter])),
        HostileProgram(
            name: "renames the machine", source: "socket.sethostname('owned'); success()",
            control: .without(asRoot)),
        HostileProgram(
            name: "opens a raw socket",
            source: "socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP); success()",
            control: .without(asRoot)),
        HostileProgram(
            name: "opens a socket that sees every packet",
            source: "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0); success()",
            control: .without(asRoot)),
        HostileProgram(
            name: "talks to the kernel's network by netlink",
            source: "socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 0); success()",
            control: .without([.systemCallFilter])),
        HostileProgram(
            name: "keeps a secret in the kernel's keyring",
            source: "call(number(248, 217), b'user', b'name', b'payload', 7, -3); success()  # add_key",
            control: .without([.systemCallFilter])),
        HostileProgram(
            name: "handles page faults itself, as exploits do to win races",
            source: "call(number(323, 282), 0o2000000 | 1); success()  # userfaultfd, UFFD_USER_MODE_ONLY",
            control: .without([.systemCallFilter])),
        HostileProgram(
            name: "loads a program into the kernel",
            // Most kernels refuse loading to all but root of the machine. What shows that the call got to the kernel at all is its
            // answer to a command that does not exist.
            source: """
                try: call(number(321, 280), 99, 0, 0)  # an unknown command of bpf
                except OSError as error:
                    if error.errno == errno.EINVAL: success()
                    raise
                """,
            control: .without([.noCapabilities, .systemCallFilter])),
        HostileProgram(
            name: "does its calls by a ring that no filter sees",
            source: """
                parameters = ctypes.create_string_buffer(120)
                call(425, 1, parameters); success()  # io_uring_setup
                """,
            control: .without([.systemCallFilter])),
        HostileProgram(
            name: "switches the randomisation of addresses off",
            source: "call(number(135, 92), 0x0040000); success()  # personality, ADDR_NO_RANDOMIZE",
            control: .without([.systemCallFilter])),
        HostileProgram(
            name: "measures the machine by its performance counters",
            source: """
                attributes = bytearray(128)
                struct.pack_into("IIQ", attributes, 0, 1, 128, 1)  # software, task clock
                struct.pack_into("Q", attributes, 40, 1 << 5 | 1 << 6)  # without kernel and hypervisor
                buffer = (ctypes.c_char * 128).from_buffer(attributes)
                call(number(298, 241), buffer, 0, -1, -1, 0); success()
                """,
            control: .without([.systemCallFilter])),
    ]
}
