import Foundation

/// Maps values to points along one axis and knows where its ticks lie.
struct Axis {
    enum Scale {
        case linear, logarithmic
    }

    let scale: Scale
    let lower: Double
    let upper: Double
    let start: Double
    let end: Double
    let ticks: [Double]

    /// - Parameters:
    ///   - range: the values to hold; widened to the next ticks.
    ///   - start: the point of the lower end, `end` that of the upper one.
    init(
        _ range: ClosedRange<Double>, scale: Scale = .linear, from start: Double, to end: Double, ticks wanted: Int = 5
    ) {
        self.start = start
        self.end = end
        if scale == .logarithmic, range.lowerBound > 0 {
            self.scale = .logarithmic
            let (lower, upper, ticks) = Self.logarithmic(range)
            (self.lower, self.upper, self.ticks) = (lower, upper, ticks)
        } else {
            self.scale = .linear
            let ticks = Self.niceTicks(range, count: wanted)
            lower = min(range.lowerBound, ticks.first ?? range.lowerBound)
            upper = max(range.upperBound, ticks.last ?? range.upperBound)
            self.ticks = ticks
        }
    }

    /// An axis whose ends and ticks are given, such as [0, 1] for Dice.
    init(fixed range: ClosedRange<Double>, ticks: [Double], from start: Double, to end: Double) {
        scale = .linear
        lower = range.lowerBound
        upper = range.upperBound
        self.ticks = ticks
        self.start = start
        self.end = end
    }

    func position(_ value: Double) -> Double {
        let fraction =
            switch scale {
            case .linear: (value - lower) / max(upper - lower, .leastNormalMagnitude)
            case .logarithmic: log(max(value, lower) / lower) / log(upper / lower)
            }
        return start + fraction * (end - start)
    }

    func label(_ tick: Double) -> String {
        if scale == .logarithmic { return tick >= 1 ? "\(Int(tick.rounded()))" : "\(Float(tick))" }
        let step = ticks.count > 1 ? abs(ticks[1] - ticks[0]) : 1
        let digits = max(0, Int(ceil(-log10(max(step, 1e-12)) - 1e-9)))
        return ReportTable.Cell.fixed(tick, digits)
    }

    /// Ticks at 1, 2 or 5 times a power of ten (Heckbert, Graphics Gems 1990) that lie around the range.
    static func niceTicks(_ range: ClosedRange<Double>, count: Int) -> [Double] {
        let span = range.upperBound - range.lowerBound
        guard span > 0, span.isFinite else { return [range.lowerBound] }
        let rough = span / Double(max(1, count - 1))
        let power = pow(10, floor(log10(rough)))
        let step = ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10) * power
        let first = floor(range.lowerBound / step)
        let last = ceil(range.upperBound / step)
        return stride(from: first, through: last, by: 1).map { $0 * step }
    }

    private static func logarithmic(_ range: ClosedRange<Double>) -> (Double, Double, [Double]) {
        let candidates = (-12...12).flatMap { power in [1.0, 2, 5].map { $0 * pow(10, Double(power)) } }
        let lower = candidates.last { $0 <= range.lowerBound } ?? range.lowerBound
        let upper = candidates.first { $0 >= range.upperBound && $0 > lower } ?? range.upperBound * 2
        let inside = candidates.filter { $0 >= lower && $0 <= upper }
        // More than seven labels run into one another: then only the decades.
        let ticks = inside.count > 7 ? inside.filter { abs(log10($0) - log10($0).rounded()) < 1e-9 } : inside
        return (lower, upper, ticks.count > 1 ? ticks : inside)
    }
}
