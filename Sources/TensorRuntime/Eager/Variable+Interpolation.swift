/// How images are resampled, by the names of `torch.nn.functional.interpolate`.
public enum InterpolationMode: String, Sendable {
    case nearest
    /// The input whose centre is nearest, as Scikit-Image and PIL choose it.
    case nearestExact = "nearest_exact"
    /// Between two neighbours of N C L.
    case linear
    /// Between four neighbours of N C H W.
    case bilinear
    /// Keys' cubic convolution with a = -0.75 (Keys 1981) over sixteen neighbours of N C H W.
    case bicubic
    /// Between eight neighbours of N C D H W.
    case trilinear

    /// The number of spatial axes that the mode is for; nil for any.
    var axes: Int? {
        switch self {
        case .nearest, .nearestExact: return nil
        case .linear: return 1
        case .bilinear, .bicubic: return 2
        case .trilinear: return 3
        }
    }
}

extension Variable {
    /// N C … resampled to a size. With `alignCorners` the centres of the corner pixels stay where they are, otherwise the borders.
    public func interpolated(
        to size: any SpatialSize, mode: InterpolationMode = .nearest, alignCorners: Bool = false
    ) throws -> Variable {
        try interpolated(size.sizes(interpolationAxes(mode)), mode, alignCorners, scale: nil)
    }

    /// N C … resampled to sizes multiplied by a factor and rounded down.
    public func interpolated(
        by scale: Double, mode: InterpolationMode = .nearest, alignCorners: Bool = false
    ) throws -> Variable {
        try interpolated(by: [scale], mode: mode, alignCorners: alignCorners)
    }

    /// N C … resampled to sizes multiplied by a factor for each spatial axis (or one for all) and rounded down.
    public func interpolated(
        by scales: [Double], mode: InterpolationMode = .nearest, alignCorners: Bool = false
    ) throws -> Variable {
        let axes = try interpolationAxes(mode)
        let all = scales.count == 1 ? [Double](repeating: scales[0], count: axes) : scales
        guard all.count == axes, all.allSatisfy({ $0 > 0 && $0 < 1e6 }) else {
            throw failure("interpolate", "shape \(shape) cannot be resampled by factors of \(scales)")
        }
        let size = zip(shape.suffix(axes), all).map { Int((Double($0) * $1).rounded(.down)) }
        return try interpolated(size, mode, alignCorners, scale: all)
    }

    private func interpolationAxes(_ mode: InterpolationMode) throws -> Int {
        let axes = try spatialAxes("interpolate")
        guard mode.axes == nil || mode.axes == axes else {
            throw failure("interpolate", "\(mode) resampling does not fit shape \(shape)")
        }
        return axes
    }

    private func interpolated(
        _ size: [Int], _ mode: InterpolationMode, _ alignCorners: Bool, scale: [Double]?
    ) throws -> Variable {
        var attributes: [String: AttributeValue] = ["output_size": size.attribute]
        if let scale { attributes["scale"] = .list(scale.map { .number($0) }) }
        if mode.axes != nil { attributes["align_corners"] = .bool(alignCorners) }
        return try apply("upsample_\(mode.rawValue)\(size.count)d", [], attributes)
    }

    /// N C·r² H W to N C H·r W·r: channels become pixels (Shi et al. 2016).
    public func pixelShuffled(_ factor: Int) throws -> Variable {
        try apply("pixel_shuffle", [], ["factor": .number(Double(factor))])
    }

    /// N C H·r W·r to N C·r² H W: pixels become channels.
    public func pixelUnshuffled(_ factor: Int) throws -> Variable {
        try apply("pixel_unshuffle", [], ["factor": .number(Double(factor))])
    }
}
