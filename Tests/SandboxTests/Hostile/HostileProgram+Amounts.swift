import Foundation

@testable import Sandbox

/// Attacks by sheer amount: each takes a bounded multiple of what it may have, so that the control ends.
extension HostileProgram {
    static let amounts = [
        HostileProgram(
            name: "forks without end",
            source: """
                for n in range(300):
                    if os.fork() == 0: time.sleep(8); os._exit(0)
                time.sleep(3 * patience); success()
                """,
            control: .lifting { $0.processes = 2_000 }, limit: .processes),
        HostileProgram(
            name: "doubles its processes",
            source: """
                for n in range(7): os.fork()
                time.sleep(1.5 * patience); success()
                """,
            control: .lifting { $0.processes = 2_000 }, limit: .processes),
        HostileProgram(
            name: "starts threads without end",
            source: """
                import threading
                threading.stack_size(65536)
                for n in range(1500): threading.Thread(target=time.sleep, args=(3,), daemon=True).start()
                time.sleep(0.3 * patience); success()
                """,
            control: .lifting { $0.processes = 1_000 }, limit: .processes, otherwise: [.exited(1)]),
        HostileProgram(
            name: "takes memory without end",
            source: """
                held = [bytearray(b"x" * (1 << 20)) for n in range(900)]
                time.sleep(0.3 * patience); success()
                """,
            control: .lifting { $0.memoryBytes = 4 << 30 }, limit: .memory),
        HostileProgram(
            name: "takes memory in many processes, each of them modest",
            source: """
                for n in range(12):
                    if os.fork() == 0: held = bytearray(b"x" * (80 << 20)); time.sleep(8); os._exit(0)
                time.sleep(2 * patience); success()
                """,
            control: .lifting { $0.memoryBytes = 4 << 30 }, limit: .memory),
        HostileProgram(
            name: "hides memory in files without a name",
            source: """
                block = bytes(1 << 20)
                files = [os.memfd_create(str(n)) for n in range(150)]
                for f in files:
                    for m in range(6): os.write(f, block)
                time.sleep(0.6 * patience); success()
                """,
            control: .lifting { $0.memoryBytes = 4 << 30 }, limit: .memory),
        HostileProgram(
            name: "hides memory in segments that no process holds",
            source: """
                _libc.shmat.restype = ctypes.c_void_p
                for n in range(40):
                    shm = _libc.shmget(0, 16 << 20, 0o1600)
                    if shm < 0: raise OSError(ctypes.get_errno(), "shmget")
                    place = _libc.shmat(shm, None, 0)
                    ctypes.memset(place, 1, 16 << 20)
                    _libc.shmdt(ctypes.c_void_p(place))
                time.sleep(0.3 * patience); success()
                """,
            control: .without([.systemCallFilter])),
        HostileProgram(
            name: "fills the disk with one file", source: fills("/out/f", append: true),
            control: .lifting { $0.writtenBytes = 1 << 30 }, limit: .writtenBytes),
        HostileProgram(
            name: "fills the disk with many files", source: fills("/out/f", append: false),
            control: .lifting { $0.writtenBytes = 1 << 30 }, limit: .writtenBytes),
        HostileProgram(
            name: "fills the disk with files that it has removed",
            source: fills("/out/f", append: false, unlinks: true),
            control: .lifting { $0.writtenBytes = 1 << 30 }, limit: .writtenBytes),
        HostileProgram(
            name: "fills the folders that lie in memory",
            source: fills("/tmp/f", append: false) + "\n" + fills("/dev/shm/f", append: false),
            control: .lifting { $0.writtenBytes = 1 << 30 }, limit: .writtenBytes, otherwise: [.exited(1)]),
        HostileProgram(
            name: "reserves space that it does not write",
            source: """
                with open("/out/f", "wb") as f: os.posix_fallocate(f.fileno(), 0, 200 << 20)
                time.sleep(0.5 * patience); success()
                """,
            control: .lifting { $0.writtenBytes = 1 << 30 }, limit: .writtenBytes),
        HostileProgram(
            name: "claims a file of a terabyte",
            source: """
                with open("/out/f", "wb") as f: f.truncate(1 << 40)
                success()
                """,
            control: .lifting { $0.writtenBytes = 1 << 41 }, otherwise: [.limit(.writtenBytes)]),
        HostileProgram(
            name: "makes files without end",
            source: """
                for n in range(3000):
                    open(f"/out/{n}", "w").close()
                    if n % 100 == 0: time.sleep(0.02)
                time.sleep(0.3 * patience); success()
                """,
            control: .lifting { $0.writtenFiles = 20_000 }, limit: .writtenFiles),
        HostileProgram(
            name: "makes files without end in memory",
            source: """
                for n in range(3000):
                    open(f"/tmp/{n}", "w").close()
                    if n % 100 == 0: time.sleep(0.02)
                time.sleep(0.3 * patience); success()
                """,
            control: .lifting { $0.writtenFiles = 20_000 }, limit: .writtenFiles),
        HostileProgram(
            name: "links one file a thousand times",
            source: """
                open("/out/f", "w").close()
                for n in range(1500): os.link("/out/f", f"/out/{n}")
                time.sleep(0.5 * patience); success()
                """,
            control: .lifting { $0.writtenFiles = 20_000 }, limit: .writtenFiles),
        HostileProgram(
            name: "opens files without end",
            source: "files = [open('/code/main.py') for n in range(2000)]; success()",
            control: .lifting { $0.openFiles = 4096 }),
        HostileProgram(
            name: "prints without end",
            source: """
                for n in range(30_000): print("all work and no play makes a dull log")
                success()
                """,
            control: .lifting { $0.outputBytes = 16 << 20 }, limit: .outputBytes),
        HostileProgram(
            name: "prints without end and without a newline",
            source: """
                block = b"x" * 65536
                for n in range(100): os.write(2, block)
                success()
                """,
            control: .lifting { $0.outputBytes = 16 << 20 }, limit: .outputBytes),
    ]

    /// Forty mebibytes, where sixteen are allowed.
    private static func fills(_ path: String, append: Bool, unlinks: Bool = false) -> String {
        """
        block, files = bytes(1 << 20), []
        for n in range(40):
            name = "\(path)"\(append ? "" : " + str(n)")
            files.append(open(name, "ab", buffering=0)); files[-1].write(block)
            \(unlinks ? "os.unlink(name)" : "pass")
            time.sleep(0.01)
        time.sleep(0.5 * patience); success()
        """
    }
}
