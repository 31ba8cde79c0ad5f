import ArgumentParser
import Foundation
import TensorRuntime
import Testing

@testable import llmbench

@Suite("bench")
struct BenchCommandTests {
    @Test("The median of an even number of rounds is the mean of the middle two")
    func median() {
        var timings = Timings()
        for seconds in [4.0, 1, 3] { timings.add(seconds) }
        #expect(timings.median == 3)
        timings.add(2)
        #expect(timings.median == 2.5)
        #expect(timings.least == 1 && timings.most == 4)
    }

    @Test("A difference is relative to the largest value, and a value that is not finite is never a small difference")
    func difference() {
        #expect(relativeDifference([1, 2, 3], [1, 2.5, 4]) == 0.25)
        #expect(relativeDifference([0], [0]) == 0)
        #expect(relativeDifference([.infinity], [1]).isNaN)
        #expect(relativeDifference([1], [.nan]).isNaN)
        #expect(relativeDifference([1, 2], [1]) == .infinity)
    }

    @Test(
        "Sizes that a U-Net of four poolings cannot take are a usage error",
        arguments: [["--size", "100"], ["--batch", "0"]])
    func rejectsSizes(arguments: [String]) {
        #expect(throws: (any Error).self) { try BenchCommand.Step.parse(arguments) }
    }

    @Test("The roofs of a machine are measured with any number of threads; none is a usage error", arguments: [1, 3])
    func roofline(threads: Int) {
        let pool = ThreadPool(threads: threads)
        #expect(MachineProbe.operationsPerSecond(pool: pool, rounds: 1000) > 0)
        for copies in [false, true] {
            #expect(MachineProbe.bytesPerSecond(copies: copies, bytes: 1 << 16, pool: pool, passes: 2) > 0)
        }
        #expect(throws: (any Error).self) { try BenchCommand.Roofline.parse(["--threads", "0"]) }
    }

    @Test(
        "The yardstick counts the convolutions of the network: 23 of them, 1.507 GFLOP a 128x128 image at 16 channels")
    func countsOperations() {
        let convolutions = UNetConvolutions(base: 16, size: 128, batch: 8)
        #expect(convolutions.all.count == 23)
        #expect(abs(convolutions.operations / 8 - 1.507e9) < 0.001e9)
    }

    @Test("The fixed fields of --json are there, and absent comparisons leave theirs out")
    func json() throws {
        var (ours, theirs) = (Timings(), Timings())
        ours.add(0.1)
        theirs.add(0.25)
        let alone = BenchResult(ours: ours, theirs: nil, operations: 1e9, threads: 2)
        let fields = try #require(
            JSONSerialization.jsonObject(with: JSONEncoder().encode(alone)) as? [String: Any])
        #expect(fields["ours_s"] as? Double == 0.1)
        #expect(fields["ratio"] == nil && fields["theirs_s"] == nil)
        var result = BenchResult(ours: ours, theirs: theirs, operations: 1e9, threads: 2)
        result.maxDifference = 1e-6
        let compared = try #require(
            JSONSerialization.jsonObject(with: JSONEncoder().encode(result)) as? [String: Any])
        #expect(compared["ratio"] as? Double == 2.5)
        #expect(Set(["ours_s", "theirs_s", "ratio", "max_difference"]).isSubset(of: compared.keys))
    }
}
