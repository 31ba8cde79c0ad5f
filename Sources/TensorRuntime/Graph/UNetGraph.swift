/// Graphs of the standard U-Net (Ronneberger, Fischer and Brox 2015, with padding and batch norm), for benchmarks and tests.
///
/// ```swift
/// let unet = UNetGraph(baseChannels: 16, depth: 4, size: 128)
/// let session = try GraphSession(train: unet.train, evaluation: unet.evaluation, tensors: unet.initialTensors(seed: 1))
/// ```
///
/// Each of `depth` encoder stages is (3×3 convolution, batch norm, ReLU) twice and a 2×2 max pooling, channels doubling; the
/// decoder mirrors it with 2×2 transposed convolutions and concatenation of the skip. The loss is binary cross-entropy with
/// logits. Inputs are `image` (N C H W) and `mask` (N 1 H W). With `slices` the same in three dimensions (Çiçek et al. 2016):
/// kernels of 3×3×3 and 2×2×2, inputs N C D H W. With `residualEncoder` the encoder stages and the bottleneck are basic residual
/// blocks (He et al. 2016, "Deep residual learning for image recognition", figure 5 left): what the two convolutions give before the
/// last ReLU is added to the block's input, which a 1×1 convolution brings to the same channels; the decoder stays as it is.
public struct UNetGraph: Sendable {
    /// Channels of the first stage.
    public var baseChannels: Int
    /// The number of poolings.
    public var depth: Int
    /// Height and width of the images; a multiple of 2^depth.
    public var size: Int
    /// Channels of the images.
    public var inputChannels: Int
    /// Whether convolutions are followed by batch norm (then they have no bias).
    public var batchNorm: Bool
    /// Slices of a volume, a multiple of 2^depth; nil for images.
    public var slices: Int?
    /// Whether the encoder is made of residual blocks.
    public var residualEncoder: Bool

    /// A precondition: sizes are positive, and halved `depth` times without a rest.
    public init(
        baseChannels: Int, depth: Int, size: Int, inputChannels: Int = 1, batchNorm: Bool = true, slices: Int? = nil,
        residualEncoder: Bool = false
    ) {
        precondition(
            baseChannels > 0 && depth >= 0 && depth < 10 && inputChannels > 0 && size > 0 && size % (1 << depth) == 0
                && slices ?? 1 > 0 && (slices ?? 0) % (1 << depth) == 0,
            "a U-Net of depth \(depth) needs sizes that are multiples of \(1 << depth), not \(size) and \(slices ?? 0)")
        self.baseChannels = baseChannels
        self.depth = depth
        self.size = size
        self.inputChannels = inputChannels
        self.batchNorm = batchNorm
        self.slices = slices
        self.residualEncoder = residualEncoder
    }

    /// From a batch to the loss.
    public var train: Graph { graph(.train) }

    /// From images to probabilities, threshold 0.5.
    public var evaluation: Graph { graph(.evaluation) }

    private func graph(_ kind: Graph.Kind) -> Graph {
        var builder = NetworkBuilder(kind: kind)
        let sizes = (slices.map { [$0] } ?? []) + [size, size]
        let image = builder.input("image", inputChannels, sizes)
        var x = image
        var skips: [Int] = []
        for stage in 0..<depth {
            x = double(&builder, "enc\(stage + 1)", x, baseChannels << stage, isResidual: residualEncoder)
            skips.append(x)
            x = builder.pool(x)
        }
        x = double(&builder, "bottleneck", x, baseChannels << depth, isResidual: residualEncoder)
        for stage in (0..<depth).reversed() {
            let up = builder.up("up\(stage + 1)", x, baseChannels << stage)
            let joined = builder.concatenate(up, skips[stage])
            x = double(&builder, "dec\(stage + 1)", joined, baseChannels << stage)
        }
        let logits = builder.convolution("final", x, 1, kernel: 1, bias: true)
        if kind == .train {
            let mask = builder.input("mask", 1, sizes)
            let loss = builder.add(
                "binary_cross_entropy_with_logits", [logits, mask], shape: [], ["reduction": "mean"], module: "loss")
            return builder.finish(loss: loss)
        }
        let probability = builder.add("sigmoid", [logits], like: logits)
        return builder.finish(probability: probability)
    }

    private func double(
        _ builder: inout NetworkBuilder, _ name: String, _ input: Int, _ channels: Int, isResidual: Bool = false
    ) -> Int {
        var x = input
        for half in 0..<2 {
            x = builder.convolution("\(name).\(half * 3)", x, channels, kernel: 3, bias: !batchNorm)
            if batchNorm { x = builder.batchNorm("\(name).\(half * 3 + 1)", x) }
            if half == 1, isResidual {
                let shortcut = shortcut(&builder, "\(name).shortcut", input, channels)
                x = builder.add("add", [x, shortcut], like: x, module: "\(name).add")
            }
            x = builder.add("relu", [x], like: x, module: "\(name).\(half * 3 + 2)")
        }
        return x
    }

    private func shortcut(_ builder: inout NetworkBuilder, _ name: String, _ input: Int, _ channels: Int) -> Int {
        guard builder.extent(input).channels != channels else { return input }
        let x = builder.convolution("\(name).0", input, channels, kernel: 1, bias: !batchNorm)
        return batchNorm ? builder.batchNorm("\(name).1", x) : x
    }

    /// Weights after He et al. 2015 (normal, fan in), from a seed; batch norm starts as the identity.
    public func initialTensors(seed: UInt64) -> [String: Tensor] { train.initialTensors(seed: seed) }
}
