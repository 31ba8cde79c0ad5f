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

/// The geometry of a convolution over images N H W C.
///
/// `transposed` means PyTorch's `conv_transpose2d`: `inputChannels` and `height` × `width` describe what goes in, weights are
/// (I, O/g, Kh, Kw) instead of (O, I/g, Kh, Kw).
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

    package init(
        batch: Int, height: Int, width: Int, inputChannels: Int, outputChannels: Int, kernel: Extent,
        stride: Extent = Extent(1), padding: Extent = Extent(0), dilation: Extent = Extent(1), groups: Int = 1,
        transposed: Bool = false, outputPadding: Extent = Extent(0)
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
    }

    package var outputHeight: Int {
        outputSize(height, kernel.height, stride.height, padding.height, dilation.height, outputPadding.height)
    }

    package var outputWidth: Int {
        outputSize(width, kernel.width, stride.width, padding.width, dilation.width, outputPadding.width)
    }

    private func outputSize(_ size: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int, _ extra: Int)
        -> Int
    {
        transposed
            ? (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1
            : (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
    }

    /// Elements of the weight tensor in PyTorch's layout.
    package var weightCount: Int {
        inputChannels / groups * outputChannels * kernel.height * kernel.width
    }

    /// Whether a convolution of this shape exists: positive sizes, groups that divide the channels.
    package var isValid: Bool {
        batch > 0 && height > 0 && width > 0 && inputChannels > 0 && outputChannels > 0 && groups > 0
            && inputChannels % groups == 0 && outputChannels % groups == 0 && kernel.height > 0 && kernel.width > 0
            && stride.height > 0 && stride.width > 0 && dilation.height > 0 && dilation.width > 0
            && padding.height >= 0 && padding.width >= 0
            && (transposed || (height + 2 * padding.height > dilation.height * (kernel.height - 1)))
            && (transposed || (width + 2 * padding.width > dilation.width * (kernel.width - 1)))
            && outputHeight > 0 && outputWidth > 0
    }

    /// Multiplications and additions that the definition asks for, the yardstick of every GFLOP/s figure.
    package var operations: Double {
        let pixels = transposed ? height * width : outputHeight * outputWidth
        return 2 * Double(batch * pixels) * Double(weightCount)
    }
}

/// Images in memory, channels last: channel c of pixel p (pixels counted through N, H and W) lies at `base[p * stride + c]`.
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
