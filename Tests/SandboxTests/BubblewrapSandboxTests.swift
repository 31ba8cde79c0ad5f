import Foundation
import Testing

@testable import Sandbox

@Suite("A program in the sandbox", .serialized)
struct BubblewrapSandboxTests {
    @Test("prints to the files it was given and leaves its results in /out")
    func prints() async throws {
        let fixture = try SandboxFixture()
        let outcome = try await fixture.run(
            """
            import sys
            print("to out"); print("to err", file=sys.stderr)
            open("/out/result.txt", "w").write("42")
            """)
        #expect(outcome.termination == .exited(0))
        #expect(fixture.standardOutput == "to out\n")
        #expect(fixture.standardError == "to err\n")
        #expect(try String(contentsOf: fixture.out.appending(path: "result.txt"), encoding: .utf8) == "42")
        #expect(outcome.wallSeconds > 0)
        #expect(outcome.cpuSeconds > 0)
    }

    @Test("ends with its own exit status", arguments: [0, 1, 2, 77, 128])
    func exitStatus(_ status: Int32) async throws {
        let fixture = try SandboxFixture()
        #expect(try await fixture.run("import sys; sys.exit(\(status))").termination == .exited(status))
    }

    @Test("that crashes has a signal of its own", arguments: [SIGSEGV, SIGABRT, SIGBUS])
    func ownSignal(_ signal: Int32) async throws {
        let fixture = try SandboxFixture()
        let outcome = try await fixture.run(
            "import os, signal; signal.signal(\(signal), signal.SIG_DFL); os.kill(os.getpid(), \(signal))")
        #expect(outcome.termination == .signalled(signal))
    }

    @Test("that is killed by somebody else is the harness's failure, never the program's")
    func killedByOthers() async throws {
        let fixture = try SandboxFixture()
        let mark = "mark-\(UUID().uuidString)"
        let request = try fixture.request("import time; time.sleep(15)", limits: SandboxFixture.smallLimits)
        var marked = request
        marked.command.append(mark)
        let runner = fixture.runner
        let run = Task { [marked] in try await runner.run(marked) }
        try await killProgram(withArgument: mark)
        await #expect(throws: SandboxError.self) { try await run.value }
        try await fixture.expectStillWorks()
    }

    /// Kills the Python process itself, not bubblewrap.
    private func killProgram(withArgument mark: String) async throws {
        for _ in 0..<200 {
            try await Task.sleep(for: .milliseconds(50))
            for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
                guard let id = pid_t(name), let line = smallFile("/proc/\(name)/cmdline"), line.contains(mark),
                    line.hasPrefix("/usr/bin/python3")
                else { continue }
                kill(id, SIGKILL)
                return
            }
        }
        Issue.record("the program did not start")
    }

    @Test("sees a cleared environment, the same on every machine")
    func environment() async throws {
        setenv("LLMBENCH_TEST_KEY", "sk-secret", 1)
        let fixture = try SandboxFixture()
        try await fixture.run("import os\nfor k in sorted(os.environ): print(k, os.environ[k])") {
            $0.environment = ["EXTRA": "given"]
        }
        let printed = fixture.standardOutput
        #expect(!printed.contains("sk-secret"))
        for line in [
            "EXTRA given", "HOME /tmp", "LANG C.UTF-8", "PYTHONHASHSEED 0", "PYTHONDONTWRITEBYTECODE 1",
            "MPLBACKEND Agg",
        ] {
            #expect(printed.contains(line + "\n"))
        }
    }

    @Test("is nobody, has no capability, cannot gain any, and holds no descriptor but its streams")
    func rights() async throws {
        let fixture = try SandboxFixture()
        try await fixture.run(
            """
            import os
            print("uid", os.getuid(), os.geteuid(), os.getgid())
            for line in open("/proc/self/status"):
                if line.startswith(("Cap", "NoNewPrivs")): print(*line.split())
            print("fds", sorted(int(n) for n in os.listdir("/proc/self/fd"))[:-1])
            print("host", os.uname().nodename)
            """)
        let printed = fixture.standardOutput
        #expect(printed.contains("uid 65534 65534 65534\n"))
        for name in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            #expect(printed.contains("\(name) 0000000000000000\n"))
        }
        #expect(printed.contains("NoNewPrivs: 1\n"))
        #expect(printed.contains("fds [0, 1, 2]\n"))
        #expect(printed.contains("host sandbox\n"))
    }

    @Test("of a harness that runs as root does not run as root")
    func rootIsGivenUp() async throws {
        let fixture = try SandboxFixture()
        guard geteuid() == 0 else { return }
        try await fixture.run("open('/out/mine', 'w').write('x')")
        let attributes = try FileManager.default.attributesOfItem(atPath: fixture.out.appending(path: "mine").path)
        #expect(attributes[.ownerAccountID] as? Int == Int(BubblewrapSandbox.unprivilegedID))
    }

    /// Between the start of bubblewrap and that of the program lie some 30 ms, in which namespaces are made and ties are tied.
    @Test("ends whenever it is cancelled, and leaves nothing behind", arguments: LimitBackend.available())
    func cancelledAtAnyMoment(_ backend: LimitBackend) async throws {
        let runner = try BubblewrapSandbox(limitBackend: backend)
        for milliseconds in stride(from: 0, to: 60, by: 2) {
            let fixture = try SandboxFixture(runner: runner)
            let mark = "mark-\(UUID().uuidString)"
            var request = try fixture.request("import time; time.sleep(30)", limits: SandboxFixture.smallLimits)
            request.command.append(mark)
            let task = Task { [request] in try await runner.run(request) }
            try await Task.sleep(for: .milliseconds(milliseconds))
            task.cancel()
            #expect(try await task.value.termination == .stopped, "after \(milliseconds) ms")
            #expect(!processExists(withArgument: mark), "after \(milliseconds) ms")
        }
    }

    @Test("ends within a second of a cancelled task, as stopped")
    func cancelled() async throws {
        let fixture = try SandboxFixture()
        let request = try fixture.request("import time; time.sleep(30)", limits: SandboxFixture.smallLimits)
        let runner = fixture.runner
        let task = Task { try await runner.run(request) }
        try await Task.sleep(for: .milliseconds(400))
        task.cancel()
        let outcome = try await task.value
        #expect(outcome.termination == .stopped)
        #expect(outcome.wallSeconds < 5)
    }

    @Test("finds room for the shared memory of loader workers")
    func sharedMemory() async throws {
        let fixture = try SandboxFixture()
        let outcome = try await fixture.run(
            """
            from multiprocessing import shared_memory, Pool
            block = shared_memory.SharedMemory(create=True, size=1 << 20)
            block.buf[0] = 7; block.close(); block.unlink()
            if __name__ == "__main__":
                with Pool(2) as pool: print(pool.map(abs, [-1, -2]))
            """)
        #expect(outcome.termination == .exited(0))
        #expect(fixture.standardOutput.contains("[1, 2]"))
    }

    @Test("whose disk is full stops the run as ours")
    func diskFull() async throws {
        let fixture = try SandboxFixture(runner: try BubblewrapSandbox(diskReserveBytes: 1 << 60))
        await #expect(throws: SandboxError.diskFull(path: fixture.out.path(percentEncoded: false))) {
            try await fixture.run("import time; time.sleep(5)")
        }
    }

    @Test("that cannot be started is the harness's failure")
    func noInterpreter() async throws {
        let fixture = try SandboxFixture()
        await #expect(
            throws: SandboxError.environmentBroken(reason: "/usr/bin/python9 cannot be started inside the sandbox")
        ) {
            try await fixture.run("") { $0.command[0] = "/usr/bin/python9" }
        }
    }

    @Test("with a mount that is gone is the harness's failure")
    func missingMount() async throws {
        let fixture = try SandboxFixture()
        await #expect(throws: SandboxError.self) {
            try await fixture.run("") {
                $0.mounts.append(.init(host: URL(filePath: "/nowhere/at/all"), inside: "/data"))
            }
        }
    }

    @Test("needs bubblewrap; one that cannot make namespaces is reported with its own words")
    func brokenBubblewrap() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bwrap-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = folder.appending(path: "bwrap")
        try "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1\n"
            .write(to: script, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.path)
        let error = #expect(throws: SandboxError.self) { try BubblewrapSandbox(bubblewrap: script) }
        guard case .unavailable(let reason) = error else {
            Issue.record("\(String(describing: error)) is not `unavailable`")
            return
        }
        #expect(reason.contains("No permissions to create new namespace"))
    }
}
