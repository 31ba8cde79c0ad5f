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
