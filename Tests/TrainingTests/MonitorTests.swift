import Foundation
import Testing

@testable import Training

@Suite("A monitored value")
struct MonitorTests {
    @Test("is best when it is lower by more than the least change")
    func lower() {
        var monitor = Monitor(monitor: "validation_loss", mode: .min, minDelta: 0.1)
        #expect(monitor.observe(1, epoch: 1))
        #expect(!monitor.observe(0.95, epoch: 2))
        #expect(monitor.waited == 1)
        #expect(monitor.observe(0.85, epoch: 3))
        #expect(monitor.waited == 0)
        #expect(monitor.bestEpoch == 3)
        #expect(monitor.best == 0.85)
    }

    @Test("is best when it is higher, for a Dice")
    func higher() {
        var monitor = Monitor(monitor: "validation_dice", mode: .max)
        #expect(monitor.observe(0.2, epoch: 1))
        #expect(!monitor.observe(0.2, epoch: 2))
        #expect(monitor.observe(0.3, epoch: 3))
    }

    @Test("that is no number is never the best")
    func notANumber() {
        var monitor = Monitor(monitor: "validation_loss", mode: .min)
        #expect(!monitor.observe(.nan, epoch: 1))
        #expect(!monitor.observe(nil, epoch: 2))
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
