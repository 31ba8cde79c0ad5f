import TensorRuntime
import Testing

@testable import Training

@Suite("A training graph in evaluation mode")
struct EvaluationModeTests {
    /// loss = mean(mask of p 0.8, drawn, times x, divided by 0.8)
    private var graph: Graph {
        let image: [Dimension] = [.batch(1), 1, 4, 4]
        return Graph(
            kind: .train, batch: 2,
            values: [0, 1, 2, 3, 5].map { .init(id: $0, shape: image) } + [.init(id: 4, shape: [])],
            inputs: [.init(value: 0, name: "image")], parameters: [],
            nodes: [
                .init(
                    op: "bernoulli", inputs: [], outputs: [1],
                    attributes: ["shape": .list([.batch(1), 1, 4, 4]), "p": 0.8, "role": "dropout"]),
                .init(op: "mul", inputs: [0, 1], outputs: [2]),
                .init(op: "div_scalar", inputs: [2], outputs: [3], attributes: ["scalar": 0.8]),
                .init(op: "dropout", inputs: [3], outputs: [5], attributes: ["p": 0.5]),
                .init(op: "mean", inputs: [5], outputs: [4], attributes: ["axes": .list([]), "keepdim": false]),
            ], outputs: GraphOutputs(loss: 4))
    }

    @Test("lets everything pass that dropout would hold back")
    func dropout() throws {
        let session = try GraphSession(
            train: graph, evaluation: nil, tensors: [:], options: RuntimeOptions(threads: 1, seed: 1))
        let inputs = ["image": try Tensor(shape: [2, 1, 4, 4], repeating: 3)]
        let evaluated = try CompiledGraph(
            graph: graph.evaluatedLoss, batch: 2, parameters: session.parameters, options: session.options)
        let value = try #require(try evaluated.evaluate(inputs).values.first)
        #expect(abs(value - 3) < 1e-6)
        // Drawn masks give something else.
        #expect(try session.loss(inputs) != value)
        try session.setMasks(graph.masksThatKeepEverything(batch: 2))
        #expect(abs(try session.loss(inputs) - 3) < 1e-5)
    }

    @Test("uses running statistics where batch norm keeps any, and those of the batch where not")
    func batchNorm() {
        var graph = SyntheticCapture.unet.train
        let trained = graph.nodes.filter { $0.op == "batch_norm" }
        #expect(trained.allSatisfy { $0.attributes["training"] == true })
        for node in graph.inEvaluationMode.nodes where node.op == "batch_norm" {
            #expect(node.attributes["training"] == false)
        }
        graph.nodes = graph.nodes.map { node in
            var node = node
            if node.op == "batch_norm" {
                node.inputs[3] = nil
                node.inputs[4] = nil
            }
            return node
        }
        for node in graph.inEvaluationMode.nodes where node.op == "batch_norm" {
            #expect(node.attributes["training"] == true)
        }
    }
}
