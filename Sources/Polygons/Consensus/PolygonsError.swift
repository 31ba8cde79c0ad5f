/// A question to this library that has no answer.
public enum PolygonsError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is nothing to combine, or too much.
    case drawings(Int)
    /// Masks or pictures that belong together differ in size.
    case sizes(String)
    case noLabels
    case tooManyLabels(Int, most: Int)
    case folds(Int, labels: Int)
    case parameter(String, Double, ClosedRange<Double>)

    public var description: String {
        switch self {
        case .drawings(let count):
            "\(count) drawings cannot be combined: give 1 to \(STAPLE.mostDrawings) of one picture"
        case .sizes(let what): "\(what) differ in size: resize one first"
        case .noLabels: "there is no label to learn from: give at least one mask with foreground"
        case .tooManyLabels(let count, let most):
            "\(count) labels are more than a refinement may be fitted on: give at most \(most)"
        case .folds(let folds, let labels): "\(folds) folds cannot be made of \(labels) labels: give 2 to \(labels)"
        case .parameter(let name, let value, let range):
            "\(name) is \(value): give a number from \(range.lowerBound) to \(range.upperBound)"
        }
    }
}
