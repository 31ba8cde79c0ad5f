import Foundation
import Statistics
import TestSupport
import Testing

@testable import Audit

@Suite("A claim about a rank test")
struct RankTestClaimTests {
    @Test("A p is read with the digits it is printed with")
    func printed() throws {
        #expect(Printed("0.0454")?.agrees(with: 0.04535) == true && Printed("0.0454")?.agrees(with: 0.0455) == false)
        #expect(Printed("0.050")?.decimals == 3 && Printed("5e-3")?.decimals == 3 && Printed("1.2e2")?.decimals == -1)
        #expect(Printed("x") == nil && Printed("nan") == nil)
    }

    /// scipy 1.17: mannwhitneyu(a, b, method="exact") of samples with these U; 11 against 8 unless said.
    @Test(
        "What scipy computes is possible",
        arguments: [
            (65.0, 11, 8, "0.0454"), (65, 11, 8, "0.0908"), (57, 11, 8, "0.155"), (57, 11, 8, "0.31"),
            (50, 10, 9, "0.3598"), (50, 10, 9, "0.356"), (58, 10, 9, "0.153"), (15, 10, 9, "0.0133"),
            (15, 10, 9, "0.9949"), (60.5, 11, 8, "0.0864"), (0, 1, 1, "1.0"), (44, 11, 8, "1.000"),
        ])
    func possible(u: Double, first: Int, second: Int, p: String) throws {
        let claim = RankTestClaim(first: first, second: second, u: u, p: try #require(Printed(p)))
        #expect(try claim.impossibility() == nil)
    }

    @Test(
        "What no computation gives is impossible",
        arguments: [
            (57.0, 11, 8, "0.014"), (15, 10, 9, "0.002"), (14, 11, 8, "0.003"), (65, 11, 8, "0.0045"),
            (70, 11, 8, "0.0016"), (44, 11, 8, "0.05"),
        ])
    func impossible(u: Double, first: Int, second: Int, p: String) throws {
        let claim = RankTestClaim(first: first, second: second, u: u, p: try #require(Printed(p)))
        guard case .p = try claim.impossibility() else {
            Issue.record("U = \(u), p = \(p) passed")
            return
        }
    }

    @Test("U has its range, and steps of a half", arguments: [-1, 88.5, 89, 12.25, .infinity])
    func range(u: Double) throws {
        let claim = RankTestClaim(first: 11, second: 8, u: u, p: Printed(0.5, decimals: 1))
        #expect(try claim.impossibility() == .u(largest: 88))
    }

    @Test("Every test of random samples can be, and follows from them")
    func random() throws {
        let seed = Trials.seed("claims of rank tests")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let (m, n) = (Int.random(in: 1...14, using: &random), Int.random(in: 1...14, using: &random))
            let a = (0..<m).map { _ in Double.random(in: 0...1, using: &random) }
            let b = (0..<n).map { _ in Double.random(in: 0.1...1.1, using: &random) }
            let alternative = Alternative.allCases[Int.random(in: 0...2, using: &random)]
            let isExact = Bool.random(using: &random)
            let result = try Statistics.mannWhitney(
                a, b, alternative: alternative, method: isExact ? .exact : .asymptotic)
            let claim = RankTestClaim(
                first: m, second: n, u: result.statistic, p: Printed((result.p * 1e4).rounded() / 1e4, decimals: 4))
            #expect(try claim.impossibility() == nil, "LLMBENCH_TEST_SEED=\(seed): \(claim)")
            let standing = try claim.standing(a, b)
            #expect(standing.uFollows && standing.pFollowsBy != nil, "LLMBENCH_TEST_SEED=\(seed): \(claim) \(standing)")
            // Named from the other sample it is the same test.
            let swapped = RankTestClaim(first: n, second: m, u: Double(m * n) - claim.u, p: claim.p)
            #expect(try swapped.impossibility() == nil, "LLMBENCH_TEST_SEED=\(seed)")
            #expect(
                try RankTestClaim(first: m, second: n, u: claim.u + 1, p: claim.p).standing(a, b).uFollows
                    == (Double(m * n) - claim.u == claim.u + 1))
        }
    }
}
