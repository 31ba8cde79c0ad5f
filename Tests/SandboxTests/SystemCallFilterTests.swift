import CSeccomp
import Foundation
import Testing

@testable import Sandbox

@Suite("The filter of system calls")
struct SystemCallFilterTests {
    @Test func `refuses each call on its list, with the answer that the list names`() async throws {
        let calls = SystemCallFilter.refusals.flatMap { refusal in
            refusal.calls.map { (name: $0, number: seccomp_syscall_resolve_name($0), code: refusal.code) }
        }.filter { $0.number >= 0 }
        #expect(calls.count > 50)
        let fixture = try SandboxFixture()
        // Arguments that no call accepts: what is not refused first by the filter fails with another error, or not at all.
        try await fixture.run(
            """
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            for number in [\(calls.map { "\($0.number)" }.joined(separator: ", "))]:
                ctypes.set_errno(0)
                result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
                print(result, ctypes.get_errno())
            """)
        let answers = fixture.standardOutput.split(separator: "\n").map(String.init)
        try #require(answers.count == calls.count)
        for (call, answer) in zip(calls, answers) { #expect(answer == "-1 \(call.code)", "\(call.name)") }
    }

    @Test func `leaves what data loaders, libraries and their threads need`() async throws {
        let fixture = try SandboxFixture()
        let outcome = try await fixture.run(
            """
            import mmap, multiprocessing, multiprocessing.shared_memory, os, selectors, signal, socket, subprocess, tempfile, threading, time
            def main():
                a, b = socket.socketpair(); a.send(b"x"); assert b.recv(1) == b"x"
                server = socket.socket(socket.AF_UNIX); server.bind("/tmp/s"); server.listen(); client = socket.socket(socket.AF_UNIX)
                client.connect("/tmp/s")
                loop = socket.create_server(("127.0.0.1", 0)); socket.create_connection(loop.getsockname())
                t = threading.Thread(target=time.sleep, args=(0.01,)); t.start(); t.join()
                for method in ("fork", "spawn", "forkserver"):
                    with multiprocessing.get_context(method).Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]
                shared = multiprocessing.shared_memory.SharedMemory(create=True, size=4096); shared.unlink()
                with tempfile.TemporaryFile() as f: f.truncate(4096); mmap.mmap(f.fileno(), 4096)[0] = 1
                assert subprocess.run(["/bin/echo", "x"], capture_output=True).stdout == b"x\\n"
                os.sched_getaffinity(0); os.nice(1); os.memfd_create("m"); selectors.DefaultSelector()
                signal.setitimer(signal.ITIMER_REAL, 100); os.mkfifo("/tmp/p"); os.pipe2(os.O_CLOEXEC)
                print("all of it")
            if __name__ == "__main__": main()
            """)
        #expect(outcome.termination == .exited(0), "\(fixture.standardError)")
        #expect(fixture.standardOutput == "all of it\n")
    }

    @Test func `ends a program that calls in another instruction set's numbers`() async throws {
        #if arch(x86_64)
            let fixture = try SandboxFixture()
            // x32: the same call with bit 30 set.
            let outcome = try await fixture.run(
                "import ctypes; ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 | 39)); print('through')")
            #expect(!fixture.standardOutput.contains("through"))
            #expect(outcome.termination == .signalled(SIGSYS))
        #endif
    }
}
