import Baselines
import Diagnosis
import Endpoints
import Foundation
import ResultStore

/// A study as its file states it, before models and datasets are looked up. Documentation/Studies.md explains every key.
public struct StudyFile: Sendable, Hashable {
    /// One entry of `models`: all that it names must hold for a card to be picked.
    public struct Selection: Sendable, Hashable {
        public var card: String?
        public var cohort: Int?
        public var tag: String?
        public var vendor: String?
        public var openWeights: Bool?
        public var reasoning: Bool?
        /// A recording to answer from, relative to the workspace; run 2 takes `NAME-02.jsonl`, as `generate --record` writes it.
        public var replay: String?
        /// The same by the names of the study's prompts, in place of `replay`.
        public var replays: [String: Named<String>] = [:]
        /// Another way of asking than the card's.
        public var provider: ModelCard.Provider?
        /// What these models write, in place of the study's targets.
        public var targets: [Named<String>]?
        public var line: Int

        public init(card: String? = nil, line: Int = 1) {
            self.card = card
            self.line = line
        }

        /// Whether a card is picked.
        public func picks(_ candidate: ModelCard) -> Bool {
            (card == nil || card == candidate.id) && (cohort == nil || cohort == candidate.cohort)
                && (tag.map(candidate.tags.contains) ?? true) && (vendor == nil || vendor == candidate.vendor)
                && (openWeights == nil || openWeights == candidate.openWeights)
                && (reasoning == nil || reasoning == candidate.reasoning)
        }
    }

    /// Something named in the file, with its line.
    public struct Named<Value: Sendable & Hashable>: Sendable, Hashable {
        public var value: Value
        public var line: Int

        public init(_ value: Value, line: Int = 1) {
            self.value = value
            self.line = line
        }
    }

    /// nnU-Net on every dataset of the study.
    public struct Baseline: Sendable, Hashable, Codable {
        public var engine = BaselineRecord.Engine.nnunetv2
        /// nil: as many as every pipeline trains, and 50 where each chooses for itself.
        public var epochs: Int?
        /// Training steps an epoch.
        public var iterations = 250
        /// Limits the time in place of the epochs.
        public var minutes: Int?
        public var seeds = [0]

        public init() {}
    }

    /// What a report compares, and how.
    public struct Statistics: Sendable, Hashable, Codable {
        public enum Comparison: String, Sendable, Hashable, Codable, CaseIterable {
            case cohort, reasoning, vendor, open, target, prompt, model
        }

        public enum Alternative: String, Sendable, Hashable, Codable, CaseIterable {
            case twoSided = "two-sided"
            case less, greater
        }

        public enum Correction: String, Sendable, Hashable, Codable, CaseIterable {
            case none, holm, bonferroni
            case benjaminiHochberg = "benjamini-hochberg"
        }

        public var compare: [Comparison] = []
        public var alternative = Alternative.twoSided
        public var correction = Correction.holm
        /// Of resampling.
        public var seed = 20

        public init() {}
    }

    /// What a study may cost; nil where there is no limit.
    public struct Budget: Sendable, Hashable, Codable {
        /// US dollars, the currency of the model cards.
        public var money: Double?
        /// Hours in which a `study run` works, all of them together.
        public var hours: Double?

        public init(money: Double? = nil, hours: Double? = nil) {
            self.money = money
            self.hours = hours
        }
    }

    /// What may go on at the same time.
    public struct Parallel: Sendable, Hashable, Codable {
        /// Conversations.
        public var requests = 4
        /// To one endpoint; nil leaves it to the endpoint, whose `Retry-After` is obeyed.
        public var requestsPerMinute: Int?
        /// Check runs, captures, trainings and evaluations, one a core-hungry process; nil: one for every four cores.
        public var cpuJobs: Int?
        /// Of one training or sandboxed program; nil: the cores shared out where several jobs run, all of them otherwise.
        public var threads: Int?

        public init() {}

        public func cpuJobs(cores: Int) -> Int { cpuJobs ?? max(1, cores / 4) }

        public func threads(cores: Int) -> Int? {
            let jobs = cpuJobs(cores: cores)
            return threads ?? (jobs > 1 ? max(1, cores / jobs) : nil)
        }
    }

    /// The file, as it was named.
    public var file: String
    public var sha256: String
    public var text: String
    /// Names the folders of runs and results.
    public var name: String
    public var title: String
    public var models: [Selection]
    public var datasets: [Named<String>]
    public var targets: [Named<String>]
    /// Independent runs of each model.
    public var runs: Int
    /// The ways of asking that are compared; empty where there is one, which `prompt` to `samplingSeed` state.
    public var prompts: [Prompt] = []
    /// The first digits of the prompt template's SHA-256; nil takes the template as it is.
    public var prompt: Named<String>?
    /// A file whose text is the system's message, relative to the workspace; nil for none.
    public var system: Named<String>?
    /// Of sampling, where an endpoint takes it; nil leaves it to the endpoints.
    public var temperature: Double?
    /// As `temperature`; run 2 takes the next number.
    public var samplingSeed: Int?
    public var maxRounds: Int
    public var loopAfter: Int
    /// How many better versions of a program that ran are asked for at most; 0 for none.
    public var refine = 0
    /// What trains the versions; nil: ours where the target can be captured.
    public var refineEngine: TrainingRecord.Engine?
    /// nil leaves the choice to each pipeline.
    public var epochs: Int?
    public var engines: [TrainingRecord.Engine]
    public var seeds: [Int]
    /// Steps over which the runtime's losses are compared with PyTorch's; 0 for no comparison.
    public var paritySteps: Int
    /// nil for none.
    public var baseline: Baseline?
    public var statistics: Statistics
    public var budget: Budget
    public var parallel: Parallel

    /// What the baseline may compute; nil where the study has none.
    public var baselineBudget: BaselineBudget? {
        baseline.map { wanted in
            BaselineBudget(
                wanted.minutes.map { .seconds(Double($0) * 60) } ?? .epochs(wanted.epochs ?? epochs ?? 50),
                iterations: wanted.iterations)
        }
    }

    /// What trains the versions of a target's programs.
    public func refineEngine(of target: String) -> TrainingRecord.Engine {
        PipelineTarget(rawValue: target)?.isCaptured == false ? .emitted : refineEngine ?? .swift
    }

    /// The study's targets and those of single entries, each once.
    public var allTargets: [Named<String>] {
        var seen: Set<String> = []
        return (targets + models.flatMap { $0.targets ?? [] }).filter { seen.insert($0.value).inserted }
    }

    /// What this version can make code for.
    public static let knownTargets = PipelineTarget.allCases.map(\.rawValue)

    /// A file of the defaults; what has none is empty.
    public init(file: String, text: String = "", sha256: String = "") {
        self.file = file
        self.text = text
        self.sha256 = sha256
        name = ""
        title = ""
        models = []
        datasets = []
        targets = [Named("pytorch")]
        runs = 1
        maxRounds = 20
        loopAfter = 3
        engines = [.swift, .emitted]
        seeds = [0]
        paritySteps = 20
        statistics = Statistics()
        budget = Budget()
        parallel = Parallel()
    }

    /// Characters of a study's name.
    public static let longestName = 64

    /// Whether a text can name a study's folders.
    public static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.count <= longestName && !text.hasPrefix(".")
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    }
}
