/// A question that has no answer.
public enum MetricsError: Error, Sendable, Hashable, CustomStringConvertible {
    case sizes(predicted: Int, truth: Int)
    case shape(width: Int, height: Int, samples: Int)
    case frames(Int, Int, Int, Int)
    case spacing(x: Double, y: Double)
    case tolerance(Double)

    public var description: String {
        switch self {
        case .sizes(let predicted, let truth):
            "a prediction of \(predicted) pixels cannot be compared with a truth of \(truth): resize one first"
        case .shape(let width, let height, let samples):
            "a map of \(width)×\(height) pixels cannot be made of \(samples) samples: sides are positive, a pixel has one "
                + "sample, and a mask has fewer than 2³⁰ of them"
        case .frames(let width, let height, let otherWidth, let otherHeight):
            "a mask of \(width)×\(height) pixels cannot be combined with one of \(otherWidth)×\(otherHeight): resize one first"
        case .spacing(let x, let y):
            "a pixel spacing of \(x)×\(y) is not usable: give two numbers from 0.000001 to 1000000, in millimetres"
        case .tolerance(let tolerance):
            "a boundary tolerance of \(tolerance) is not usable: give a number that is not negative, in the unit of the spacing"
        }
    }
}
