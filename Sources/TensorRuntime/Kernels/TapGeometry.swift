/// A convolution seen from its weights: a big image, a small image, and taps that tie their pixels together.
///
/// `conv2d` reads the big image and writes the small one (correlate); its input gradient, and `conv_transpose2d`, read the small
/// one and write the big one (scatter). Both keep their weights as (small channels, big channels / groups, Kh, Kw).
struct TapGeometry: Sendable {
    let batch: Int
    let big: Extent
    let bigChannels: Int
    let small: Extent
    let smallChannels: Int
    let kernel: Extent
    let stride: Extent
    let padding: Extent
    let dilation: Extent
    let groups: Int
    /// The axis of slices: taps, and how many slices the big and the small volume have.
    let slices: SliceAxis
    let bigSlices: Int
    let smallSlices: Int

    init(_ shape: ConvolutionShape) {
        let input = Extent(shape.height, shape.width)
        let output = Extent(shape.outputHeight, shape.outputWidth)
        batch = shape.batch
        big = shape.transposed ? output : input
        small = shape.transposed ? input : output
        bigChannels = shape.transposed ? shape.outputChannels : shape.inputChannels
        smallChannels = shape.transposed ? shape.inputChannels : shape.outputChannels
        kernel = shape.kernel
        stride = shape.stride
        padding = shape.padding
        dilation = shape.dilation
        groups = shape.groups
        slices = shape.slices
        bigSlices = shape.transposed ? shape.outputSlices : shape.slices.count
        smallSlices = shape.transposed ? shape.slices.count : shape.outputSlices
    }

    /// Taps of one pair of channels.
    var area: Int { slices.kernel * kernel.height * kernel.width }
}

/// The taps along one axis that contribute to output positions origin, origin + step, …, and where they read.
struct AxisPhase: Sendable {
    /// First output position and how many there are.
    let origin: Int
    let count: Int
    /// Tap numbers and, beside them in rising order, input position minus `inStep` · (number of the output position).
    let taps: [Int]
    let offsets: [Int]
    /// Whether the offsets follow each other without a gap.
    let isContiguous: Bool

    init(origin: Int, count: Int, pairs: [(tap: Int, offset: Int)]) {
        let sorted = pairs.sorted { $0.offset < $1.offset }
        self.origin = origin
        self.count = count
        taps = sorted.map(\.tap)
        offsets = sorted.map(\.offset)
        isContiguous = zip(offsets, offsets.dropFirst()).allSatisfy { $1 == $0 + 1 }
    }

    var first: Int { offsets.first ?? 0 }
    var last: Int { offsets.last ?? 0 }

    /// Outputs of the small image: position q reads q · stride - padding + tap · dilation.
    static func correlate(small: Int, kernel: Int, stride: Int, padding: Int, dilation: Int) -> [AxisPhase] {
        [AxisPhase(origin: 0, count: small, pairs: (0..<kernel).map { ($0, $0 * dilation - padding) })]
    }

    /// Outputs of the big image: position r + q · stride reads q + (r + padding - tap · dilation) / stride for the taps that divide.
    static func scatter(big: Int, kernel: Int, stride: Int, padding: Int, dilation: Int) -> [AxisPhase] {
        (0..<min(stride, big)).map { r in
            let pairs = (0..<kernel).compactMap { tap -> (tap: Int, offset: Int)? in
                let distance = r + padding - tap * dilation
                return distance % stride == 0 ? (tap, distance / stride) : nil
            }
            return AxisPhase(origin: r, count: (big - r + stride - 1) / stride, pairs: pairs)
        }
    }
}
