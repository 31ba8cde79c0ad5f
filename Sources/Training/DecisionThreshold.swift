import ResultStore
import TensorRuntime

extension TrainingRecord {
    /// How what was trained turns a probability into a yes: as the program said itself, else as its prediction was captured; one half
    /// where neither is known.
    public func decisionThreshold(in directory: RunDirectory) -> Threshold {
        let said = directory.training(engine: engine.rawValue, seed: seed).appending(path: HeldOutRule.file)
        if let rule = try? HeldOutRule(contentsOf: said) { return rule.decision }
        for epochs in [epochs, nil] {
            let file = directory.capture(seed: seed, epochs: epochs).appending(path: "eval-graph.json")
            if let graph = try? Graph(contentsOf: file), let threshold = graph.threshold { return threshold }
        }
        return Threshold(value: 0.5, comparison: .greater)
    }
}
