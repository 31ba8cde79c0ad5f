import Foundation
import Testing

@testable import Sandbox

/// A program that attacks, with what would show that it got through.
///
/// Each is run twice: with everything on, where it must fail, and as a positive control with only the named part off, where the
/// same program must succeed. An attack that fails in the control proves nothing about the protection.
struct HostileProgram: Sendable, CustomTestStringConvertible {
    /// What is taken away for the control.
    enum Control: Sendable {
        /// The smallest set without which the attack succeeds; more than one where the kernel or another part forbids it too.
        case without(Set<Protection>)
        /// The limit that holds it back is lifted.
        case lifting(@Sendable (inout SandboxLimits) -> Void)
        /// The request is made as a careless harness would make it.
        case asking(@Sendable (inout SandboxRequest) -> Void)
    }

    /// What of the host's an attack needs to find: a secret that it must not read, a server, a place.
    struct Bait: Sendable {
        var arguments: [String] = []
        /// Text that the program can print only if it got through.
        var secret = success
        var cleanUp: @Sendable () -> Void = {}
    }

    /// One run of a program, for judging.
    struct Attempt {
        let fixture: SandboxFixture
        /// Nil where the sandbox itself failed.
        let outcome: SandboxOutcome?
        let bait: Bait
    }

    /// What a program prints once it got through, for attacks that have nothing better to show.
    static let success = "the attack succeeded"
    /// Small, so that a hostile program meets one within seconds.
    static let smallLimits = SandboxFixture.smallLimits

    var name: String
    var source: String
    var control: Control
    /// Tighter than `smallLimits`, for the attack and for the control.
    var limits: @Sendable (inout SandboxLimits) -> Void = { _ in }
    /// How the host sees that the attack failed: the limit that ended the program; nil for an error of its own (exit status 1).
    var limit: SandboxOutcome.Limit?
    /// Further ends that are as good: which of two limits comes first is a matter of speed.
    var otherwise: Set<SandboxOutcome.Termination> = []
    /// Only where the harness itself runs as root.
    var needsRoot = false
    var prepare: @Sendable (SandboxFixture) throws -> Bait = { _ in Bait() }
    /// On top of the secret in what it printed.
    var succeeded: @Sendable (Attempt) -> Bool = {
        $0.fixture.standardOutput.contains($0.bait.secret)
    }

    var testDescription: String { name }

    /// What every program can use: system calls by number, one way to say that it got through, and a factor for the time that it
    /// stays within sight after its attack. Without the protection that time is lost, so the control is short of it; with it the
    /// program is ended at once, and a host that other work has stalled for a second still looks in time.
    private static func prelude(patience: Int) -> String {
        """
        patience = \(patience)
        import ctypes, errno, os, platform, signal, socket, struct, sys, time
        _libc = ctypes.CDLL(None, use_errno=True)
        def call(number, *arguments):
            arguments = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
            result = _libc.syscall(ctypes.c_long(number), *arguments)
            if result < 0:
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code))
            return result
        def number(x86, arm):
            return {"x86_64": x86, "aarch64": arm}[platform.machine()]
        def success(): print("\(success)", flush=True)

        """
    }

    /// Runs it under the standard policy, or as the control.
    func attempt(asControl isControl: Bool, backend: LimitBackend) async throws -> Attempt {
        var (policy, limits) = (SandboxPolicy.standard, Self.smallLimits)
        self.limits(&limits)
        if isControl {
            switch control {
            case .without(let withheld): policy.protections.subtract(withheld)
            case .lifting(let lift): lift(&limits)
            case .asking: break
            }
        }
        let sandbox = try BubblewrapSandbox(limitBackend: backend, policy: policy)
        let fixture = try SandboxFixture(runner: sandbox)
        let bait = try prepare(fixture)
        defer { bait.cleanUp() }
        var request = try fixture.request(
            Self.prelude(patience: isControl ? 1 : 6) + source, limits: limits)
        request.command += bait.arguments
        if isControl, case .asking(let ask) = control { ask(&request) }
        let outcome: SandboxOutcome?
        do {
            outcome = try await sandbox.run(request)
        } catch is SandboxError {
            outcome = nil
        }
        return Attempt(fixture: fixture, outcome: outcome, bait: bait)
    }

    /// The host has something to record: a limit of ours, or an error of the program's own.
    func isNoticed(_ attempt: Attempt) -> Bool {
        guard let termination = attempt.outcome?.termination else { return false }
        if otherwise.contains(termination) { return true }
        if let limit { return termination == .limit(limit) }
        return termination == .exited(1) && attempt.fixture.standardError.contains("Error")
    }
}

extension MemoryLimitTests {
    /// Every program under every limit backend of this machine.
    @Suite("A hostile program", .serialized)
    struct HostileProgramTests {
        static let programs =
            HostileProgram.isolation + HostileProgram.systemCalls + HostileProgram.processes + HostileProgram.amounts

        @Test(arguments: LimitBackend.available(), programs)
        func `fails, is noticed, and leaves the next round as it was`(
            _ backend: LimitBackend, _ program: HostileProgram
        ) async throws {
            let attempt = try await program.attempt(asControl: false, backend: backend)
            let printed = attempt.fixture.standardOutput.prefix(500) + attempt.fixture.standardError.suffix(500)
            let end = attempt.outcome.map { "\($0.termination)" } ?? "the sandbox failed"
            #expect(!program.succeeded(attempt), "it got through; \(end): \(printed)")
            #expect(program.isNoticed(attempt), "\(end): \(printed)")
            try await attempt.fixture.expectStillWorks()
        }

        @Test(arguments: programs)
        func `succeeds where the one protection against it is off`(_ program: HostileProgram) async throws {
            if program.needsRoot, geteuid() != 0 { return }
            let attempt = try await program.attempt(asControl: true, backend: .watchdog)
            let printed = attempt.fixture.standardOutput.prefix(500) + attempt.fixture.standardError.suffix(1500)
            let end = attempt.outcome.map { "\($0.termination)" } ?? "the sandbox failed"
            #expect(program.succeeded(attempt), "the control shows nothing; \(end): \(printed)")
        }

        @Test func `has at least forty kinds`() {
            #expect(Self.programs.count >= 40)
            #expect(Set(Self.programs.map(\.name)).count == Self.programs.count)
        }
    }
}
