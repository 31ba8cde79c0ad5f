import TensorRuntime

extension Graph {
    /// The training graph as the model computes it in evaluation mode: what validation loss is measured with.
    ///
    /// Batch normalisation uses its running statistics where it keeps any, dropout lets everything pass, and a recorded dropout
    /// mask becomes its expectation, which the scaling behind it turns into one. What the loss itself does is unchanged.
    public var inEvaluationMode: Graph {
        var graph = self
        graph.nodes = nodes.map { node in
            var node = node
            switch node.op {
            case "batch_norm" where node.inputs.count >= 5 && node.inputs[3] != nil && node.inputs[4] != nil:
                node.attributes["training"] = false
            case "dropout":
                node.op = "identity"
                node.attributes = [:]
            case "bernoulli" where node.attributes["role"] == .string("dropout"):
                node.op = "full"
                node.attributes = [
                    "shape": node.attributes["shape"] ?? .list([]), "value": node.attributes["p"] ?? 1,
                ]
            default: break
            }
            return node
        }
        return graph
    }
}

extension Graph {
    /// The loss in evaluation mode as a graph that is only ever evaluated: compiling it takes no memory for gradients.
    var evaluatedLoss: Graph {
        var graph = inEvaluationMode
        graph.kind = .evaluation
        graph.outputs = GraphOutputs(probability: outputs.loss)
        graph.threshold = Threshold(value: 0.5, comparison: .greater)
        return graph
    }
}
