import Foundation
import Testing

@testable import Sandbox

/// Suites whose programs are ended for their memory, one after the other: the kernel counts such ends for the whole machine, and beside one
/// of them a program under the watchdog that fails by itself is taken for the machine's victim.
@Suite(.serialized)
enum MemoryLimitTests {}

extension MemoryLimitTests {
    @Suite("The limit backend", .serialized)
    struct LimitBackendTests {
        /// Those that make a control group; empty where this user may make none.
        static let groups = LimitBackend.available().filter(\.hasControlGroup)

        @Test func `always has the watchdog, last`() {
            #expect(LimitBackend.available().last == .watchdog)
            #expect(LimitBackend.watchdog.obstacle() == nil)
        }

        @Test func `that does not work here is refused, with the reason and what works`() throws {
            let missing = LimitBackend.allCases.filter { !LimitBackend.available().contains($0) }
            for backend in missing {
                let obstacle = try #require(backend.obstacle())
                #expect(throws: SandboxError.self) { try BubblewrapSandbox(limitBackend: backend) }
                do {
                    _ = try BubblewrapSandbox(limitBackend: backend)
                } catch {
                    #expect(error.description.contains(obstacle))
                    #expect(error.description.contains("--limits-by watchdog"))
                }
            }
        }

        @Test(arguments: groups)
        func `ends a program at once, while the watchdog looks away`(_ backend: LimitBackend) async throws {
            let attacks: [(String, SandboxOutcome.Limit)] = [
                ("held = [bytearray(b'x' * (1 << 20)) for n in range(900)]", .memory),
                (
                    """
                    import os, time
                    for n in range(2000):
                        try:
                            if os.fork() == 0: time.sleep(5); os._exit(0)
                        except OSError: break
                    """, .processes
                ),
            ]
            for (program, limit) in attacks {
                var sandbox = try BubblewrapSandbox(limitBackend: backend)
                sandbox.samplingInterval = 3_600
                let fixture = try SandboxFixture(runner: sandbox)
                #expect(try await fixture.run(program).termination == .limit(limit), "\(limit)")
                // Without the group nobody would have ended it.
                var blind = try BubblewrapSandbox(limitBackend: .watchdog)
                blind.samplingInterval = 3_600
                let control = try SandboxFixture(runner: blind)
                #expect(try await control.run(program).termination == .exited(0), "\(limit)")
            }
        }

        @Test(arguments: groups)
        func `counts the time of children that nobody waited for, to the end`(_ backend: LimitBackend) async throws {
            var sandbox = try BubblewrapSandbox(limitBackend: backend)
            sandbox.samplingInterval = 3_600
            let fixture = try SandboxFixture(runner: sandbox)
            let outcome = try await fixture.run(
                """
                import os, time
                if os.fork() == 0:
                    if os.fork() == 0:
                        start = time.process_time()
                        while time.process_time() - start < 0.5: pass
                        open("/out/done", "w").close()
                    os._exit(0)
                os.wait()
                while not os.path.exists("/out/done"): time.sleep(0.05)
                """)
            #expect(outcome.termination == .exited(0))
            #expect(outcome.cpuSeconds > 0.45)
        }

        @Test(arguments: groups)
        func `removes its groups, and those that a killed harness left behind`(_ backend: LimitBackend) throws {
            let hierarchies = ControlGroupHierarchies.current()
            var group: ControlGroup? = try ControlGroup(backend, hierarchies: hierarchies, limits: SandboxLimits())
            let folders = try #require(group?.folders.values)
            #expect(folders.count == (backend == .cgroup1 ? 3 : 1))
            for folder in folders { #expect(FileManager.default.fileExists(atPath: folder.path)) }
            group = nil
            for folder in folders { #expect(!FileManager.default.fileExists(atPath: folder.path)) }

            // No process has this number: the largest that Linux gives is 4194304.
            let left = folders.map { $0.deletingLastPathComponent().appending(path: "llmbench-999999999-1") }
            for folder in left {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
            }
            _ = try ControlGroup(backend, hierarchies: hierarchies, limits: SandboxLimits())
            for folder in left { #expect(!FileManager.default.fileExists(atPath: folder.path)) }
        }

        @Test func `finds the hierarchies in what the kernel says of mounts`() {
            let hybrid = ControlGroupHierarchies(
                mounts: """
                    25 30 0:23 / /sys rw,nosuid shared:7 - sysfs sysfs rw
                    31 25 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw
                    33 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct
                    34 25 0:30 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
                    """,
                own: """
                    3:memory:/docker/abc/inner
                    2:cpu,cpuacct:/
                    1:name=systemd:/init.scope
                    0::/user.slice/user-1000.slice
                    """)
            #expect(hybrid.folders["memory"]?.path == "/sys/fs/cgroup/memory/inner")
            #expect(hybrid.folders["cpuacct"]?.path == "/sys/fs/cgroup/cpu,cpuacct")
            #expect(hybrid.folders[""]?.path == "/sys/fs/cgroup/unified/user.slice/user-1000.slice")
            #expect(hybrid.folders["pids"] == nil)
            let none = ControlGroupHierarchies(mounts: "", own: "")
            #expect(none.folders.isEmpty)
            #expect(throws: ControlGroup.Unavailable.self) {
                try ControlGroup(.cgroup2, hierarchies: none, limits: SandboxLimits())
            }
            #expect(throws: ControlGroup.Unavailable.self) {
                try ControlGroup(.cgroup1, hierarchies: none, limits: SandboxLimits())
            }
        }

        /// No kernel here: a folder with the files of version 2 shows where the group is made and what is asked of it.
        @Test func `of version 2 goes where the controllers are handed down`() throws {
            let root = FileManager.default.temporaryDirectory.appending(path: "cgroup2-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: root) }
            let own = root.appending(path: "session/app", directoryHint: .isDirectory)
            try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
            for folder in [root, root.appending(path: "session"), own] {
                try "".write(to: folder.appending(path: "cgroup.procs"), atomically: false, encoding: .utf8)
            }
            try "".write(to: own.appending(path: "cgroup.subtree_control"), atomically: false, encoding: .utf8)
            try "memory pids\n".write(
                to: root.appending(path: "session/cgroup.subtree_control"), atomically: false, encoding: .utf8)
            let hierarchies = ControlGroupHierarchies(folders: ["": own])
            // The kernel would have put `memory.max` into the new folder; an ordinary file system does not, and that is said.
            do {
                _ = try ControlGroup(.cgroup2, hierarchies: hierarchies, limits: SandboxLimits())
                Issue.record("a folder without memory.max is no control group")
            } catch {
                #expect(error.reason.contains("memory.max"))
            }
            let made = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "session").path)
            #expect(!made.contains { $0.hasPrefix("llmbench-") }, "what was made is removed again")
        }
    }

    @Suite("What a doctor finds of the sandbox", .serialized)
    struct SandboxTrialTests {
        @Test func `tries the filter and each limit backend`() throws {
            let checks = Dictionary(uniqueKeysWithValues: SandboxCheck.all().map { ($0.name, $0) })
            #expect(checks["system calls"]?.status == .working)
            let limits = try #require(checks["limits"])
            #expect(limits.status != .missing, "\(limits.detail)")
            for backend in LimitBackend.allCases { #expect(limits.detail.contains(backend.rawValue)) }
            #expect((limits.remedy == nil) == (limits.status == .working))
        }

        @Test("counts no folder of the machine as the program's, nor one that is not there yet")
        func countsItsOwnOnly() {
            #expect(DiskWatch.ownUsage(of: "/tmp", beside: "/tmp") == nil)
            #expect(DiskWatch.ownUsage(of: "/proc/self/root/tmp", beside: "/tmp") == nil)
            #expect(DiskWatch.ownUsage(of: "/proc/self/root/no-such-folder", beside: "/tmp") == nil)
            #expect(DiskWatch.ownUsage(of: "/proc", beside: "/tmp") != nil)
        }
    }
}
