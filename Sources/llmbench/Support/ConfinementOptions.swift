import ArgumentParser
import Sandbox

/// How generated code is held, the same for every command that runs some.
struct ConfinementOptions: ParsableArguments {
    @Flag(name: .customLong("unsafe-no-sandbox"), help: "Run generated code without any protection.")
    var unsafeNoSandbox = false

    @Option(
        name: .customLong("limits-by"),
        help: ArgumentHelp(
            "Who enforces memory, processes and processor time; the best that works here when not given.",
            valueName: "cgroup2|cgroup1|watchdog"))
    var limitBackend: LimitBackend?

    @Flag(help: "Show generated code the machine's NVIDIA devices.")
    var gpu = false

    func validate() throws {
        guard unsafeNoSandbox, limitBackend != nil || gpu else { return }
        throw ValidationError(
            "--unsafe-no-sandbox leaves no sandbox for --limits-by or --gpu to steer: drop one of them")
    }

    var confinement: Confinement {
        unsafeNoSandbox ? .none : .sandbox(limitBackend: limitBackend, showsGPU: gpu)
    }

    /// Says on standard error what a user should not forget.
    func warn() { Self.warn(confinement) }

    static func warn(_ confinement: Confinement) {
        guard !confinement.isSandboxed else { return }
        Terminal.note("WARNING: --unsafe-no-sandbox: generated code can read, write and send whatever you can.")
    }
}

extension LimitBackend: ExpressibleByArgument {}
