import TensorRuntime

/// Writes the train graph of a small network node by node, with images of one size a level.
struct NetworkSketch {
    private var values: [Graph.Value] = []
    private var inputs: [Graph.Binding] = []
    private var parameters: [Graph.Binding] = []
    private var buffers: [Graph.Binding] = []
    private var nodes: [Graph.Node] = []

    /// Channels and size of a value N C S S.
    func extent(_ value: Int) -> (channels: Int, size: Int) {
        (values[value].shape[1].size(batch: 1), values[value].shape[2].size(batch: 1))
    }

    private mutating func value(_ shape: [Dimension]) -> Int {
        values.append(Graph.Value(id: values.count, shape: shape))
        return values.count - 1
    }

    mutating func input(_ name: String, channels: Int, size: Int) -> Int {
        let id = value([.batch(1), .fixed(channels), .fixed(size), .fixed(size)])
        inputs.append(Graph.Binding(value: id, name: name))
        return id
    }

    mutating func parameter(_ name: String, _ shape: [Int]) -> Int {
        let id = value(shape.map { .fixed($0) })
        parameters.append(Graph.Binding(value: id, name: name))
        return id
    }

    mutating func buffer(_ name: String, _ count: Int) -> Int {
        let id = value([.fixed(count)])
        buffers.append(Graph.Binding(value: id, name: name))
        return id
    }

    /// A node whose result is N C S S, that of the first operand where nothing else is said.
    mutating func apply(
        _ op: String, _ operands: [Int?], channels: Int? = nil, size: Int? = nil,
        _ attributes: [String: AttributeValue] = [:]
    ) -> Int {
        let like = operands.first.flatMap { $0 }.map { extent($0) } ?? (channels: 1, size: 1)
        let size = size ?? like.size
        return node(
            op, operands, [.batch(1), .fixed(channels ?? like.channels), .fixed(size), .fixed(size)], attributes)
    }

    mutating func node(
        _ op: String, _ operands: [Int?], _ shape: [Dimension], _ attributes: [String: AttributeValue] = [:]
    ) -> Int {
        let id = value(shape)
        nodes.append(Graph.Node(op: op, inputs: operands, outputs: [id], attributes: attributes, module: "\(op)\(id)"))
        return id
    }

    mutating func convolution(_ name: String, _ x: Int, _ channels: Int, kernel: Int = 3, groups: Int = 1) -> Int {
        let weight = parameter("\(name).weight", [channels, extent(x).channels / groups, kernel, kernel])
        let padding = AttributeValue.number(Double(kernel / 2))
        return apply(
            "convolution", [x, weight, parameter("\(name).bias", [channels])], channels: channels,
            [
                "stride": [1, 1], "padding": [padding, padding], "dilation": [1, 1], "transposed": false,
                "output_padding": [0, 0], "groups": .number(Double(groups)),
            ])
    }

    mutating func groupNorm(_ name: String, _ x: Int, groups: Int) -> Int {
        let channels = extent(x).channels
        return apply(
            "group_norm", [x, parameter("\(name).weight", [channels]), parameter("\(name).bias", [channels])],
            ["groups": .number(Double(groups)), "eps": 1e-5])
    }

    mutating func batchNorm(_ name: String, _ x: Int, training: Bool = true) -> Int {
        let channels = extent(x).channels
        return apply(
            "batch_norm",
            [
                x, parameter("\(name).weight", [channels]), parameter("\(name).bias", [channels]),
                buffer("\(name).running_mean", channels), buffer("\(name).running_var", channels),
            ], ["training": .bool(training), "momentum": 0.1, "eps": 1e-5])
    }

    mutating func pool(_ x: Int) -> Int {
        apply("max_pool2d", [x], size: extent(x).size / 2, ["kernel": [2, 2], "stride": [2, 2]])
    }

    mutating func enlarge(_ x: Int) -> Int {
        let size = extent(x).size * 2
        return apply(
            "upsample_bilinear2d", [x], size: size,
            ["output_size": [.number(Double(size)), .number(Double(size))], "align_corners": false])
    }

    /// Whole channels are dropped with probability p, as by `Dropout2d`.
    mutating func dropChannels(_ x: Int, p: Double) -> Int {
        let (channels, _) = extent(x)
        let shape: [Dimension] = [.batch(1), .fixed(channels), .fixed(1), .fixed(1)]
        let mask = node(
            "bernoulli", [], shape,
            [
                "shape": [.batch(1), .number(Double(channels)), 1, 1], "p": .number(1 - p),
            ])
        return apply("mul", [x, apply("div_scalar", [mask], ["scalar": .number(1 - p)])])
    }

    /// Squeeze and excitation (Hu, Shen and Sun 2018): channels weighted by a gate that sees the means of all.
    mutating func excite(_ name: String, _ x: Int, squeeze: Int) -> Int {
        let channels = extent(x).channels
        let shape: [Dimension] = [.batch(1), .fixed(channels), .fixed(1), .fixed(1)]
        let means = node("mean", [x], shape, ["axes": [2, 3], "keepdim": true])
        let hidden = apply("silu", [convolution("\(name).0", means, squeeze, kernel: 1)])
        return apply("mul", [x, apply("sigmoid", [convolution("\(name).1", hidden, channels, kernel: 1)])])
    }

    /// Ends with the cross-entropy of logits and mask.
    mutating func finish(_ logits: Int) -> Graph {
        let mask = input("mask", channels: 1, size: extent(logits).size)
        let loss = node("binary_cross_entropy_with_logits", [logits, mask], [], ["reduction": "mean"])
        var outputs = GraphOutputs()
        outputs.loss = loss
        return Graph(
            kind: .train, batch: 1, values: values, inputs: inputs, parameters: parameters, buffers: buffers,
            nodes: nodes, outputs: outputs)
    }
}

extension Graph {
    /// Weights uniform in ±1/√fan-in; scales and variances one, offsets and means zero.
    func initialTensors(seed: UInt64) throws -> [String: Tensor] {
        var random = KernelRandom(seed: seed)
        let shapes = Dictionary(uniqueKeysWithValues: values.map { ($0.id, $0.shape.map { $0.size(batch: 1) }) })
        var tensors: [String: Tensor] = [:]
        for binding in parameters + buffers {
            let shape = shapes[binding.value] ?? []
            let fan = Float(shape.dropFirst().reduce(1, *))
            let isOne = shape.count == 1 && (binding.name.hasSuffix("weight") || binding.name.hasSuffix("var"))
            tensors[binding.name] = try Tensor(
                shape: shape,
                values: (0..<shape.reduce(1, *)).map { _ in
                    shape.count == 1 ? (isOne ? 1 : 0) : random.float() / fan.squareRoot()
                })
        }
        return tensors
    }
}
