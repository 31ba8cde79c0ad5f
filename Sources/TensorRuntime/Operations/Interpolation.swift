import Foundation

/// PyTorch's `interpolate`: nearest, nearest-exact, (bi-, tri-) linear and bicubic, by size or scale.
extension OperationTable {
    static let interpolation: [String: Factory] = {
        var family: [String: Factory] = [:]
        for axes in 1...3 {
            family["upsample_nearest\(axes)d"] = interpolation(axes) { .nearest(isExact: false, $0) }
            family["upsample_nearest_exact\(axes)d"] = interpolation(axes) { .nearest(isExact: true, $0) }
        }
        family["upsample_linear1d"] = interpolation(1) { .linear($0) }
        family["upsample_bilinear2d"] = interpolation(2) { .linear($0) }
        family["upsample_trilinear3d"] = interpolation(3) { .linear($0) }
        family["upsample_bicubic2d"] = interpolation(2) { .cubic($0) }
        return family
    }()

    private static func interpolation(
        _ axes: Int, _ method: @escaping @Sendable (Bool) -> Interpolation.Method
    ) -> Factory {
        { attributes in
            let output = try attributes.sizes("output_size", axes: axes)
            let scale = try attributes.optionalNumbers("scale") ?? []
            guard scale.count <= axes, scale.allSatisfy({ $0.map { $0 > 0 && $0.isFinite } ?? true }) else {
                throw attributes.failure("\(scale) is no scale")
            }
            return Resampling(
                axes: axes,
                rule: Interpolation(
                    method: method(try attributes.flag("align_corners")), output: output,
                    scale: scale.count == 1 ? [Double?](repeating: scale[0], count: axes) : scale),
                allowsSingle: false)
        }
    }
}

/// The weights of interpolation along each axis. Positions are computed in single precision, as PyTorch does: where an output falls
/// between two inputs, the choice of the nearest depends on it.
struct Interpolation: AxisRule {
    enum Method {
        /// The input at floor(position · step), or with `isExact` the one whose centre is nearest.
        case nearest(isExact: Bool, Bool)
        /// Between the two neighbours; the flag says whether the centres of the corner pixels are aligned.
        case linear(Bool)
        /// Keys' cubic convolution with a = -0.75 (Keys 1981) over four neighbours, those beyond the border repeated.
        case cubic(Bool)
    }

    var method: Method
    var output: [Int]
    /// The scale that the source gave, per axis.
    var scale: [Double?]

    func weights(_ size: Int, axis: Int) -> AxisWeights {
        let factor = axis < scale.count ? scale[axis] : nil
        let step = factor.map { Float(1 / $0) } ?? Float(size) / Float(output[axis])
        let corners = output[axis] > 1 ? Float(size - 1) / Float(output[axis] - 1) : 0
        return AxisWeights(
            taps: (0..<output[axis]).map { position in
                let place = Float(position)
                switch method {
                case .nearest(let isExact, _):
                    let index = Interpolation.index(isExact ? (place + 0.5) * step : place * step)
                    return [AxisWeights.Tap(index: min(index, size - 1), weight: 1)]
                case .linear(let aligned):
                    return linear(max(aligned ? corners * place : step * (place + 0.5) - 0.5, 0), size)
                case .cubic(let aligned):
                    return cubic(aligned ? corners * place : step * (place + 0.5) - 0.5, size)
                }
            })
    }

    private func linear(_ source: Float, _ size: Int) -> [AxisWeights.Tap] {
        let first = min(Interpolation.index(source), size - 1)
        let fraction = min(max(source - Float(first), 0), 1)
        guard first < size - 1, fraction > 0 else { return [AxisWeights.Tap(index: first, weight: 1)] }
        return [
            AxisWeights.Tap(index: first, weight: 1 - fraction), AxisWeights.Tap(index: first + 1, weight: fraction),
        ]
    }

    private func cubic(_ source: Float, _ size: Int) -> [AxisWeights.Tap] {
        let bounded = source.isFinite ? min(max(source, -1), 1e9) : 0
        let floor = bounded.rounded(.down)
        let t = min(max(bounded - floor, 0), 1)
        let a: Float = -0.75
        func near(_ x: Float) -> Float { ((a + 2) * x - (a + 3)) * x * x + 1 }
        func far(_ x: Float) -> Float { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
        return zip(-1...2, [far(t + 1), near(t), near(1 - t), far(2 - t)]).map { offset, weight in
            AxisWeights.Tap(index: min(max(Int(floor) + offset, 0), size - 1), weight: weight)
        }
    }

    private static func index(_ position: Float) -> Int {
        position.isFinite ? Int(min(max(position, 0), 1e9)) : 0
    }
}
