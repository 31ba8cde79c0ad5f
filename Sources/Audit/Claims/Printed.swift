import Foundation

/// A number as a table prints it: what it stands for is known to half a unit of its last digit.
public struct Printed: Sendable, Hashable, Codable {
    public var value: Double
    /// Digits after the point.
    public var decimals: Int

    public init(_ value: Double, decimals: Int) {
        self.value = value
        self.decimals = decimals
    }

    /// Reads decimal notation, with an exponent or without; nil for other text.
    public init?(_ text: String) {
        guard let value = Double(text), value.isFinite else { return nil }
        let lower = text.lowercased()
        let parts = lower.split(separator: "e", maxSplits: 1)
        let fraction = parts.first.flatMap { $0.split(separator: ".", maxSplits: 1).dropFirst().first?.count } ?? 0
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        self.init(value, decimals: fraction - exponent)
    }

    /// Half a unit of the last digit.
    public var tolerance: Double { 0.5 * pow(10, Double(-decimals)) }

    /// Whether it can be `exact`, rounded either way at a half.
    public func agrees(with exact: Double) -> Bool { abs(exact - value) <= tolerance * (1 + 1e-9) + 1e-12 }

    /// Whether a number between two can have been printed so.
    func lies(in range: ClosedRange<Double>) -> Bool {
        let slack = tolerance * (1 + 1e-9) + 1e-12
        return value >= range.lowerBound - slack && value <= range.upperBound + slack
    }

    var shown: String { decimals >= 0 ? String(format: "%.\(decimals)f", value) : "\(value)" }
}
