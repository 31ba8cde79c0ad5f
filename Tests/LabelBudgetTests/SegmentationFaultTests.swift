import Metrics
import Statistics
import Testing

@testable import LabelBudget

@Suite("What is wrong with a mask")
struct SegmentationFaultTests {
    private func ellipse(_ cx: Double, _ cy: Double, _ rx: Double, _ ry: Double) throws -> Mask {
        try Mask(
            width: 64, height: 64,
            values: (0..<4096).map { index in
                let (x, y) = (Double(index % 64) + 0.5 - cx, Double(index / 64) + 0.5 - cy)
                return x * x / (rx * rx) + y * y / (ry * ry) <= 1 ? 1 : 0
            })
    }

    @Test("A mask that was moved is in the wrong place, by as much as it was moved")
    func place() throws {
        let fault = try SegmentationFault(predicted: ellipse(40, 32, 10, 10), truth: ellipse(24, 32, 10, 10))
        #expect(fault.kind == .place)
        #expect(abs((fault.locationError ?? 0) - 1.6) < 0.01 && abs((fault.sizeRatio ?? 0) - 1) < 1e-9)
        #expect((fault.alignedDice ?? 0) == 1 && fault.dice < 0.2)
        #expect(abs(fault.placeShare - (1 - fault.dice)) < 1e-9)
        #expect(abs(fault.sizeShare) < 1e-9 && fault.shapeShare == 0)
    }

    @Test("A mask that is too large or too small has the wrong size", arguments: [5.0, 20.0])
    func size(radius: Double) throws {
        let fault = try SegmentationFault(predicted: ellipse(32, 32, radius, radius), truth: ellipse(32, 32, 10, 10))
        #expect(fault.kind == .size)
        #expect(abs((fault.sizeRatio ?? 0) / (radius * radius / 100) - 1) < 0.05)
        #expect((fault.alignedDice ?? 0) > 0.94 && (fault.locationError ?? 1) < 0.01)
        #expect(abs(fault.placeShare) < 0.01)
    }

    @Test("A mask of the right place and size may have the wrong shape")
    func shape() throws {
        let fault = try SegmentationFault(predicted: ellipse(32, 32, 25, 6), truth: ellipse(32, 32, 6, 25))
        #expect(fault.kind == .shape)
        #expect(abs(fault.shapeShare - (1 - fault.dice)) < 0.02 && fault.dice < 0.5)
    }

    @Test("The three parts add up to what is missing, whatever the masks")
    func parts() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        print("parts: seed \(seed)")
        var random = SplitMix64(seed: seed)
        func draw() -> Double { 10 + 44 * random.uniform() }
        for _ in 0..<100 {
            let a = try ellipse(draw(), draw(), 2 + draw() / 4, 2 + draw() / 4)
            let b = try ellipse(draw(), draw(), 2 + draw() / 4, 2 + draw() / 4)
            let fault = try SegmentationFault(predicted: a, truth: b)
            #expect(abs(fault.placeShare + fault.sizeShare + fault.shapeShare - (1 - fault.dice)) < 1e-9)
            #expect(try fault.dice == ConfusionCounts(predicted: a.values, truth: b.values).dice)
        }
    }

    @Test("An empty mask has neither place nor size nor shape")
    func empty() throws {
        let (none, some) = (try Mask(width: 64, height: 64), try ellipse(32, 32, 9, 9))
        for (predicted, truth, dice) in [(none, some, 0.0), (some, none, 0.0), (none, none, 1.0)] {
            let fault = try SegmentationFault(predicted: predicted, truth: truth)
            #expect(fault.kind == .missing && fault.alignedDice == nil && fault.dice == dice)
            #expect(fault.placeShare == 0 && fault.sizeShare == 0 && fault.shapeShare == 0)
        }
        #expect(throws: MetricsError.self) {
            try SegmentationFault(predicted: Mask(width: 3, height: 3), truth: some)
        }
    }
}
