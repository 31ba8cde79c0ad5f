import Foundation

@testable import Sandbox

/// Attacks on the harness's own processes, and on its hold over the program's.
extension HostileProgram {
    static let processes = [
        HostileProgram(
            name: "sees the processes of the host",
            source: """
                seen = []
                for id in filter(str.isdigit, os.listdir("/proc")):
                    try: seen.append(open(f"/proc/{id}/cmdline").read())
                    except OSError: pass
                if any(sys.argv[1] in line for line in seen if "main.py" not in line): success()
                else: raise ProcessLookupError("Error: only ours")
                """,
            control: .without([.ownProcesses]), prepare: { _ in try sleeper() }),
        HostileProgram(
            name: "kills what started it",
            source: """
                for id in (os.getppid(), 1):
                    try: os.kill(id, signal.SIGKILL)
                    except OSError as error: print(error)
                time.sleep(1); raise RuntimeError("Error: still alive")
                """,
            control: .without([.ownProcesses]),
            // The harness loses its program: it says that the sandbox failed, or that all of it is gone.
            succeeded: { $0.outcome == nil }),
        HostileProgram(
            name: "forks twice into a session of its own and lives on",
            source: """
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        for n in (0, 1, 2): os.close(n)
                        time.sleep(20)
                    os._exit(0)
                os.wait(); time.sleep(0.3); raise RuntimeError("Error: done")
                """,
            control: .without([.ownProcesses]), prepare: { _ in mark() },
            succeeded: { attempt in
                guard let mark = attempt.bait.arguments.first else { return false }
                usleep(200_000)
                return endProcesses(withArgument: mark) > 0
            }),
        HostileProgram(
            name: "ignores every signal that asks it to end",
            source: """
                for s in range(1, 65):
                    try: signal.signal(s, signal.SIG_IGN)
                    except (OSError, ValueError): pass
                time.sleep(3 * patience); success()
                """,
            control: .lifting { $0.wallSeconds = 20 }, limits: { $0.wallSeconds = 1.5 }, limit: .wallTime),
        HostileProgram(
            name: "stops the clocks it is measured by",
            source: """
                time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
                os.environ["TZ"] = "UTC-14"; time.tzset()
                time.sleep(3 * patience); success()
                """,
            control: .lifting { $0.wallSeconds = 20 }, limits: { $0.wallSeconds = 1.5 }, limit: .wallTime),
        HostileProgram(
            name: "stops itself, so that it never ends",
            source: """
                child = os.fork()
                if child == 0:
                    time.sleep(3 * patience); os.kill(os.getppid(), signal.SIGCONT); os._exit(0)
                os.kill(os.getpid(), signal.SIGSTOP); success()
                """,
            control: .lifting { $0.wallSeconds = 20 }, limits: { $0.wallSeconds = 1.5 }, limit: .wallTime),
        HostileProgram(
            name: "loops without end",
            source: """
                start = time.process_time()
                while time.process_time() - start < 3 * patience: pass
                success()
                """,
            control: .lifting { $0.cpuSeconds = 20 }, limits: { $0.cpuSeconds = 1 }, limit: .cpuTime),
        HostileProgram(
            name: "burns time in children that nobody waits for",
            source: """
                for n in range(12):
                    if os.fork() == 0:
                        if os.fork() == 0:
                            start = time.process_time()
                            while time.process_time() - start < 0.3: pass
                        os._exit(0)
                    os.wait(); time.sleep(0.3)
                time.sleep(1.5 * patience); success()
                """,
            control: .lifting { $0.cpuSeconds = 20 }, limits: { $0.cpuSeconds = 1 }, limit: .cpuTime),
    ]

    /// A process of the host to be found, killed when the test is over.
    private static func sleeper() throws -> Bait {
        let mark = "llmbench-mark-\(UUID().uuidString)"
        let child = try ChildProcess.spawn(
            ["/bin/sh", "-c", "sleep 30; :", mark], environment: [:], descriptors: [:], newSession: true)
        return Bait(
            arguments: [mark],
            cleanUp: {
                kill(-child.processID, SIGKILL)
                while child.poll() == nil { usleep(2_000) }
            })
    }

    private static func mark() -> Bait { Bait(arguments: ["llmbench-mark-\(UUID().uuidString)"]) }

    /// - Returns: How many there were.
    private static func endProcesses(withArgument text: String) -> Int {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        var count = 0
        for id in folders.compactMap({ pid_t($0) }) {
            guard let line = smallFile("/proc/\(id)/cmdline"), line.contains(text) else { continue }
            kill(id, SIGKILL)
            count += 1
        }
        return count
    }
}
