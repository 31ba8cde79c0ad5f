/// A pair of sizes along the two image axes.
package struct Extent: Hashable, Sendable {
    package var height: Int
    package var width: Int

    package init(_ height: Int, _ width: Int) {
        self.height = height
        self.width = width
    }

    /// The same size along both axes.
    package init(_ both: Int) {
        self.init(both, both)
    }
}

/// The geometry of a convolution along the slices of volumes N D H W C; images have one slice and one tap there.
package struct SliceAxis: Hashable, Sendable {
    /// Slices of what goes in.
    package var count: Int
    package var kernel: Int
    package var stride: Int
    package var padding: Int
    package var dilation: Int
    package var outputPadding: Int

    package init(
        count: Int = 1, kernel: Int = 1, stride: Int = 1, padding: Int = 0, dilation: Int = 1, outputPadding: Int = 0
    ) {
        self.count = count
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.outputPadding = outputPadding
    }
}

/// The geometry of a convolution over images N H W C or volumes N D H W C.
///
/// `transposed` means PyTorch's `conv_transpose2d`: `inputChannels` and `height` × `width` describe what goes in, weights are
/// (I, O/g, Kd, Kh, Kw) instead of (O, I/g, Kd, Kh, Kw). A volume is a batch of slices, each an image.
package struct ConvolutionShape: Hashable, Sendable {
    package var batch: Int
    package var height: Int
    package var width: Int
    package var inputChannels: Int
    package var outputChannels: Int
    package var kernel: Extent
    package var stride: Extent
    package var padding: Extent
    package var dilation: Extent
    package var groups: Int
    package var transposed: Bool
    package var outputPadding: Extent
    package var slices: SliceAxis

    package init(
        batch: Int, height: Int, width: Int, inputChannels: Int, outputChannels: Int, kernel: Extent,
        stride: Extent = Extent(1), padding: Extent = Extent(0), dilation: Extent = Extent(1), groups: Int = 1,
        transposed: Bool = false, outputPadding: Extent = Extent(0), slices: SliceAxis = SliceAxis()
    ) {
        self.batch = batch
        self.height = height
        self.width = width
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        self.transposed = transposed
        self.outputPadding = outputPadding
        self.slices = slices
    }

    package var outputHeight: Int {
        outputSize(height, kernel.height, stride.height, padding.height, dilation.height, outputPadding.height)
    }

    package var outputWidth: Int {
        outputSize(width, kernel.width, stride.width, padding.width, dilation.width, outputPadding.width)
    }

    package var outputSlices: Int {
        outputSize(
            slices.count, slices.kernel, slices.stride, slices.padding, slices.dilation, slices.outputPadding)
    }

    /// Pixels of what goes in and of what comes out.
    package var inputPixels: Int { batch * slices.count * height * width }
    package var outputPixels: Int { batch * outputSlices * outputHeight * outputWidth }

    private func outputSize(_ size: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int, _ extra: Int)
        -> Int
    {
        transposed
            ? (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1
            : (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
    }

    /// Elements of the weight tensor in PyTorch's layout.
    package var weightCount: Int {
        inputChannels / groups * outputChannels * slices.kernel * kernel.height * kernel.width
    }

    /// Whether a convolution of this shape exists: positive sizes, groups that divide the channels.
    package var isValid: Bool {
        batch > 0 && height > 0 && width > 0 && inputChannels > 0 && outputChannels > 0 && groups > 0
            && inputChannels % groups == 0 && outputChannels % groups == 0 && kernel.height > 0 && kernel.width > 0
            && stride.height > 0 && stride.width > 0 && dilation.height > 0 && dilation.width > 0
            && padding.height >= 0 && padding.width >= 0
            && (transposed || (height + 2 * padding.height > dilation.height * (kernel.height - 1)))
            && (transposed || (width + 2 * padding.width > dilation.width * (kernel.width - 1)))
            && outputHeight > 0 && outputWidth > 0 && slices.count > 0 && slices.kernel > 0 && slices.stride > 0
            && slices.dilation > 0 && slices.padding >= 0 && outputSlices > 0
            && (transposed || slices.count + 2 * slices.padding > slices.dilation * (slices.kernel - 1))
    }

    /// Multiplications and additions that the definition asks for, the yardstick of every GFLOP/s figure.
    package var operations: Double {
        2 * Double(transposed ? inputPixels : outputPixels) * Double(weightCount)
    }
}

/// Images or volumes in memory, channels last: channel c of pixel p (pixels counted through N, D, H and W) lies at `base[p * stride + c]`.
///
/// A stride above the number of channels is a slice of a wider tensor: a convolution can write straight into its half of a
/// concatenation.
package struct Pixels {
    package var base: UnsafeMutablePointer<Float>
    package var stride: Int

    package init(_ base: UnsafeMutablePointer<Float>, stride: Int) {
        self.base = base
        self.stride = stride
    }
}

/// The three computations of a convolution that a plan can run.
package enum ConvolutionPass: String, CaseIterable, Sendable {
    case forward
    case inputGradient = "input gradient"
    case weightGradient = "weight gradient"
}

/// Which algorithms a plan may choose from.
package enum ConvolutionPolicy: String, Sendable {
    /// The fastest for the shape; Winograd transforms mix neighbouring pixels, so a value that is not finite spoils a tile of
    /// outputs, not only those that depend on it.
    case automatic
    /// Only sums of the products in the definition: values that are not finite spread exactly as they should.
    case direct
}
