import ResultStore

/// What a model's card says that groups of models are made from.
public struct ModelTraits: Sendable, Hashable {
    public var vendor: String?
    public var openWeights: Bool?

    public init(vendor: String? = nil, openWeights: Bool? = nil) {
        self.vendor = vendor
        self.openWeights = openWeights
    }
}

/// A way to divide the models, or their runs, into groups that are compared.
public enum CohortQuestion: String, Sendable, Hashable, CaseIterable {
    case year, reasoning, weights, vendor, target, prompt
    /// Models with each other, over their runs.
    case model

    public var title: String {
        switch self {
        case .year: "cohort"
        case .reasoning: "reasoning"
        case .weights: "weights"
        case .vendor: "vendor"
        case .target: "target"
        case .prompt: "prompt"
        case .model: "model"
        }
    }

    /// Whether the groups hold the same models, so that a model is compared with itself.
    var isPaired: Bool { self == .target || self == .prompt }
}

/// The runs of one group.
struct Cohort: Sendable {
    var question: CohortQuestion
    var name: String
    var runs: [StudyEvidence.Run]
}

extension StudyEvidence {
    /// The groups of a question, in the order in which they are compared: later year first, reasoning first, open first, else by name.
    /// Runs of which the answer is not known belong to none.
    func cohorts(_ question: CohortQuestion) -> [Cohort] {
        let groups = Dictionary(grouping: comparableRuns) { group(of: $0, question) }
        let named = groups.compactMap { name, runs in name.map { Cohort(question: question, name: $0, runs: runs) } }
        switch question {
        case .year, .reasoning, .weights: return named.sorted { Self.rank($0.name) > Self.rank($1.name) }
        case .vendor, .target, .prompt, .model: return named.sorted { $0.name < $1.name }
        }
    }

    private func group(of run: Run, _ question: CohortQuestion) -> String? {
        switch question {
        case .year: run.record.cohortYear.map { "\($0)" }
        case .reasoning: run.record.reasoning.map { $0 ? "reasoning" : "non-reasoning" }
        case .weights: traits(of: run).openWeights.map { $0 ? "open" : "closed" }
        case .vendor: traits(of: run).vendor
        case .target: run.record.target
        case .prompt: promptGroup(of: run)
        case .model: run.record.model
        }
    }

    /// A prompt that a study's file names holds its runs on all datasets, of one target; another is known by its hash, a dataset each.
    private func promptGroup(of run: Run) -> String {
        guard let name = run.record.promptName else { return run.record.promptHash }
        return Set(comparableRuns.map(\.record.target)).count > 1 ? "\(name), \(run.record.target)" : name
    }

    /// What the card said when the run was made. Only a run that is older than the store's memory of it has what the card says now.
    func traits(of run: Run) -> ModelTraits {
        guard run.record.vendor == nil else {
            return ModelTraits(vendor: run.record.vendor, openWeights: run.record.openWeights)
        }
        return currentCards[run.record.model] ?? ModelTraits()
    }

    /// A sentence where groups rest on cards as they are now; nil where the store knows every card as it was.
    var currentCardsNote: String? {
        let older = comparableRuns.filter { $0.record.vendor == nil && currentCards[$0.record.model] != nil }
        guard !older.isEmpty else { return nil }
        let models = Set(older.map(\.record.model)).count
        return
            "Vendor and weights of \(older.count) run\(older.count == 1 ? "" : "s") of \(models) model\(models == 1 ? "" : "s") are what models.yaml says now: "
            + "they were made before the store kept what it said then."
    }

    /// Years by their number; reasoning before non-reasoning, open before closed.
    private static func rank(_ name: String) -> Int {
        Int(name) ?? (["reasoning", "open"].contains(name) ? 1 : 0)
    }
}
