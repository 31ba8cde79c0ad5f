import Foundation
import ResultStore

/// What a job is expected to take. An estimate, never a promise.
public struct JobEstimate: Sendable, Hashable, Codable {
    public var seconds: Double
    /// US dollars; nil where nothing is asked of a paid endpoint or its price is not known.
    public var cost: Double?
    /// Whether a model is asked whose price is not known.
    public var costIsUnknown = false
    /// Whether the seconds are a mean of what the study's store measured; a stated rough number otherwise.
    public var isMeasured: Bool

    public init(seconds: Double, cost: Double? = nil, isMeasured: Bool = false) {
        self.seconds = seconds
        self.cost = cost
        self.isMeasured = isMeasured
    }
}

/// Expected times and costs: measured means where the study's store has any, stated assumptions otherwise.
public struct StudyEstimates: Sendable {
    /// Rough numbers for a study that has measured nothing yet. `basis` says each of them.
    public enum Assumed {
        /// Requests a run: 0.6 errors a run in twenty published repeats of two models (MELBA 2026,
        /// doi 10.59275/j.melba.2026-9369, tables 4 and 5), and the first reply.
        public static let requests = 1.6
        /// Tokens of a reply of four files, at four bytes a token; the hand-written ones here have 2000 to 3000.
        public static let replyTokens = 4000.0
        /// Tokens of reasoning, where the card says that a model reasons.
        public static let reasoningTokens = 8000.0
        /// Tokens of an error that is sent back.
        public static let feedbackTokens = 500.0
        public static let requestSeconds = 60.0
        public static let reasoningSeconds = 120.0
        public static let checkSeconds = 60.0
        public static let captureSeconds = 15.0
        /// An image of 256×256 through a U-Net that begins with 32 channels, forward and backward: between the 0.8 and 9 µs a pixel
        /// of 16 and 64 channels (Documentation/Performance.md, two cores).
        public static let imageSeconds = 0.2
        /// How much longer the emitted code takes: PyTorch's ratio of the same document.
        public static let emittedFactor = 2.7
        /// Where a dataset is not there yet.
        public static let trainingImages = 200
        /// Epochs where each pipeline chooses its own.
        public static let epochs = 20.0
        public static let evaluationSeconds = 5.0
        public static let paritySeconds = 30.0
        /// A training step of nnU-Net on two processors at its smaller patches.
        public static let baselineStepSeconds = 1.0
    }

    /// Mean and number of what was measured.
    struct Mean: Sendable, Hashable {
        private(set) var sum = 0.0
        private(set) var count = 0
        var value: Double? { count > 0 ? sum / Double(count) : nil }

        mutating func add(_ value: Double) {
            sum += value
            count += 1
        }
    }

    private let study: Study
    /// By kind, with the engine for trainings and the model for conversations.
    private var seconds: [String: Mean] = [:]
    /// US dollars of a run that ended, by model.
    private var costs: [String: Mean] = [:]

    /// - Parameter store: the study's; nil before it began.
    /// - Throws: `StoreError`. Cost: one pass over the runs.
    public init(_ study: Study, store: ResultStore?) throws {
        self.study = study
        guard let store else { return }
        for run in try store.runs() where run.study == study.name {
            guard let id = run.id else { continue }
            if run.status.isEnd {
                let totals = try store.totals(run: id)
                let checks = try store.rounds(run: id).compactMap(\.checkSeconds).reduce(0, +)
                seconds["generate/\(run.model)", default: Mean()].add(totals.seconds + checks)
                if let cost = totals.cost { costs[run.model, default: Mean()].add(cost) }
            }
            for capture in try store.captures(run: id) {
                if let time = capture.seconds { seconds["capture", default: Mean()].add(time) }
            }
            for training in try store.trainings(run: id) where training.status != .running {
                guard let time = training.seconds else { continue }
                seconds["train/\(training.engine.rawValue)", default: Mean()].add(time)
            }
        }
        for baseline in try store.baselines() where baseline.status == .evaluated {
            if let time = baseline.seconds {
                seconds["baseline/\(baseline.engine.rawValue)/\(baseline.budget)", default: Mean()].add(time)
            }
        }
        for job in try store.jobs() where job.state == .done && ["evaluate", "parity", "refine"].contains(job.kind) {
            if let time = job.seconds { seconds[job.kind, default: Mean()].add(time) }
        }
    }

    public func estimate(_ job: StudyJob) -> JobEstimate {
        let key =
            switch job.kind {
            case .generate: "generate/\(study.participant(job.model)?.card.slug ?? job.model)"
            case .train: "train/\(job.engine?.rawValue ?? "")"
            case .baseline: "baseline/\(job.target)/\(study.file.baselineBudget?.key ?? "")"
            case .capture, .evaluate, .parity, .refine: job.kind.rawValue
            }
        let measured = seconds[key]?.value
        var estimate = JobEstimate(seconds: measured ?? assumedSeconds(job), isMeasured: measured != nil)
        if job.asksModel, let participant = study.participant(job.model), participant.source == .endpoint {
            estimate.cost =
                job.kind == .refine
                ? assumedRefinementCost(job, participant)
                : costs[participant.card.slug]?.value ?? assumedCost(job, participant)
            estimate.costIsUnknown = estimate.cost == nil
        }
        return estimate
    }

    private func assumedSeconds(_ job: StudyJob) -> Double {
        switch job.kind {
        case .generate: return Assumed.requests * assumedRoundSeconds(job)
        case .refine:
            let training = assumedSeconds(job.with(.train, seed: job.seed, engine: job.engine))
            let version = assumedRoundSeconds(job) + Assumed.captureSeconds + training + Assumed.evaluationSeconds
            return Double(study.file.refine) * version
        case .capture: return Assumed.captureSeconds
        case .train:
            let images = study.dataset(job.dataset)?.trainingImages ?? Assumed.trainingImages
            let epochs = study.file.epochs.map(Double.init) ?? Assumed.epochs
            return epochs * Double(images) * Assumed.imageSeconds * (job.engine == .swift ? 1 : Assumed.emittedFactor)
        case .evaluate: return Assumed.evaluationSeconds
        case .parity: return Assumed.paritySeconds
        case .baseline:
            guard let budget = study.file.baselineBudget else { return 0 }
            return budget.seconds ?? Assumed.baselineStepSeconds * Double((budget.epochs ?? 0) * budget.iterations)
        }
    }

    /// A reply and its check run.
    private func assumedRoundSeconds(_ job: StudyJob) -> Double {
        let participant = study.participant(job.model)
        var reply = Assumed.requestSeconds
        if participant?.card.reasoning == true { reply += Assumed.reasoningSeconds }
        if participant?.source == .recording { reply = 0 }
        return reply + Assumed.checkSeconds
    }

    /// One request a version, each with the conversation so far: version j of K sends p + (o + f) (r + j − 1) tokens, where the
    /// run took r requests.
    private func assumedRefinementCost(_ job: StudyJob, _ participant: Participant) -> Double? {
        guard let price = participant.card.price else { return nil }
        let prompt = Double((study.prompt(of: job)?.text ?? "").utf8.count) / 4
        let (versions, requests) = (Double(study.file.refine), Assumed.requests)
        let earlier = versions * requests + versions * (versions - 1) / 2
        let input = versions * prompt + (Assumed.replyTokens + Assumed.feedbackTokens) * earlier
        let reasoning = participant.card.reasoning == true ? Assumed.reasoningTokens : 0
        let output = versions * (Assumed.replyTokens + reasoning)
        return (input * price.inputPerMillion + output * price.outputPerMillion) / 1e6
    }

    /// Every request sends the conversation so far: over r requests of a prompt p, replies o and errors f that is
    /// r p + (o + f) r (r − 1) / 2 tokens in and r (o + reasoning) out.
    private func assumedCost(_ job: StudyJob, _ participant: Participant) -> Double? {
        guard let price = participant.card.price else { return nil }
        let text = study.prompt(of: job)?.text ?? ""
        let (prompt, requests) = (Double(text.utf8.count) / 4, Assumed.requests)
        let input =
            requests * prompt
            + (Assumed.replyTokens + Assumed.feedbackTokens) * requests * (requests - 1) / 2
        let reasoning = participant.card.reasoning == true ? Assumed.reasoningTokens : 0
        let output = requests * (Assumed.replyTokens + reasoning)
        return (input * price.inputPerMillion + output * price.outputPerMillion) / 1e6
    }

    /// What one request is expected to cost: the conversation as it is sent, and an assumed reply. In US dollars; nil where nothing is
    /// paid or the price is not known.
    ///
    /// - Parameter tokens: of the conversation.
    static func requestCost(_ tokens: Int, of participant: Participant) -> Double? {
        guard participant.source == .endpoint, let price = participant.card.price else { return nil }
        let reply = Assumed.replyTokens + (participant.card.reasoning == true ? Assumed.reasoningTokens : 0)
        let output = min(reply, participant.card.maximumOutputTokens.map(Double.init) ?? reply)
        return (Double(tokens) * price.inputPerMillion + output * price.outputPerMillion) / 1e6
    }

    /// What the numbers rest on, a sentence each.
    public var basis: [String] {
        var lines: [String] = []
        let measured = seconds.filter { $0.value.count > 0 }.sorted { $0.key < $1.key }
        if !measured.isEmpty {
            let parts = measured.map { "\($0.key) \(Self.short($0.value.value ?? 0)) s (n = \($0.value.count))" }
            lines.append("Measured in this study's store: \(parts.joined(separator: ", ")).")
        }
        let epochs = study.file.epochs.map { "\($0)" } ?? "\(Int(Assumed.epochs)) (each pipeline will choose its own)"
        lines.append(
            "Assumed where nothing was measured: \(Assumed.requests) requests a run (0.6 errors a run in 20 published repeats, "
                + "MELBA 2026), a reply of \(Int(Assumed.replyTokens)) tokens in \(Int(Assumed.requestSeconds)) s, "
                + "\(Int(Assumed.reasoningTokens)) tokens and \(Int(Assumed.reasoningSeconds)) s more where a model reasons, "
                + "\(Int(Assumed.feedbackTokens)) tokens an error, \(Int(Assumed.checkSeconds)) s a check run, "
                + "\(Int(Assumed.captureSeconds)) s a capture, \(Assumed.imageSeconds) s an image and epoch, \(Assumed.emittedFactor) "
                + "times that in PyTorch, and epochs: \(epochs).")
        if study.file.refine > 0 {
            lines.append("Assumed of versions: all \(study.file.refine) are asked for, with one request each.")
        }
        if study.file.baseline != nil {
            lines.append("Assumed of nnU-Net: \(Int(Assumed.baselineStepSeconds)) s a training step.")
        }
        lines.append("Prices are those of models.yaml. All of this is an estimate; the store has what it really took.")
        return lines
    }

    private static func short(_ value: Double) -> String {
        value < 10 ? "\((value * 10).rounded() / 10)" : "\(Int(value.rounded()))"
    }
}
