import Foundation
import Testing

@testable import Sandbox

/// Each program attacks; each test says that the attack failed, that the host noticed, and that the next run works.
@Suite("A hostile program", .serialized)
struct HostileProgramTests {
    @Test("that loops without end runs out of processor time, or of wall time")
    func endlessLoop() async throws {
        let fixture = try SandboxFixture()
        var limits = SandboxFixture.smallLimits
        limits.wallSeconds = 1
        let outcome = try await fixture.run("while True: pass", limits: limits)
        #expect(outcome.termination == .limit(.wallTime))
        #expect(outcome.wallSeconds < 5)
        limits = SandboxFixture.smallLimits
        limits.cpuSeconds = 0.5
        #expect(try await fixture.run("while True: pass", limits: limits).termination == .limit(.cpuTime))
        try await fixture.expectStillWorks()
    }

    @Test("that forks without end is ended at the process limit, and nothing of it remains")
    func forkBomb() async throws {
        let fixture = try SandboxFixture()
        let mark = "bomb-\(UUID().uuidString)"
        let outcome = try await fixture.run(
            """
            import os
            while True:
                try: os.fork()
                except OSError: pass
            """
        ) { $0.command.append(mark) }
        #expect(outcome.termination == .limit(.processes))
        #expect(!processExists(withArgument: mark))
        try await fixture.expectStillWorks()
    }

    @Test("that takes all memory is ended at the memory limit")
    func memoryHog() async throws {
        let fixture = try SandboxFixture()
        let outcome = try await fixture.run("held = []\nwhile True: held.append(bytearray(1 << 20))")
        #expect(outcome.termination == .limit(.memory))
        #expect(outcome.peakMemoryBytes > 256 << 20)
        #expect(outcome.peakMemoryBytes < 8 << 30)
        try await fixture.expectStillWorks()
    }

    @Test("that hides its memory in files without a name is ended all the same")
    func namelessMemory() async throws {
        let fixture = try SandboxFixture()
        let outcome = try await fixture.run(
            """
            import os, time
            block = bytes(1 << 20)
            files = []
            for n in range(128):
                files.append(os.memfd_create(str(n)))
                for m in range(4): os.write(files[-1], block)
            time.sleep(10)
            """)
        #expect(outcome.termination == .limit(.memory))
    }

    @Test("that fills the disk is ended at the byte limit", arguments: ["one", "many", "unlinked", "tmp"])
    func diskFiller(_ manner: String) async throws {
        let fixture = try SandboxFixture()
        let outcome = try await fixture.run(
            """
            import itertools, os, sys, time
            manner = sys.argv[1]
            block = bytes(1 << 20)
            files = []
            for n in itertools.count():
                name = "/tmp/f" if manner == "tmp" else "/out/f"
                try:
                    f = open(name + (str(n) if manner != "one" else ""), "ab", buffering=0)
                    f.write(block)
                except OSError as error:
                    print(error); time.sleep(3); sys.exit(9)
                if manner == "unlinked": files.append(f); os.unlink(name + str(n))
                time.sleep(0.01)
            """
        ) { $0.command.append(manner) }
        if manner == "tmp" {
            // The private /tmp has a size of its own; whichever comes first, the machine's disk is untouched.
            #expect(outcome.termination == .limit(.writtenBytes) || outcome.termination == .exited(9))
        } else {
            #expect(outcome.termination == .limit(.writtenBytes))
        }
        try await fixture.expectStillWorks()
    }

    @Test("that makes files without end, or folders in folders, is ended at the file limit")
    func fileFiller() async throws {
        let fixture = try SandboxFixture()
        let many = try await fixture.run(
            """
            import itertools, time
            for n in itertools.count():
                open(f"/out/{n}", "w").close()
                if n % 100 == 0: time.sleep(0.02)
            """)
        #expect(many.termination == .limit(.writtenFiles))
        let deep = try SandboxFixture()
        let outcome = try await deep.run(
            """
            import os, time
            os.chdir("/out")
            for n in range(300):
                os.mkdir("d"); os.chdir("d")
            time.sleep(10)
            """)
        #expect(outcome.termination == .limit(.writtenFiles))
        try await fixture.expectStillWorks()
    }

    @Test("that prints without end fills neither disk nor memory", arguments: ["lines", "flood"])
    func prints(_ manner: String) async throws {
        let fixture = try SandboxFixture()
        let outcome = try await fixture.run(
            manner == "lines"
                ? "while True: print('all work and no play')"
                : "import os\nblock = b'x' * 65536\nwhile True: os.write(2, block)")
        #expect(outcome.termination == .limit(.outputBytes))
        #expect(outcome.droppedOutputBytes > 0)
        let stored = max(fixture.standardOutput.utf8.count, fixture.standardError.utf8.count)
        #expect(stored == 64 << 10)
        try await fixture.expectStillWorks()
    }

    @Test("cannot kill what started it")
    func killsParent() async throws {
        let fixture = try SandboxFixture()
        let outcome = try await fixture.run(
            """
            import os, signal
            for victim in (os.getppid(), 1):
                try: os.kill(victim, signal.SIGKILL)
                except OSError as error: print(error)
            try: os.kill(-1, signal.SIGKILL)
            except OSError as error: print(error)
            print("parents seen:", [n for n in os.listdir("/proc") if n.isdigit()])
            """)
        #expect(outcome.termination == .exited(0))
        #expect(fixture.standardOutput.contains("parents seen: ['1', '2']"))
        try await fixture.expectStillWorks()
    }

    @Test("cannot read the home directory or any other file of the host")
    func readsHome() async throws {
        let secret = "secret-\(UUID().uuidString)"
        let home = FileManager.default.homeDirectoryForCurrentUser
        let file = home.appending(path: ".llmbench-test-\(UUID().uuidString)")
        try secret.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let fixture = try SandboxFixture()
        try await fixture.run(
            """
            import glob, os, sys
            for path in [sys.argv[1], "/etc/shadow", "/proc/1/environ", "/proc/1/root" + sys.argv[1]]:
                try: print(open(path).read())
                except OSError as error: print("refused", type(error).__name__)
            print("home", os.path.exists(os.path.dirname(sys.argv[1])) and os.listdir(os.path.dirname(sys.argv[1])))
            print("root", sorted(os.listdir("/")))
            """
        ) { $0.command.append(file.path(percentEncoded: false)) }
        #expect(!fixture.standardOutput.contains(secret))
        #expect(fixture.standardOutput.contains("home False"))
        #expect(!fixture.standardOutput.contains("'root'"))
        try await fixture.expectStillWorks()
    }

    @Test("cannot reach a server of the host, nor one on an abstract socket")
    func opensSocket() async throws {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(server) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Bool in
                bind(server, address, length) == 0 && listen(server, 1) == 0
                    && getsockname(server, address, &length) == 0
            }
        }
        try #require(port)
        let number = UInt16(bigEndian: address.sin_port)
        let program = """
            import socket
            try:
                socket.create_connection(("127.0.0.1", \(number)), 2); print("connected")
            except OSError as error: print("refused", error)
            try:
                socket.create_connection(("1.1.1.1", 53), 2); print("connected")
            except OSError as error: print("refused", error)
            print([name for _, name in socket.if_nameindex()])
            """
        let fixture = try SandboxFixture()
        try await fixture.run(program)
        #expect(!fixture.standardOutput.contains("connected"))
        #expect(fixture.standardOutput.contains("['lo']"))
        // The server is really there: without the sandbox the same program reaches it.
        let open = try SandboxFixture(runner: UnconfinedRunner())
        try await open.run(program)
        #expect(open.standardOutput.hasPrefix("connected"))
    }

    @Test("cannot write outside of /out and its private folders")
    func writesOutside() async throws {
        let fixture = try SandboxFixture()
        try await fixture.run(
            """
            for path in ["/x", "/code/x", "/usr/x", "/etc/passwd", "/dev/x", "/bin/x", "/proc/sys/kernel/core_pattern",
                         "/proc/sysrq-trigger"]:
                try: open(path, "w").write("x"); print("written", path)
                except OSError as error: print("refused", path)
            """)
        #expect(!fixture.standardOutput.contains("written"))
        #expect(fixture.standardOutput.split(separator: "\n").count == 8)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.code.path) == ["main.py"])
    }

    @Test("cannot make namespaces of its own")
    func nestedNamespace() async throws {
        let fixture = try SandboxFixture()
        let outcome = try await fixture.run(
            """
            import ctypes, sys
            libc = ctypes.CDLL(None, use_errno=True)
            sys.exit(5 if libc.unshare(0x10000000) != 0 else 0)
            """)
        #expect(outcome.termination == .exited(5))
    }

    @Test("that ignores SIGTERM ends all the same")
    func ignoresTermination() async throws {
        let fixture = try SandboxFixture()
        var limits = SandboxFixture.smallLimits
        limits.wallSeconds = 1
        let mark = "deaf-\(UUID().uuidString)"
        let outcome = try await fixture.run(
            """
            import signal, time
            for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(s, signal.SIG_IGN)
            time.sleep(60)
            """, limits: limits
        ) { $0.command.append(mark) }
        #expect(outcome.termination == .limit(.wallTime))
        #expect(!processExists(withArgument: mark))
    }

    @Test("that forks twice and starts a session leaves nothing running")
    func daemon() async throws {
        let fixture = try SandboxFixture()
        let mark = "daemon-\(UUID().uuidString)"
        let outcome = try await fixture.run(
            """
            import os, time
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(60)
                os._exit(0)
            os.wait(); time.sleep(0.2)
            """
        ) { $0.command.append(mark) }
        #expect(outcome.termination == .exited(0))
        #expect(outcome.wallSeconds < 15)
        #expect(!processExists(withArgument: mark))
        try await fixture.expectStillWorks()
    }

    @Test("that does nothing ends well; that nothing was made is for the contract to see")
    func nothing() async throws {
        let fixture = try SandboxFixture()
        #expect(try await fixture.run("").termination == .exited(0))
        #expect(try FolderListing(fixture.out).entries.isEmpty)
    }

    @Test("leaves links, FIFOs and sockets, and a listing follows none of them")
    func trapsInOut() async throws {
        let fixture = try SandboxFixture()
        try await fixture.run(
            """
            import os, socket
            os.symlink("/", "/out/everything")
            os.symlink("/etc/passwd", "/out/train_losses.xlsx")
            os.mkfifo("/out/loss_curve.png")
            socket.socket(socket.AF_UNIX).bind("/out/socket")
            os.mkdir("/out/folder"); open("/out/folder/\\u001b[2Jname", "w").write("abc")
            f = open("/out/sparse", "wb"); f.truncate(8 << 20)
            """)
        let listing = try FolderListing(fixture.out)
        let kinds = Dictionary(uniqueKeysWithValues: listing.entries.map { ($0.path, $0.kind) })
        #expect(kinds["everything"] == .link)
        #expect(kinds["train_losses.xlsx"] == .link)
        #expect(kinds["loss_curve.png"] == .other)
        #expect(kinds["socket"] == .other)
        #expect(kinds["folder"] == .folder)
        #expect(listing.entries.count == 7)
        #expect(listing.files.map(\.bytes).sorted() == [3, 8 << 20])
        #expect(listing.allocatedBytes < 1 << 20)
        #expect(listing.entries.allSatisfy { !FolderListing.printable($0.path).contains("\u{1b}") })
    }
}
