import Foundation
import Testing

@testable import Training

@Suite("A monitored value")
struct MonitorTests {
    /// Which epochs were the best so far.
    private func best(_ monitor: inout Monitor, _ values: [Double?]) -> [Bool] {
        values.enumerated().map { index, value in monitor.observe(value, epoch: index + 1) }
    }

    @Test("is best when it is lower by more than the least change")
    func lower() {
        var monitor = Monitor(monitor: "validation_loss", mode: .min, minDelta: 0.1)
        #expect(best(&monitor, [1, 0.95]) == [true, false])
        #expect(monitor.waited == 1)
        #expect(best(&monitor, [0.85]) == [true])
        #expect(monitor.waited == 0)
        #expect(monitor.best == 0.85)
    }

    @Test("is best when it is higher, for a Dice")
    func higher() {
        var monitor = Monitor(monitor: "validation_dice", mode: .max)
        #expect(best(&monitor, [0.2, 0.2, 0.3]) == [true, false, true])
        #expect(monitor.bestEpoch == 3)
    }

    @Test("that is no number is never the best")
    func notANumber() {
        var monitor = Monitor(monitor: "validation_loss", mode: .min)
        #expect(best(&monitor, [.nan, nil]) == [false, false])
        #expect(monitor.waited == 2)
        #expect(monitor.best == nil)
    }

    @Test("survives being stored, bit for bit")
    func stored() throws {
        var monitor = Monitor(monitor: "validation_loss", mode: .min)
        _ = monitor.observe(0.1 + 0.2, epoch: 1)
        let copy = try JSONDecoder().decode(Monitor.self, from: JSONEncoder().encode(monitor))
        #expect(copy == monitor)
    }
}
