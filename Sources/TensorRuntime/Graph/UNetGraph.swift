/// Graphs of the standard U-Net (Ronneberger, Fischer and Brox 2015, with padding and batch norm), for benchmarks and tests.
///
/// ```swift
/// let unet = UNetGraph(baseChannels: 16, depth: 4, size: 128)
/// let session = try GraphSession(train: unet.train, evaluation: unet.evaluation, tensors: unet.initialTensors(seed: 1))
/// ```
///
/// Each of `depth` encoder stages is (3×3 convolution, batch norm, ReLU) twice and a 2×2 max pooling, channels doubling; the
/// decoder mirrors it with 2×2 transposed convolutions and concatenation of the skip. The loss is binary cross-entropy with
/// logits. Inputs are `image` (N C H W) and `mask` (N 1 H W).
public struct UNetGraph: Sendable {
    public var baseChannels: Int
    /// The number of poolings.
    public var depth: Int
    /// Height and width of the images; a multiple of 2^depth.
    public var size: Int
    public var inputChannels: Int
    /// Whether convolutions are followed by batch norm (then they have no bias).
    public var batchNorm: Bool

    public init(baseChannels: Int, depth: Int, size: Int, inputChannels: Int = 1, batchNorm: Bool = true) {
        precondition(
            baseChannels > 0 && depth >= 0 && depth < 10 && inputChannels > 0 && size > 0 && size % (1 << depth) == 0,
            "a U-Net of depth \(depth) needs images whose size is a multiple of \(1 << depth), not \(size)")
        self.baseChannels = baseChannels
        self.depth = depth
        self.size = size
        self.inputChannels = inputChannels
        self.batchNorm = batchNorm
    }

    /// From a batch to the loss.
    public var train: Graph { graph(.train) }

    /// From images to probabilities, threshold 0.5.
    public var evaluation: Graph { graph(.evaluation) }

    private func graph(_ kind: Graph.Kind) -> Graph {
        var builder = UNetBuilder(kind: kind, batchNorm: batchNorm)
        let image = builder.input("image", inputChannels, size)
        var x = image
        var skips: [Int] = []
        for stage in 0..<depth {
            x = builder.double("enc\(stage + 1)", x, baseChannels << stage)
            skips.append(x)
            x = builder.pool(x)
        }
        x = builder.double("bottleneck", x, baseChannels << depth)
        for stage in (0..<depth).reversed() {
            let up = builder.up("up\(stage + 1)", x, baseChannels << stage)
            x = builder.double("dec\(stage + 1)", builder.concatenate(up, skips[stage]), baseChannels << stage)
        }
        let logits = builder.convolution("final", x, 1, kernel: 1, bias: true)
        return builder.finish(logits, size: size)
    }

    /// Weights after He et al. 2015 (normal, fan in), from a seed; batch norm starts as the identity.
    public func initialTensors(seed: UInt64) -> [String: Tensor] {
        let graph = train
        let shapes = Dictionary(uniqueKeysWithValues: graph.values.map { ($0.id, $0.shape.map { $0.size(batch: 1) }) })
        var tensors: [String: Tensor] = [:]
        for (index, binding) in (graph.parameters + graph.buffers).enumerated() {
            let shape = shapes[binding.value] ?? []
            let count = shape.reduce(1, *)
            let isScale = shape.count == 1 && (binding.name.hasSuffix("weight") || binding.name.hasSuffix("var"))
            var values = [Float](repeating: isScale ? 1 : 0, count: count)
            if shape.count == 4 {
                let deviation = (2 / Float(shape[1] * shape[2] * shape[3])).squareRoot()
                for position in values.indices {
                    values[position] = deviation * normal(seed: seed, stream: UInt32(index), position: UInt32(position))
                }
            }
            tensors[binding.name] = Tensor(unchecked: shape, values)
        }
        return tensors
    }

    /// A nearly normal number: the sum of twelve uniform ones less six.
    private func normal(seed: UInt64, stream: UInt32, position: UInt32) -> Float {
        var sum: Float = -6
        for part in 0..<3 {
            let draws = philox(SIMD4(position, stream, UInt32(part), 0), key: seed)
            for lane in 0..<4 { sum += (Float(draws[lane] >> 8) + 0.5) / 16_777_216 }
        }
        return sum
    }
}

/// Writes the nodes of a U-Net.
private struct UNetBuilder {
    let kind: Graph.Kind
    let batchNorm: Bool
    private var values: [Graph.Value] = []
    private var inputs: [Graph.Binding] = []
    private var parameters: [Graph.Binding] = []
    private var buffers: [Graph.Binding] = []
    private var nodes: [Graph.Node] = []

    init(kind: Graph.Kind, batchNorm: Bool) {
        self.kind = kind
        self.batchNorm = batchNorm
    }

    private mutating func value(_ shape: [Dimension]) -> Int {
        values.append(Graph.Value(id: values.count, shape: shape))
        return values.count - 1
    }

    private mutating func image(_ channels: Int, _ size: Int) -> Int {
        value([.batch(1), .fixed(channels), .fixed(size), .fixed(size)])
    }

    private func extent(_ value: Int) -> (channels: Int, size: Int) {
        (values[value].shape[1].size(batch: 1), values[value].shape[2].size(batch: 1))
    }

    private mutating func parameter(_ name: String, _ shape: [Int]) -> Int {
        let id = value(shape.map { .fixed($0) })
        parameters.append(Graph.Binding(value: id, name: name))
        return id
    }

    private mutating func buffer(_ name: String, _ count: Int) -> Int {
        let id = value([.fixed(count)])
        buffers.append(Graph.Binding(value: id, name: name))
        return id
    }

    private mutating func add(
        _ op: String, _ inputs: [Int?], _ output: Int, _ attributes: [String: AttributeValue] = [:], module: String = ""
    ) -> Int {
        nodes.append(
            Graph.Node(op: op, inputs: inputs, outputs: [output], attributes: attributes, module: module))
        return output
    }

    mutating func input(_ name: String, _ channels: Int, _ size: Int) -> Int {
        let id = image(channels, size)
        inputs.append(Graph.Binding(value: id, name: name))
        return id
    }

    mutating func convolution(_ name: String, _ x: Int, _ channels: Int, kernel: Int, bias: Bool) -> Int {
        let (inputs, size) = extent(x)
        let weight = parameter("\(name).weight", [channels, inputs, kernel, kernel])
        let offset = bias ? parameter("\(name).bias", [channels]) : nil
        let padding = AttributeValue.number(Double(kernel / 2))
        return add(
            "convolution", [x, weight, offset], image(channels, size),
            [
                "stride": [1, 1], "padding": [padding, padding], "dilation": [1, 1], "transposed": false,
                "output_padding": [0, 0], "groups": 1,
            ], module: name)
    }

    mutating func double(_ name: String, _ x: Int, _ channels: Int) -> Int {
        var x = x
        for half in 0..<2 {
            x = convolution("\(name).\(half * 3)", x, channels, kernel: 3, bias: !batchNorm)
            if batchNorm { x = norm("\(name).\(half * 3 + 1)", x) }
            let (count, size) = extent(x)
            x = add("relu", [x], image(count, size), module: "\(name).\(half * 3 + 2)")
        }
        return x
    }

    private mutating func norm(_ name: String, _ x: Int) -> Int {
        let (channels, size) = extent(x)
        let operands = [
            x, parameter("\(name).weight", [channels]), parameter("\(name).bias", [channels]),
            buffer("\(name).running_mean", channels), buffer("\(name).running_var", channels),
        ]
        return add(
            "batch_norm", operands, image(channels, size),
            ["training": .bool(kind == .train), "momentum": 0.1, "eps": 1e-5], module: name)
    }

    mutating func pool(_ x: Int) -> Int {
        let (channels, size) = extent(x)
        return add(
            "max_pool2d", [x], image(channels, size / 2),
            ["kernel": [2, 2], "stride": [2, 2], "padding": [0, 0], "dilation": [1, 1], "ceil_mode": false])
    }

    mutating func up(_ name: String, _ x: Int, _ channels: Int) -> Int {
        let (inputs, size) = extent(x)
        let operands = [
            x, parameter("\(name).weight", [inputs, channels, 2, 2]), parameter("\(name).bias", [channels]),
        ]
        return add(
            "convolution", operands, image(channels, size * 2),
            [
                "stride": [2, 2], "padding": [0, 0], "dilation": [1, 1], "transposed": true, "output_padding": [0, 0],
                "groups": 1,
            ], module: name)
    }

    mutating func concatenate(_ a: Int, _ b: Int) -> Int {
        let (channels, size) = extent(a)
        return add("concatenate", [a, b], image(channels + extent(b).channels, size), ["axis": 1])
    }

    mutating func finish(_ logits: Int, size: Int) -> Graph {
        var outputs = GraphOutputs()
        if kind == .train {
            let mask = input("mask", 1, size)
            outputs.loss = add(
                "binary_cross_entropy_with_logits", [logits, mask], value([]), ["reduction": "mean"], module: "loss")
        } else {
            outputs.probability = add("sigmoid", [logits], image(1, size))
        }
        return Graph(
            kind: kind, batch: 1, values: values, inputs: inputs, parameters: parameters, buffers: buffers,
            nodes: nodes,
            outputs: outputs, threshold: kind == .train ? nil : Threshold(value: 0.5, comparison: .greater))
    }
}
