import TensorRuntime

/// The network of a plan as graphs: nnU-Net's PlainConvUNet with its parameter names.
///
/// An encoder of stages of (convolution with bias, instance norm, leaky ReLU 0.01), the first convolution of a stage with the
/// stage's stride; a decoder of transposed convolutions whose kernel is that stride, concatenation with the skip and the same blocks;
/// a 1×1 convolution to the classes after each decoder stage (Isensee et al. 2021, "blueprint parameters").
///
/// Weights are named as in nnU-Net's `state_dict`: `encoder.stages.0.0.convs.0.conv.weight`,
/// `encoder.stages.0.0.convs.0.norm.weight`, `decoder.transpconvs.0.weight`, `decoder.stages.0.convs.0.conv.weight`,
/// `decoder.seg_layers.0.weight`; its second names for the same tensors (`all_modules`, `decoder.encoder`) are left out.
public struct PlainConvUNet: Sendable {
    /// Stages, kernels, strides, channels.
    public var architecture: Architecture
    /// Input size H W in pixels.
    public var patchSize: [Int]
    /// Channels of the images.
    public var inputChannels: Int
    /// Classes, the background included.
    public var classes: Int

    /// The slope of the leaky ReLU for negative numbers; what PyTorch's default is.
    static let negativeSlope = 0.01
    /// What keeps nnU-Net's Dice loss from dividing by nothing.
    static let diceSmoothing = 1e-5

    /// The network of a plan. Throws `NNUNetError.invalidPlan` when its fields do not go together.
    public init(_ plan: NNUNetPlan) throws {
        try plan.validate()
        (architecture, patchSize) = (plan.architecture, plan.patchSize)
        (inputChannels, classes) = (plan.channels, plan.classes)
    }

    /// The supervised resolutions, from the full one down: one less than there are stages.
    public var heads: Int { architecture.stages - 1 }

    /// H W of the logits and targets of each head.
    public var headSizes: [[Int]] {
        var (sizes, size) = ([[Int]](), patchSize)
        for stride in architecture.strides.dropLast() {
            size = zip(size, stride).map { $0 / $1 }
            sizes.append(size)
        }
        return sizes
    }

    /// The weight of each head's loss: halved with each resolution, the lowest not counted, adding up to one.
    public var headWeights: [Double] {
        var weights = (0..<heads).map { 1 / Double(1 << $0) }
        // With a single head nnU-Net's own normalisation divides zero by zero; it counts here.
        if heads > 1 { weights[heads - 1] = 0 }
        let whole = weights.reduce(0, +)
        return weights.map { $0 / whole }
    }

    /// From `image` (N C H W) and `target0`, `target1`, … (N H W class indices, one for each head with a weight) to the loss: the
    /// weighted sum of cross entropy plus soft Dice loss, the Dice over the whole batch and without the background.
    public var train: Graph {
        var builder = NetworkBuilder(kind: .train)
        let logits = forward(&builder)
        var operands: [Int?] = []
        let weights = headWeights
        for (head, value) in logits.enumerated() where weights[head] > 0 {
            operands += [value, builder.input("target\(head)", nil, builder.extent(value).sizes, "int64")]
        }
        let loss = PlainConvUNet.loss(&builder, operands, weights: weights.filter { $0 > 0 })
        return builder.finish(loss: loss)
    }

    /// nnU-Net's `DC_and_CE_loss` of pairs of logits and targets, weighted by head.
    static func loss(_ builder: inout NetworkBuilder, _ operands: [Int?], weights: [Double]) -> Int {
        builder.add(
            "dice_cross_entropy_loss", operands, shape: [],
            [
                "weights": .list(weights.map { .number($0) }), "batch": true, "background": false,
                "smooth": .number(diceSmoothing), "ce_weight": 1, "dice_weight": 1,
            ], module: "loss")
    }

    /// From `image` (N C H W) to the logits of the full resolution (N K H W, K classes).
    public var evaluation: Graph { evaluation(head: 0) }

    /// The logits of one head; 0 is the full resolution.
    func evaluation(head: Int) -> Graph {
        var builder = NetworkBuilder(kind: .evaluation)
        let logits = forward(&builder)
        return builder.finish(probability: logits[head])
    }

    /// Initial weights by name, from a seed: He et al. 2015 (normal, fan in, for a leaky ReLU of 0.01) with biases of zero, as
    /// nnU-Net's `InitWeights_He`; instance norms start as the identity.
    public func initialTensors(seed: UInt64) throws -> [String: Tensor] {
        let generator = RandomGenerator(seed: seed)
        let he = Initialization.kaimingNormal(nonlinearity: .leakyReLU(slope: PlainConvUNet.negativeSlope))
        var tensors: [String: Tensor] = [:]
        for (name, shape) in parameterShapes {
            tensors[name] =
                shape.count > 1
                ? try he.tensor(shape, generator)
                : try Tensor(shape: shape, repeating: name.hasSuffix("norm.weight") ? 1 : 0)
        }
        return tensors
    }

    /// Names and shapes of all parameters, in the order of the graph.
    public var parameterShapes: [(name: String, shape: [Int])] {
        let graph = evaluation
        let shapes = Dictionary(uniqueKeysWithValues: graph.values.map { ($0.id, $0.shape.map { $0.size(batch: 1) }) })
        return graph.parameters.map { ($0.name, shapes[$0.value] ?? []) }
    }

    /// The logits of all heads, the full resolution first. Every graph names the parameters of all of them; what its result does not
    /// need is not computed.
    private func forward(_ builder: inout NetworkBuilder) -> [Int] {
        var x = builder.input("image", inputChannels, patchSize)
        var skips: [Int] = []
        for stage in 0..<architecture.stages {
            let block = Block(
                name: "encoder.stages.\(stage).0.convs", channels: architecture.features[stage],
                kernel: architecture.kernels[stage], stride: architecture.strides[stage],
                convolutions: architecture.encoderConvolutions[stage])
            x = block.apply(&builder, x)
            skips.append(x)
        }
        var logits: [Int] = []
        for step in 0..<architecture.stages - 1 {
            let stage = architecture.stages - 2 - step
            let channels = architecture.features[stage]
            let up = builder.up(
                "decoder.transpconvs.\(step)", x, channels, stride: architecture.strides[stage + 1])
            let block = Block(
                name: "decoder.stages.\(step).convs", channels: channels, kernel: architecture.kernels[stage],
                stride: [1, 1], convolutions: architecture.decoderConvolutions[step])
            x = block.apply(&builder, builder.concatenate(up, skips[stage]))
            logits.append(
                builder.convolution(
                    "decoder.seg_layers.\(step)", x, classes, kernel: [1, 1], stride: [1, 1], bias: true))
        }
        return logits.reversed()
    }

    /// Convolutions of one resolution.
    private struct Block {
        var name: String
        var channels: Int
        var kernel: [Int]
        var stride: [Int]
        var convolutions: Int

        func apply(_ builder: inout NetworkBuilder, _ x: Int) -> Int {
            var x = x
            for index in 0..<convolutions {
                x = builder.convolution(
                    "\(name).\(index).conv", x, channels, kernel: kernel, stride: index == 0 ? stride : [1, 1],
                    bias: true)
                x = builder.instanceNorm("\(name).\(index).norm", x)
                x = builder.add(
                    "leaky_relu", [x], like: x, ["negative_slope": .number(PlainConvUNet.negativeSlope)],
                    module: "\(name).\(index).nonlin")
            }
            return x
        }
    }
}
