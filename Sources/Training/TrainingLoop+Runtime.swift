import TensorRuntime

extension TrainingLoop {
    /// - Throws: `RuntimeError.invalidOptimizer`.
    func makeOptimizer(_ parameters: ParameterStore) throws -> Optimizer {
        guard let optimizer else { throw TrainingError.notCapturable(reasons: ["no optimizer was seen"]) }
        let known = Set(parameters.parameterNames)
        let groups = try optimizer.groups.map { settings in
            var settings = settings
            guard case .list(let items)? = settings.removeValue(forKey: "parameters") else {
                throw TrainingError.badCapture(file: "pipeline.json", reason: "an optimizer group names no parameters")
            }
            // Parameters that the loss does not depend on never have a gradient, and the graph leaves them out.
            let names = items.compactMap { if case .string(let name) = $0, known.contains(name) { name } else { nil } }
            return Optimizer.Group(rule: try OptimizerRule(name: optimizer.name, settings: settings), parameters: names)
        }
        return try Optimizer(groups: groups, parameters: parameters)
    }

    /// The scheduler and when it steps: `batch`, `epoch`, `metric:…`, or `never`.
    func makeScheduler(_ optimizer: Optimizer) throws -> (Scheduler?, String) {
        guard var settings = scheduler else { return (nil, "never") }
        guard case .string(let name)? = settings.removeValue(forKey: "name"),
            case .string(let when)? = settings.removeValue(forKey: "when"),
            ["batch", "epoch"].contains(when) || (when.hasPrefix("metric:") && measures(String(when.dropFirst(7))))
        else {
            throw TrainingError.notCapturable(reasons: ["when its scheduler steps is not known"])
        }
        return (try Scheduler(name: name, settings: settings, optimizer: optimizer), when)
    }

    func makeClipping() throws -> PipelineClipping? {
        guard let clip = gradientClip else { return nil }
        guard let maximum = Self.number(clip.max) else {
            throw TrainingError.badCapture(
                file: "pipeline.json", reason: "the bound of its gradient clipping is no number")
        }
        switch clip.kind {
        case "norm": return .whole(.norm(maximum: maximum, type: clip.normType.flatMap(Self.number) ?? 2))
        case "value": return .whole(.value(maximum: maximum))
        case "norm_each":
            guard maximum > 0 else {
                throw TrainingError.badCapture(
                    file: "pipeline.json", reason: "gradients cannot be clipped to a norm of \(maximum)")
            }
            return .each(maximum: maximum)
        default: throw TrainingError.notCapturable(reasons: ["it clips gradients by '\(clip.kind)'"])
        }
    }

    private static func number(_ value: AttributeValue) -> Double? {
        switch value {
        case .number(let number): number
        case .string("inf"): .infinity
        default: nil
        }
    }
}

/// How a pipeline bounds its gradients before a step.
enum PipelineClipping: Equatable {
    /// All of them together, or element by element.
    case whole(GradientClipping)
    /// Each parameter's own, scaled so that its norm is at most `maximum`: Keras' `clipnorm`.
    case each(maximum: Double)

    /// - Throws: `RuntimeError`.
    func apply(to store: ParameterStore) throws {
        switch self {
        case .whole(let clipping): try clipping.apply(to: store)
        case .each(let maximum):
            for name in store.parameterNames {
                guard let gradient = try store.gradient(name) else { continue }
                let norm = gradient.values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
                // As Keras': a norm that is no number leaves no gradient one.
                guard !(norm <= maximum) else { continue }
                let factor = Float(maximum / norm)
                try store.setGradient(
                    name, to: Tensor(shape: gradient.shape, values: gradient.values.map { $0 * factor }))
            }
        }
    }
}

extension CapturedPipeline {
    /// The batches of the training part.
    public func order(seed: Int) -> BatchOrder {
        BatchOrder(
            samples: training.count, batchSize: min(loop.batchSize ?? 1, max(1, training.count)),
            dropLast: (loop.dropLast ?? false) && training.count >= loop.batchSize ?? 1, shuffle: loop.shuffle ?? true,
            seed: seed)
    }
}

extension Graph {
    /// For every random mask the tensor that lets everything pass; `bernoulli` masks become their expectation, which the division
    /// behind them turns into one.
    func masksThatKeepEverything(batch: Int) throws -> [Int: Tensor] {
        let shapes = Dictionary(uniqueKeysWithValues: values.map { ($0.id, $0.shape) })
        var masks: [Int: Tensor] = [:]
        for node in nodes where node.op == "bernoulli" || node.op == "dropout" {
            guard let output = node.outputs.first else { continue }
            var value: Float = 1
            if case .number(let p)? = node.attributes["p"] { value = Float(node.op == "dropout" ? 1 - p : p) }
            masks[output] = try Tensor(
                shape: (shapes[output] ?? []).map { $0.size(batch: batch) }, repeating: value)
        }
        return masks
    }
}
