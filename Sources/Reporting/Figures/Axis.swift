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

    /// The same axis with other ticks.
    func showing(_ ticks: [Double]) -> Axis { Axis(copy: self, ticks: ticks) }

    private init(copy: Axis, ticks: [Double]) {
        (scale, lower, upper, start, end) = (copy.scale, copy.lower, copy.upper, copy.start, copy.end)
        self.ticks = ticks
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
        if scale == .logarithmic { return Self.short(tick) }
        guard ticks.count > 1 else {
            return tick == tick.rounded() && abs(tick) < 1e15 ? "\(Int(tick))" : "\(Float(tick))"
        }
        let step = abs(ticks[1] - ticks[0])
        let digits = max(0, Int(ceil(-log10(max(step, 1e-12)) - 1e-9)))
        return ReportTable.Cell.fixed(tick, digits)
    }

    /// "0.02", "5e-5", "200", "5k", "2M".
    private static func short(_ tick: Double) -> String {
        for (unit, name) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where tick >= unit {
            return "\(Int((tick / unit).rounded()))\(name)"
        }
        if tick >= 1 { return "\(Int(tick.rounded()))" }
        guard tick < 0.005 else { return "\(Float(tick))" }
        let power = Int(floor(log10(tick) + 1e-9))
        return "\(Int((tick / pow(10, Double(power))).rounded()))e\(power)"
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
