/// What lies beyond the border of an image.
public enum PaddingMode: String, Sendable {
    case zeros
    /// The image mirrored at its first and last element, which are not repeated.
    case reflect
    /// The first and last element repeated.
    case replicate
    /// The opposite end of the image.
    case circular
}

extension Variable {
    /// Convolution of N C L, N C H W or N C D H W with weights O C/groups K…, as `torch.nn.functional.conv1d` to `conv3d`.
    ///
    /// Sizes are one for all spatial axes or a list (depth,) height, width. Cost: N · O · C/groups · K… · output pixels
    /// multiply-adds; 3×3 kernels of stride 1 take less (Winograd).
    public func convolved(
        _ weight: Variable, bias: Variable? = nil, stride: any SpatialSize = 1, padding: any SpatialSize = 0,
        dilation: any SpatialSize = 1, groups: Int = 1, paddingMode: PaddingMode = .zeros
    ) throws -> Variable {
        let rank = max(weight.shape.count - 2, 1)
        guard paddingMode != .zeros else {
            return try convolved(
                rank, weight, bias, stride, padding, dilation, groups, transposed: false, outputPadding: 0)
        }
        let pairs = padding.sizes(rank).reversed().flatMap { [$0, $0] }
        return try padded(pairs, mode: paddingMode).convolved(
            rank, weight, bias, stride, 0, dilation, groups, transposed: false, outputPadding: 0)
    }

    /// Transposed convolution of N C … with weights C O/groups K…, as `torch.nn.functional.conv_transpose1d` to `3d`: the gradient
    /// of a convolution with respect to its input. `outputPadding` makes the result larger at one end.
    public func convolvedTransposed(
        _ weight: Variable, bias: Variable? = nil, stride: any SpatialSize = 1, padding: any SpatialSize = 0,
        outputPadding: any SpatialSize = 0, dilation: any SpatialSize = 1, groups: Int = 1
    ) throws -> Variable {
        try convolved(
            max(weight.shape.count - 2, 1), weight, bias, stride, padding, dilation, groups, transposed: true,
            outputPadding: outputPadding)
    }

    private func convolved(
        _ rank: Int, _ weight: Variable, _ bias: Variable?, _ stride: any SpatialSize, _ padding: any SpatialSize,
        _ dilation: any SpatialSize, _ groups: Int, transposed: Bool, outputPadding: any SpatialSize
    ) throws -> Variable {
        try apply(
            "convolution", [weight, bias],
            [
                "stride": stride.sizes(rank).attribute, "padding": padding.sizes(rank).attribute,
                "dilation": dilation.sizes(rank).attribute, "transposed": .bool(transposed),
                "output_padding": outputPadding.sizes(rank).attribute, "groups": .number(Double(groups)),
            ])
    }
}
