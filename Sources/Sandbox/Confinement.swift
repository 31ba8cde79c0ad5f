/// What a user asked for: how generated code is held, by whom its limits are enforced, and whether it sees the GPU.
public enum Confinement: Sendable, Hashable {
    /// Under bubblewrap.
    ///
    /// - limitBackend: The best that works on the machine when nil.
    /// - showsGPU: Hands the machine's NVIDIA devices in.
    case sandbox(limitBackend: LimitBackend? = nil, showsGPU: Bool = false)
    /// Without any protection, behind `--unsafe-no-sandbox`.
    case none

    public static let standard = Confinement.sandbox()

    public var isSandboxed: Bool { self != .none }

    /// - Throws: `SandboxError.unavailable` where the machine does not allow what was asked for.
    public func runner(python: PythonEnvironment?, threads: Int? = nil) throws(SandboxError) -> any SandboxRunner {
        switch self {
        case .sandbox(let limitBackend, let showsGPU):
            try BubblewrapSandbox(python: python, threads: threads, limitBackend: limitBackend, showsGPU: showsGPU)
        case .none: UnconfinedRunner(python: python, threads: threads)
        }
    }
}
