import Foundation
import Testing

@testable import TensorRuntime

@Suite("Exponentials without calls")
struct ExponentialTests {
    @Test("e^-t and log(1 + u) agree with double precision")
    func agreesWithDouble() {
        var (worstDecay, worstLog) = (0.0, 0.0)
        for step in 0...400_000 {
            let t = -Float(step) * (87 / 400_000)
            worstDecay = max(worstDecay, abs(Double(exponentialDecay(t)) / exp(Double(t)) - 1))
            let u = Float(step) / 400_000
            if u > 0 { worstLog = max(worstLog, abs(Double(logOnePlus(u)) / log1p(Double(u)) - 1)) }
        }
        print("largest relative errors: e^-t \(worstDecay), log(1 + u) \(worstLog)")
        #expect(worstDecay < 1.2e-7)
        #expect(worstLog < 2.5e-7)
    }

    @Test("Edges: zero, what is smaller than any float, infinities, and what is not a number")
    func edges() {
        #expect(exponentialDecay(0) == 1)
        #expect(exponentialDecay(-1000) == 0)
        #expect(exponentialDecay(-.infinity) == 0)
        #expect(exponentialDecay(.nan).isNaN)
        #expect(logOnePlus(0) == 0)
        #expect(logOnePlus(1e-30) == 1e-30)
        #expect(softplus(.infinity) == .infinity)
        #expect(softplus(-.infinity) == 0)
        #expect(Mish().value(-1e38) == 0)
        #expect(softplus(.nan).isNaN)
        #expect(softplus(1000) == 1000)
        let formula = BinaryCrossEntropyWithLogits()
        #expect(formula.left(1, -.infinity, 0) == 0)
        #expect(formula.left(1, .infinity, 1) == 0)
        #expect(formula.left(1, .nan, 1).isNaN)
        #expect(formula.value(.nan, 0).isNaN)
    }
}
