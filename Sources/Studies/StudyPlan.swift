import ResultStore

/// What a study consists of: models on one dataset, each taken through generation, capture, training and evaluation.
public struct StudyPlan: Sendable, Hashable {
    public var study: String
    public var dataset: String
    /// Ids of model cards.
    public var models: [String]
    public var target: String
    public var engines: [TrainingRecord.Engine]
    /// Each engine trains from each of them.
    public var seeds: [Int]
    public var maxRounds: Int
    public var loopAfter: Int
    /// Steps over which the runtime's losses are compared with PyTorch's; 0 for no comparison.
    public var paritySteps: Int

    public init(
        study: String, dataset: String, models: [String], target: String = "pytorch",
        engines: [TrainingRecord.Engine] = [.swift, .emitted], seeds: [Int] = [0], maxRounds: Int = 20,
        loopAfter: Int = 3,
        paritySteps: Int = 20
    ) {
        self.study = study
        self.dataset = dataset
        self.models = models
        self.target = target
        self.engines = engines
        self.seeds = seeds
        self.maxRounds = maxRounds
        self.loopAfter = loopAfter
        self.paritySteps = paritySteps
    }

    /// The demo: the embedded default dataset, the hand-written conversations, both engines.
    public static func demo(study: String = "demo", seeds: [Int] = [0]) -> StudyPlan {
        StudyPlan(
            study: study, dataset: "colin27-cerebellum",
            models: ["fixture-steady", "fixture-three-rounds", "fixture-loop", "fixture-never", "fixture-flatline"],
            seeds: seeds,
            maxRounds: 6)
    }
}

/// One step of a plan, done once.
public enum StudyJob: Sendable, Hashable, CustomStringConvertible {
    case generate(model: String)
    case capture(model: String, seed: Int)
    case train(model: String, engine: TrainingRecord.Engine, seed: Int)
    case parity(model: String, steps: Int)

    public var description: String {
        switch self {
        case .generate(let model): "generate \(model)"
        case .capture(let model, let seed): "capture \(model), seed \(seed)"
        case .train(let model, let engine, let seed): "train \(model), \(engine.rawValue), seed \(seed)"
        case .parity(let model, let steps): "compare \(model) with PyTorch over \(steps) steps"
        }
    }
}
