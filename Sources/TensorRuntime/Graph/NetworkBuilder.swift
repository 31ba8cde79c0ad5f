/// Writes the nodes of a network of images N C H W or volumes N C D H W.
package struct NetworkBuilder {
    package let kind: Graph.Kind
    private var values: [Graph.Value] = []
    private var inputs: [Graph.Binding] = []
    private var parameters: [Graph.Binding] = []
    private var buffers: [Graph.Binding] = []
    private var nodes: [Graph.Node] = []

    package init(kind: Graph.Kind) {
        self.kind = kind
    }

    private mutating func value(_ shape: [Dimension], _ dtype: String = "float32") -> Int {
        values.append(Graph.Value(id: values.count, shape: shape, dtype: dtype))
        return values.count - 1
    }

    private func image(_ channels: Int, _ sizes: [Int]) -> [Dimension] {
        [.batch(1), .fixed(channels)] + sizes.map { .fixed($0) }
    }

    /// Channels and spatial sizes of a value.
    package func extent(_ value: Int) -> (channels: Int, sizes: [Int]) {
        let shape = values[value].shape.map { $0.size(batch: 1) }
        return (shape[1], Array(shape.dropFirst(2)))
    }

    private func same(_ size: Int, _ sizes: [Int]) -> AttributeValue { list(sizes.map { _ in size }) }

    private func list(_ sizes: [Int]) -> AttributeValue { .list(sizes.map { .number(Double($0)) }) }

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

    package mutating func input(
        _ name: String, _ channels: Int?, _ sizes: [Int], _ dtype: String = "float32"
    ) -> Int {
        let id = value(channels.map { image($0, sizes) } ?? [.batch(1)] + sizes.map { .fixed($0) }, dtype)
        inputs.append(Graph.Binding(value: id, name: name))
        return id
    }

    /// A node that yields a value of a shape; the other forms are made of it.
    package mutating func add(
        _ op: String, _ inputs: [Int?], shape: [Dimension], _ attributes: [String: AttributeValue] = [:],
        module: String = ""
    ) -> Int {
        let output = value(shape)
        nodes.append(Graph.Node(op: op, inputs: inputs, outputs: [output], attributes: attributes, module: module))
        return output
    }

    package mutating func add(
        _ op: String, _ inputs: [Int?], like x: Int, _ attributes: [String: AttributeValue] = [:], module: String = ""
    ) -> Int {
        add(op, inputs, shape: values[x].shape, attributes, module: module)
    }

    /// A convolution whose padding keeps the size, divided by the stride.
    mutating func convolution(_ name: String, _ x: Int, _ channels: Int, kernel: Int, stride: Int = 1, bias: Bool)
        -> Int
    {
        let axes = extent(x).sizes
        return convolution(
            name, x, channels, kernel: axes.map { _ in kernel }, stride: axes.map { _ in stride }, bias: bias)
    }

    /// The same with a kernel and a stride of each axis.
    package mutating func convolution(
        _ name: String, _ x: Int, _ channels: Int, kernel: [Int], stride: [Int], bias: Bool
    ) -> Int {
        let (inputs, sizes) = extent(x)
        let weight = parameter("\(name).weight", [channels, inputs] + kernel)
        let offset = bias ? parameter("\(name).bias", [channels]) : nil
        return add(
            "convolution", [x, weight, offset], shape: image(channels, zip(sizes, stride).map { $0 / $1 }),
            [
                "stride": list(stride), "padding": list(kernel.map { $0 / 2 }), "dilation": same(1, sizes),
                "transposed": false, "output_padding": same(0, sizes), "groups": 1,
            ], module: name)
    }

    mutating func batchNorm(_ name: String, _ x: Int) -> Int {
        let channels = extent(x).channels
        let operands = [
            x, parameter("\(name).weight", [channels]), parameter("\(name).bias", [channels]),
            buffer("\(name).running_mean", channels), buffer("\(name).running_var", channels),
        ]
        return add(
            "batch_norm", operands, like: x,
            ["training": .bool(kind == .train), "momentum": 0.1, "eps": 1e-5], module: name)
    }

    /// Group norm of one channel a group, which is what instance norm is.
    package mutating func instanceNorm(_ name: String, _ x: Int) -> Int {
        let channels = extent(x).channels
        let operands = [x, parameter("\(name).weight", [channels]), parameter("\(name).bias", [channels])]
        return add(
            "group_norm", operands, like: x, ["groups": .number(Double(channels)), "eps": 1e-5], module: name)
    }

    mutating func pool(_ x: Int) -> Int {
        let (channels, sizes) = extent(x)
        return add(
            "max_pool\(sizes.count)d", [x], shape: image(channels, sizes.map { $0 / 2 }),
            [
                "kernel": same(2, sizes), "stride": same(2, sizes), "padding": same(0, sizes),
                "dilation": same(1, sizes), "ceil_mode": false,
            ])
    }

    /// A transposed convolution whose kernel is its stride: two along each axis.
    mutating func up(_ name: String, _ x: Int, _ channels: Int) -> Int {
        up(name, x, channels, stride: extent(x).sizes.map { _ in 2 })
    }

    /// The same with a stride of each axis.
    package mutating func up(_ name: String, _ x: Int, _ channels: Int, stride: [Int]) -> Int {
        let (inputs, sizes) = extent(x)
        let weight = parameter("\(name).weight", [inputs, channels] + stride)
        let operands = [x, weight, parameter("\(name).bias", [channels])]
        return add(
            "convolution", operands, shape: image(channels, zip(sizes, stride).map { $0 * $1 }),
            [
                "stride": list(stride), "padding": same(0, sizes), "dilation": same(1, sizes), "transposed": true,
                "output_padding": same(0, sizes), "groups": 1,
            ], module: name)
    }

    package mutating func concatenate(_ a: Int, _ b: Int) -> Int {
        let (channels, sizes) = extent(a)
        return add("concatenate", [a, b], shape: image(channels + extent(b).channels, sizes), ["axis": 1])
    }

    package func finish(loss: Int? = nil, probability: Int? = nil) -> Graph {
        var outputs = GraphOutputs()
        (outputs.loss, outputs.probability) = (loss, probability)
        return Graph(
            kind: kind, batch: 1, values: values, inputs: inputs, parameters: parameters, buffers: buffers,
            nodes: nodes, outputs: outputs,
            threshold: kind == .train ? nil : Threshold(value: 0.5, comparison: .greater))
    }
}

extension Graph {
    /// Weights after He et al. 2015 (normal, fan in), from a seed; normalization starts as the identity.
    func initialTensors(seed: UInt64) -> [String: Tensor] {
        let shapes = Dictionary(uniqueKeysWithValues: values.map { ($0.id, $0.shape.map { $0.size(batch: 1) }) })
        var tensors: [String: Tensor] = [:]
        for (index, binding) in (parameters + buffers).enumerated() {
            let shape = shapes[binding.value] ?? []
            let count = shape.reduce(1, *)
            let isScale = shape.count == 1 && (binding.name.hasSuffix("weight") || binding.name.hasSuffix("var"))
            var values = [Float](repeating: isScale ? 1 : 0, count: count)
            if shape.count >= 4 {
                let deviation = (2 / Float(shape.dropFirst().reduce(1, *))).squareRoot()
                for position in values.indices {
                    values[position] = deviation * normal(seed: seed, stream: UInt32(index), position: UInt32(position))
                }
            }
            tensors[binding.name] = Tensor(unchecked: shape, values)
        }
        return tensors
    }

    private func normal(seed: UInt64, stream: UInt32, position: UInt32) -> Float {
        var sum: Float = -6
        for part in 0..<3 {
            let draws = philox(SIMD4(position, stream, UInt32(part), 0), key: seed)
            for lane in 0..<4 { sum += (Float(draws[lane] >> 8) + 0.5) / 16_777_216 }
        }
        return sum
    }
}
