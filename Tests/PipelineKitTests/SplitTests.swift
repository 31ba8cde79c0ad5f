import Foundation
import TensorRuntime
import Testing

@testable import PipelineKit

@Suite("The split")
struct SplitTests {
    @Test("each sample is in one part, and the parts are 80, 10 and 10 percent")
    func partition() throws {
        for count in [3, 10, 32, 101] {
            let split = try Split(count: count, seed: 7)
            #expect((split.training + split.validation + split.test).sorted() == Array(0..<count))
            #expect(split.validation.count == max(1, Int((Double(count) / 10).rounded())))
            #expect(split.test.count == split.validation.count)
        }
        #expect(try Split(count: 40, seed: 7) == Split(count: 40, seed: 7))
        #expect(try Split(count: 40, seed: 7).test != Split(count: 40, seed: 8).test)
    }

    @Test("what cannot be split is refused")
    func refusals() {
        #expect(throws: PipelineError.invalid("2 samples cannot be split into three parts")) {
            try Split(count: 2, seed: 0)
        }
        #expect(throws: PipelineError.invalid("the seed -1 is negative")) { try Split(count: 20, seed: -1) }
    }
}
