import Foundation

/// How much the tests of random cases try, and from which seed.
public enum Trials {
    /// Whether `scripts/verify` asks for the full count.
    public static var isVerifying: Bool { ProcessInfo.processInfo.environment["LLMBENCH_VERIFY"] == "1" }

    /// The seed of a test's random cases, printed so that a failure can be had again; LLMBENCH_TEST_SEED fixes it.
    public static func seed(_ test: String) -> UInt64 {
        let given = ProcessInfo.processInfo.environment["LLMBENCH_TEST_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0..<1_000_000)
        print("\(test): LLMBENCH_TEST_SEED=\(seed)")
        return seed
    }
}
