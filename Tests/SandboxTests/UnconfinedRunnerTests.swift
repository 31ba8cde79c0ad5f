import Foundation
import Testing

@testable import Sandbox

@Suite("The runner without a sandbox", .serialized)
struct UnconfinedRunnerTests {
    @Test("finds the folders where the host has them")
    func paths() async throws {
        let fixture = try SandboxFixture(runner: UnconfinedRunner())
        let outcome = try await fixture.run(
            "import sys; open(sys.argv[1], 'w').write('here'); print(open('main.py').read() != '')"
        ) { $0.command.append("/out/result") }
        #expect(outcome.termination == .exited(0))
        #expect(try String(contentsOf: fixture.out.appending(path: "result"), encoding: .utf8) == "here")
    }

    @Test("translates a path by the longest mount, and nothing that only looks like one")
    func translation() {
        let mounts = [
            SandboxRequest.Mount(host: URL(filePath: "/a"), inside: "/out"),
            SandboxRequest.Mount(host: URL(filePath: "/b"), inside: "/out/deep"),
        ]
        #expect(UnconfinedRunner.translate("/out/x", mounts: mounts) == "/a/x")
        #expect(UnconfinedRunner.translate("/out/deep/x", mounts: mounts) == "/b/x")
        #expect(UnconfinedRunner.translate("/outside", mounts: mounts) == "/outside")
    }

    @Test("still has limits on time, output and memory, a cleared environment, and an end")
    func limits() async throws {
        let fixture = try SandboxFixture(runner: UnconfinedRunner())
        setenv("LLMBENCH_TEST_KEY", "sk-secret", 1)
        try await fixture.run("import os; print(dict(os.environ))")
        #expect(!fixture.standardOutput.contains("sk-secret"))
        var limits = SandboxFixture.smallLimits
        limits.wallSeconds = 1
        let mark = "unconfined-\(UUID().uuidString)"
        let looped = try await fixture.run("import os\nos.fork()\nwhile True: pass", limits: limits) {
            $0.command.append(mark)
        }
        #expect(looped.termination == .limit(.wallTime))
        #expect(!processExists(withArgument: mark))
        let printed = try await fixture.run("while True: print('x' * 1000)")
        #expect(printed.termination == .limit(.outputBytes))
        let hungry = try await fixture.run("a = []\nwhile True: a.append(bytearray(1 << 20))")
        #expect(hungry.termination == .limit(.memory))
    }
}

@Suite("The check of the sandbox")
struct SandboxCheckTests {
    @Test("finds everything working here, where the other tests work")
    func works() {
        let checks = SandboxCheck.all()
        #expect(checks.contains { $0.name == "bubblewrap" && $0.status == .working })
        #expect(checks.contains { $0.name == "namespaces" && $0.status != .missing })
        #expect(checks.allSatisfy { $0.status == .working || $0.remedy != nil })
    }
}
