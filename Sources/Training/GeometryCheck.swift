import Foundation
import Metrics

/// Whether the images that a pipeline made of held-out files show the same scene at the same place as a plain resize of those
/// files.
///
/// Held-out Dice is measured on the original grid, to which probabilities are brought by a plain bilinear resize. A pipeline
/// that crops, letterboxes, flips or turns its images would be scored on the wrong pixels, so it is refused. The captured
/// tensor is compared with the resized original by Pearson's correlation, whose sign is ignored (an inverted image is still
/// in place), and with the same original moved in the ways that pipelines move images; the plain resize must fit well and
/// fit best.
public struct GeometryCheck: Sendable, Hashable {
    /// A grey image, row by row.
    public struct Plane: Sendable, Hashable {
        public var height: Int
        public var width: Int
        /// height × width values.
        public var values: [Float]

        /// - Precondition: `values` holds height × width numbers.
        public init(height: Int, width: Int, values: [Float]) {
            precondition(values.count == height * width, "\(values.count) values for \(height)×\(width) pixels")
            self.height = height
            self.width = width
            self.values = values
        }
    }

    /// What the plain resize must reach, as the median over the images.
    ///
    /// Interpolation and anti-aliasing of noisy slices leave 0.97 and more, contrast changes 0.93 and more; a central crop
    /// of nine tenths falls below 0.85.
    public var leastCorrelation: Double = 0.9
    /// How much better another placement must fit to be believed.
    public var margin: Double = 0.01

    public init() {}

    /// Compares image by image; images without any contrast say nothing and are left out.
    ///
    /// - Parameters:
    ///   - captured: what the pipeline made, on its own grid.
    ///   - originals: the files, on theirs, in the same order.
    /// - Throws: `TrainingError.geometry`. Costs about twelve resizes an image.
    public func verify(captured: [Plane], originals: [Plane]) throws {
        guard captured.count == originals.count else {
            throw TrainingError.geometry(
                reason: "\(captured.count) tensors stand for \(originals.count) held-out images")
        }
        var scores: [Placement: [Double]] = [:]
        for (tensor, original) in zip(captured, originals) {
            for placement in Placement.allCases {
                guard let moved = placement.apply(to: original, height: tensor.height, width: tensor.width) else {
                    continue
                }
                if let correlation = bestCorrelation(of: tensor, with: moved) {
                    scores[placement, default: []].append(correlation)
                }
            }
        }
        guard let plain = scores[.plain].map(median) else { return }
        let others = scores.filter { $0.key != .plain }.mapValues(median)
        if let other = others.max(by: { $0.value < $1.value }), other.value > plain + margin {
            throw TrainingError.geometry(
                reason: "the pipeline's held-out images look \(other.key.rawValue) (correlation "
                    + "\(Self.text(other.value)), plain resize \(Self.text(plain))); only a plain resize can be scored")
        }
        guard plain >= leastCorrelation else {
            throw TrainingError.geometry(
                reason: "the pipeline's held-out images are no plain resize of the files (correlation "
                    + "\(Self.text(plain)), at least \(Self.text(leastCorrelation)) is expected)")
        }
    }

    /// Against the original resized in both common ways: linear between pixel centres, and averaged over areas.
    private func bestCorrelation(of tensor: Plane, with original: Plane) -> Double? {
        let candidates = [
            original.resizedLinearly(height: tensor.height, width: tensor.width),
            original.averaged(height: tensor.height, width: tensor.width),
        ]
        return candidates.compactMap(\.self).compactMap { Self.correlation(tensor.values, $0.values) }.max()
    }

    /// |Pearson's r|; nil where one of the two is constant or not finite.
    static func correlation(_ a: [Float], _ b: [Float]) -> Double? {
        let n = Double(a.count)
        guard a.count == b.count, a.count > 1 else { return nil }
        let meanA = a.reduce(0) { $0 + Double($1) } / n
        let meanB = b.reduce(0) { $0 + Double($1) } / n
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for index in a.indices {
            let (x, y) = (Double(a[index]) - meanA, Double(b[index]) - meanB)
            ab += x * y
            aa += x * x
            bb += y * y
        }
        guard aa > 1e-12 * n, bb > 1e-12 * n, (aa * bb).isFinite else { return nil }
        return abs(ab) / (aa * bb).squareRoot()
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    private static func text(_ value: Double) -> String { String(format: "%.3f", value) }
}

extension GeometryCheck {
    /// How an image could have been moved before it was resized.
    enum Placement: String, CaseIterable, Hashable {
        case plain = "plainly resized"
        case mirrored = "mirrored left to right"
        case flipped = "flipped upside down"
        case turned = "turned by 180°"
        case transposed
        case clockwise = "turned by 90°"
        case anticlockwise = "turned by 270°"
        case cropped95 = "cropped to the central 95 %"
        case cropped90 = "cropped to the central 90 %"
        case cropped875 = "cropped to the central 87.5 %"
        case cropped75 = "cropped to the central 75 %"
        case square = "cropped to a central square"
        case letterbox = "padded to a square"

        /// The moved original, still on its own scale; nil where the move would change nothing.
        func apply(to plane: Plane, height: Int, width: Int) -> Plane? {
            let (h, w) = (plane.height, plane.width)
            switch self {
            case .plain: return plane
            case .mirrored: return plane.sampled(height: h, width: w) { ($0, w - 1 - $1) }
            case .flipped: return plane.sampled(height: h, width: w) { (h - 1 - $0, $1) }
            case .turned: return plane.sampled(height: h, width: w) { (h - 1 - $0, w - 1 - $1) }
            case .transposed: return plane.sampled(height: w, width: h) { ($1, $0) }
            case .clockwise: return plane.sampled(height: w, width: h) { (h - 1 - $1, $0) }
            case .anticlockwise: return plane.sampled(height: w, width: h) { ($1, w - 1 - $0) }
            case .cropped95: return plane.central(height: h * 19 / 20, width: w * 19 / 20)
            case .cropped90: return plane.central(height: h * 9 / 10, width: w * 9 / 10)
            case .cropped875: return plane.central(height: h * 7 / 8, width: w * 7 / 8)
            case .cropped75: return plane.central(height: h * 3 / 4, width: w * 3 / 4)
            case .square: return h == w ? nil : plane.central(height: min(h, w), width: min(h, w))
            case .letterbox: return h == w ? nil : plane.central(height: max(h, w), width: max(h, w))
            }
        }
    }
}

extension GeometryCheck.Plane {
    /// Each pixel from the place that `source` names; places outside are black (the image's smallest value).
    func sampled(height: Int, width: Int, source: (Int, Int) -> (Int, Int)) -> Self {
        let black = values.min() ?? 0
        var result = [Float](repeating: black, count: height * width)
        for y in 0..<height {
            for x in 0..<width {
                let (row, column) = source(y, x)
                guard row >= 0, row < self.height, column >= 0, column < self.width else { continue }
                result[y * width + x] = values[row * self.width + column]
            }
        }
        return Self(height: height, width: width, values: result)
    }

    /// The central part; larger than the image means padding.
    func central(height: Int, width: Int) -> Self {
        let (top, left) = ((self.height - height) / 2, (self.width - width) / 2)
        return sampled(height: max(1, height), width: max(1, width)) { ($0 + top, $1 + left) }
    }

    /// Bilinear between pixel centres, without anti-aliasing.
    func resizedLinearly(height: Int, width: Int) -> Self? {
        let resized = try? Resize.bilinear(
            values, width: self.width, height: self.height, toWidth: width, toHeight: height)
        return resized.map { Self(height: height, width: width, values: $0) }
    }

    /// The mean over the area that a target pixel covers: close to what anti-aliased resizing gives.
    func averaged(height: Int, width: Int) -> Self? {
        guard height <= self.height, width <= self.width else { return resizedLinearly(height: height, width: width) }
        var result = [Float](repeating: 0, count: height * width)
        for y in 0..<height {
            let rows = (y * self.height / height)..<max((y + 1) * self.height / height, y * self.height / height + 1)
            for x in 0..<width {
                let columns = (x * self.width / width)..<max((x + 1) * self.width / width, x * self.width / width + 1)
                var sum: Float = 0
                for row in rows { for column in columns { sum += values[row * self.width + column] } }
                result[y * width + x] = sum / Float(rows.count * columns.count)
            }
        }
        return Self(height: height, width: width, values: result)
    }
}
