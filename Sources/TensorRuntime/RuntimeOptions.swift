import Foundation

/// How graphs are run.
public struct RuntimeOptions: Sendable {
    /// Which convolution algorithms may be chosen.
    public enum Convolution: String, Sendable, CaseIterable {
        /// The fastest for each shape, Winograd transforms included.
        case automatic
        /// Only sums of the products in the definition, so that values that are not finite spread exactly as they should.
        case direct
    }

    /// Threads of the pool, the caller included.
    public var threads: Int
    /// Which convolution algorithms may be chosen.
    public var convolution: Convolution
    /// The seed of initial weights and dropout masks.
    public var seed: UInt64
    /// Bytes that parameters, gradients and compiled graphs may take together; nil: what the system has available when they are
    /// compiled. A graph beyond it is refused before it is allocated.
    public var memoryBudget: Int?

    /// `threads` defaults to `LLMBENCH_THREADS`, else to the number of active cores; `seed` to `LLMBENCH_SEED`, else to 0.
    public init(
        threads: Int? = nil, convolution: Convolution = .automatic, seed: UInt64? = nil, memoryBudget: Int? = nil
    ) {
        self.threads = max(1, threads ?? RuntimeOptions.defaultThreads)
        self.convolution = convolution
        self.seed = seed ?? RuntimeOptions.defaultSeed
        self.memoryBudget = memoryBudget
    }

    /// `LLMBENCH_THREADS` when it is a positive number, else the number of active cores.
    public static var defaultThreads: Int {
        let wanted = ProcessInfo.processInfo.environment["LLMBENCH_THREADS"].flatMap { Int($0) } ?? 0
        return (1...1024).contains(wanted) ? wanted : ProcessInfo.processInfo.activeProcessorCount
    }

    /// `LLMBENCH_SEED` when it is a number that is not negative, else 0.
    static var defaultSeed: UInt64 {
        ProcessInfo.processInfo.environment["LLMBENCH_SEED"].flatMap { UInt64($0) } ?? 0
    }

    var budget: MemoryBudget { MemoryBudget(stated: memoryBudget) }

    var policy: ConvolutionPolicy { convolution == .direct ? .direct : .automatic }
}
