extension GraphSession {
    /// What training takes when all of these are compiled and every parameter has had an optimizer step.
    ///
    /// - Parameters:
    ///   - train: batch sizes of the train graph; the last batch of an epoch may be smaller than the others.
    ///   - evaluation: batch sizes of the evaluation graph.
    ///   - optimizer: what moves the parameters; its state counts.
    ///
    /// Allocates nothing; costs a compilation each. Throws what `CompiledGraph.init` throws.
    public func memory(train: [Int], evaluation: [Int] = [], optimizer: Optimizer? = nil) throws -> MemoryRequirement {
        var sum = optimizer?.memory(parameters) ?? MemoryRequirement()
        for (graph, batches) in [(self.train, train), (self.evaluation, evaluation)] {
            for batch in Set(batches).sorted() {
                guard let graph else { throw RuntimeError.malformedGraph("the session has no graph for this") }
                sum = sum + (try plan(graph, batch))
            }
        }
        (sum.parameters, sum.gradients) = (parameters.valueBytes, parameters.gradientBytes)
        return sum
    }

    /// Refuses a training that would not fit before it begins, instead of being killed in its tenth hour.
    ///
    /// Holds `memory(train:evaluation:optimizer:)` against the budget of the options, or what of it is not allocated yet against
    /// what the system has available.
    ///
    /// - Parameters:
    ///   - train: batch sizes of the train graph.
    ///   - evaluation: batch sizes of the evaluation graph.
    ///   - optimizer: what moves the parameters; its state counts.
    ///   - beside: bytes that the caller will take at the same time.
    ///
    /// Throws `RuntimeError.insufficientMemory` with both numbers and the largest batch size that fits.
    public func requireMemory(
        train: [Int], evaluation: [Int] = [], optimizer: Optimizer? = nil, beside: Int = 0
    ) throws {
        let held = parameters.valueBytes + parameters.gradientBytes + (optimizer?.heldBytes ?? 0)
        func require(_ train: [Int]) throws {
            let needed = try memory(train: train, evaluation: evaluation, optimizer: optimizer).total + beside
            let compiled = compiled.filter {
                ($0.kind == .train ? train : evaluation).contains($0.batch)
            }.reduce(0) { $0 + $1.graph.memory.graph }
            try budget.require(needed, held: held + compiled, batch: train.max() ?? evaluation.max() ?? 0)
        }
        try MemoryBudget.advising(batch: train.max() ?? 0, plan: { try require([$0]) }, { try require(train) })
    }
}

extension Optimizer {
    /// What the optimizer keeps once every parameter has had a step.
    public func memory(_ store: ParameterStore) -> MemoryRequirement {
        var requirement = MemoryRequirement()
        for (group, rule) in zip(groups, rules) {
            for name in group.parameters {
                let count = max(1, store.parameters[name]?.count ?? 0)
                requirement.optimizerState += (rule.stateNames.count * count + rule.scalarNames.count) * 4
            }
        }
        return requirement
    }

    /// Bytes that the state takes now.
    var heldBytes: Int { states.values.reduce(0) { $0 + $1.bytes } }
}
