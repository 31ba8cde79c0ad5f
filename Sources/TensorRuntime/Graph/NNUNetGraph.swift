/// Graphs of nnU-Net's plain 2-D network (Isensee et al. 2021), for benchmarks and tests.
///
/// Stages of two (3×3 convolution with bias, instance norm, leaky ReLU 0.01), channels doubling from 32 up to 512, the first
/// convolution of a stage with stride 2 instead of a pooling, until the image is 4×4; a decoder with 2×2 transposed convolutions
/// and concatenation of the skip. Deep supervision: each decoder stage but the lowest ends in a 1×1 convolution to the classes,
/// and the loss is the sum of the cross entropies at all resolutions, weights halving with each and adding up to one.
///
/// Inputs are `image` (N C H W) and `mask0`, `mask1`, … (N H W, class indices; each half as large as the one before).
public struct NNUNetGraph: Sendable {
    /// Height and width of the images; a power of two of at least 16.
    public var size: Int
    /// Channels of the images.
    public var inputChannels: Int
    /// Classes, the background included.
    public var classes: Int

    /// A precondition: `size` is a power of two of at least 16, and there are two classes or more.
    public init(size: Int, inputChannels: Int = 1, classes: Int = 2) {
        precondition(
            size >= 16 && size & (size - 1) == 0 && inputChannels > 0 && classes > 1,
            "the plan is for images of a power of two of at least 16, not \(size), and two classes or more")
        self.size = size
        self.inputChannels = inputChannels
        self.classes = classes
    }

    /// Stages of the encoder: as many halvings as lead to 4×4.
    public var stages: Int { (size / 4).trailingZeroBitCount + 1 }

    /// The resolutions that are supervised.
    public var heads: Int { stages - 2 }

    private func channels(_ stage: Int) -> Int { min(32 << stage, 512) }

    /// From a batch to the loss.
    public var train: Graph { graph(.train) }

    /// From images to the probability of the second class, threshold 0.5.
    public var evaluation: Graph { graph(.evaluation) }

    /// Weights after He et al. 2015 (normal, fan in), from a seed.
    public func initialTensors(seed: UInt64) -> [String: Tensor] { train.initialTensors(seed: seed) }

    private func graph(_ kind: Graph.Kind) -> Graph {
        var builder = NetworkBuilder(kind: kind)
        var x = builder.input("image", inputChannels, [size, size])
        var skips: [Int] = []
        for stage in 0..<stages {
            x = double(&builder, "enc\(stage + 1)", x, channels(stage), stride: stage == 0 ? 1 : 2)
            skips.append(x)
        }
        var logits: [Int] = []
        for stage in (0..<stages - 1).reversed() {
            let up = builder.up("up\(stage + 1)", x, channels(stage))
            x = double(&builder, "dec\(stage + 1)", builder.concatenate(up, skips[stage]), channels(stage), stride: 1)
            if stage < heads {
                logits.append(builder.convolution("head\(stage + 1)", x, classes, kernel: 1, bias: true))
            }
        }
        return kind == .train ? loss(&builder, logits.reversed()) : prediction(&builder, logits[logits.count - 1])
    }

    private func double(
        _ builder: inout NetworkBuilder, _ name: String, _ x: Int, _ channels: Int, stride: Int
    ) -> Int {
        var x = x
        for half in 0..<2 {
            x = builder.convolution(
                "\(name).\(half * 3)", x, channels, kernel: 3, stride: half == 0 ? stride : 1, bias: true)
            x = builder.instanceNorm("\(name).\(half * 3 + 1)", x)
            x = builder.add(
                "leaky_relu", [x], like: x, ["negative_slope": 0.01], module: "\(name).\(half * 3 + 2)")
        }
        return x
    }

    private func loss(_ builder: inout NetworkBuilder, _ logits: [Int]) -> Graph {
        var total: Int?
        let whole = 2 - 1 / Double(1 << (heads - 1))
        for (level, value) in logits.enumerated() {
            let mask = builder.input("mask\(level)", nil, builder.extent(value).sizes, "int64")
            let logarithms = builder.add("log_softmax", [value], like: value, ["axis": 1], module: "loss")
            let entropy = builder.add(
                "nll_loss", [logarithms, mask], shape: [], ["reduction": "mean"], module: "loss")
            let part = builder.add(
                "mul_scalar", [entropy], shape: [], ["scalar": .number(1 / Double(1 << level) / whole)], module: "loss")
            total = total.map { builder.add("add", [$0, part], shape: [], module: "loss") } ?? part
        }
        return builder.finish(loss: total)
    }

    private func prediction(_ builder: inout NetworkBuilder, _ logits: Int) -> Graph {
        let (_, sizes) = builder.extent(logits)
        let softmax = builder.add("softmax", [logits], like: logits, ["axis": 1])
        let second = builder.add(
            "slice", [softmax], shape: [.batch(1), .fixed(1)] + sizes.map { .fixed($0) },
            ["axis": 1, "start": 1, "end": 2, "step": 1])
        return builder.finish(probability: second)
    }
}
