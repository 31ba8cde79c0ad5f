import TensorRuntime

/// A network whose steps are counted, with a batch of two.
struct SteadyNetwork {
    var name: String
    var train: Graph
    var evaluation: Graph?
    var tensors: [String: Tensor]
    var inputs: [String: Tensor]

    func store() throws -> ParameterStore {
        try ParameterStore(graphs: [train] + (evaluation.map { [$0] } ?? []), tensors: tensors)
    }

    static func all() throws -> [SteadyNetwork] {
        [
            try unet("U-Net", UNetGraph(baseChannels: 8, depth: 2, size: 24)),
            // Wide enough for the transforms that all threads work on together, and for updates that they share.
            try unet("wide U-Net", UNetGraph(baseChannels: 96, depth: 1, size: 16)),
            try unet("U-Net with biases", UNetGraph(baseChannels: 5, depth: 1, size: 10, batchNorm: false)),
            try unet("3-D U-Net", UNetGraph(baseChannels: 8, depth: 1, size: 12, slices: 6)),
            try nnunet(),
            try loops(),
        ]
    }

    private static func unet(_ name: String, _ unet: UNetGraph) throws -> SteadyNetwork {
        SteadyNetwork(
            name: name, train: unet.train, evaluation: unet.evaluation, tensors: unet.initialTensors(seed: 1),
            inputs: try inputs(unet.train))
    }

    private static func nnunet() throws -> SteadyNetwork {
        let plan = NNUNetGraph(size: 16)
        return SteadyNetwork(
            name: "nnU-Net", train: plan.train, evaluation: plan.evaluation, tensors: plan.initialTensors(seed: 1),
            inputs: try inputs(plan.train))
    }

    /// Values between 0 and 1 for images, whole ones for masks.
    private static func inputs(_ graph: Graph) throws -> [String: Tensor] {
        var inputs: [String: Tensor] = [:]
        for binding in graph.inputs {
            let shape = graph.values[binding.value].shape.map { $0.size(batch: 2) }
            let values = (0..<shape.reduce(1, *)).map { Float($0 % 7) / 6 }
            inputs[binding.name] = try Tensor(
                shape: shape, values: binding.name == "image" ? values : values.map { $0.rounded() })
        }
        return inputs
    }

    /// The loops that the other networks have not, on values large enough for all threads.
    private static func loops() throws -> SteadyNetwork {
        var sketch = NetworkSketch()
        let image = sketch.input("image", channels: 8, size: 64)
        var x = sketch.apply("silu", [sketch.convolution("stem", image, 8)])
        x = sketch.apply("mul", [x, image])
        x = sketch.apply("add", [x, sketch.apply("softmax", [x], ["axis": 1])])
        x = sketch.apply("sub", [x, sketch.apply("cumsum", [x], ["axis": 1])])
        x = sketch.apply("where", [sketch.apply("gt_scalar", [x], ["scalar": 0]), x, image])
        let line: [Dimension] = [.batch(1), .fixed(1), .fixed(64), .fixed(64)]
        let gate = sketch.apply("sigmoid", [x])
        x = sketch.apply("mul", [x, sketch.node("prod", [gate], line, ["axes": [1], "keepdim": true])])
        x = sketch.apply("div", [x, sketch.node("amax", [gate], line, ["axes": [1], "keepdim": true])])
        let places = sketch.apply("topk_indices", [gate], ["axis": 1, "k": 8])
        x = sketch.apply("gather", [sketch.groupNorm("norm", x, groups: 4), places], ["axis": 1])
        x = sketch.apply("relu", [sketch.batchNorm("fixed", x, training: false)])
        x = sketch.apply("dropout", [x], ["p": 0.25])
        x = sketch.apply("max_pool2d", [x], size: 64, ["kernel": [3, 3], "stride": [1, 1], "padding": [1, 1]])
        x = sketch.enlarge(sketch.apply("avg_pool2d", [x], size: 32, ["kernel": [2, 2]]))
        x = sketch.apply("adaptive_max_pool2d", [x], size: 32, ["output_size": [32, 32]])
        x = sketch.convolution("grouped", x, 8, kernel: 5, groups: 2)
        x = sketch.apply("mul", [x, sketch.node("arange", [], [.fixed(32)], ["size": 32, "step": 0.1])])
        x = attention(&sketch, x)
        let graph = sketch.finish(sketch.convolution("final", x, 1, kernel: 1))
        return SteadyNetwork(
            name: "all loops", train: graph, tensors: try graph.initialTensors(seed: 1), inputs: try inputs(graph))
    }

    /// Channels that attend to channels: two products of matrices.
    private static func attention(_ sketch: inout NetworkSketch, _ x: Int) -> Int {
        let rows: [Dimension] = [.batch(1), .fixed(8), .fixed(1024)]
        let flat = sketch.node("reshape", [x], rows, ["shape": [.batch(1), 8, 1024]])
        let turned = sketch.node("permute", [flat], [.batch(1), .fixed(1024), .fixed(8)], ["axes": [0, 2, 1]])
        let square: [Dimension] = [.batch(1), .fixed(8), .fixed(8)]
        let scores = sketch.node("matmul", [flat, turned], square)
        let weights = sketch.node("softmax", [scores], square, ["axis": 2])
        let mixed = sketch.node("matmul", [weights, flat], rows)
        return sketch.node(
            "reshape", [mixed], [.batch(1), .fixed(8), .fixed(32), .fixed(32)], ["shape": [.batch(1), 8, 32, 32]])
    }
}
