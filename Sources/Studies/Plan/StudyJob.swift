import Diagnosis
import ResultStore

/// One step of a study, done once.
public struct StudyJob: Sendable, Hashable, Codable, Identifiable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case generate, capture, train, evaluate, parity
        /// Versions of a program that ran: asked for, trained and scored.
        case refine
        /// nnU-Net on a dataset, from plan to score.
        case baseline
    }

    public var kind: Kind
    /// The id of a model card; `nnunet` for a baseline.
    public var model: String
    public var dataset: String
    /// The engine of a baseline.
    public var target: String
    /// The name of the prompt, where a study compares several.
    public var prompt: String?
    /// Counts from 1.
    public var run: Int
    /// nil for `generate`.
    public var seed: Int?
    /// For `train`, `evaluate` and `refine`.
    public var engine: TrainingRecord.Engine?

    /// `KIND/MODEL/DATASET/TARGET/RUN`, with `PROMPT/` before the run where there are several, and with `/seed-N` or `/ENGINE-N`: the
    /// same in every process.
    public var id: String {
        let run = "\(kind.rawValue)/\(model)/\(dataset)/\(target)/\(prompt.map { "\($0)/" } ?? "")\(run)"
        guard let seed else { return run }
        return "\(run)/\(engine?.rawValue ?? "seed")-\(seed)"
    }

    /// Whether its model is asked for something.
    var asksModel: Bool { kind == .generate || kind == .refine }

    /// Whether other engines can train what the pipeline trains; otherwise it is measured by running it, whichever engines a study
    /// names.
    var isCaptured: Bool { PipelineTarget(rawValue: target)?.isCaptured ?? true }

    /// For people; `id` is for commands.
    public var description: String {
        let seed = seed.map { ", seed \($0)" } ?? ""
        return switch kind {
        case .generate: "generate \(subject), \(dataset)"
        case .capture: "capture \(subject), \(dataset)\(seed)"
        case .train: "train \(subject), \(dataset), \(engine?.rawValue ?? "")\(seed)"
        case .evaluate: "evaluate \(subject), \(dataset), \(engine?.rawValue ?? "")\(seed)"
        case .baseline: "train and score nnU-Net (\(target)), \(dataset)\(seed)"
        case .refine: "refine \(subject), \(dataset), \(engine?.rawValue ?? "")\(seed)"
        case .parity: "compare \(subject), \(dataset), with PyTorch\(seed)"
        }
    }

    /// The conversation that it belongs to, for people: "gpt-4o, prompt brief run 2".
    public var subject: String {
        let asked = prompt.map { "\(model), prompt \($0)" } ?? model
        return run > 1 ? "\(asked) run \(run)" : asked
    }

    func with(_ kind: Kind, seed: Int? = nil, engine: TrainingRecord.Engine? = nil) -> StudyJob {
        var job = self
        (job.kind, job.seed, job.engine) = (kind, seed, engine)
        return job
    }
}

/// A job with what it waits for and what it will take.
public struct PlannedJob: Sendable, Hashable {
    public var job: StudyJob
    /// Ids of jobs.
    public var needs: [String]
    public var estimate: JobEstimate
}

/// The jobs of a study in the order in which they are begun: each run from prompt to score, the first run of all models by
/// all prompts before the second of any.
public struct StudyPlan: Sendable {
    public var study: Study
    public var jobs: [PlannedJob]

    /// - Parameter estimates: what jobs take.
    public init(_ study: Study, estimates: StudyEstimates) {
        self.study = study
        jobs = []
        let file = study.file
        for run in 1...file.runs {
            for dataset in study.datasets {
                for target in file.allTargets.map(\.value) {
                    for participant in study.participants
                    where (participant.targets ?? file.targets.map(\.value)).contains(target) {
                        for prompt in study.prompts(for: participant, dataset, target) {
                            let generate = StudyJob(
                                kind: .generate, model: participant.card.id, dataset: dataset.name, target: target,
                                prompt: prompt.name, run: run)
                            add(generate, needs: [], estimates)
                            addTrainings(of: generate, file, estimates)
                        }
                    }
                }
            }
        }
        // After everything that talks to an endpoint: hours on one processor.
        for seed in file.baseline?.seeds ?? [] {
            for dataset in study.datasets {
                let engine = file.baseline?.engine.rawValue ?? ""
                let job = StudyJob(
                    kind: .baseline, model: "nnunet", dataset: dataset.name, target: engine, run: 1, seed: seed)
                add(job, needs: [], estimates)
            }
        }
    }

    private mutating func addTrainings(of generate: StudyJob, _ file: StudyFile, _ estimates: StudyEstimates) {
        guard generate.isCaptured else {
            for seed in file.seeds {
                let train = generate.with(.train, seed: seed, engine: .emitted)
                add(train, needs: [generate.id], estimates)
                add(generate.with(.evaluate, seed: seed, engine: .emitted), needs: [train.id], estimates)
            }
            addRefinement(of: generate, file, estimates)
            return
        }
        for seed in file.seeds {
            let capture = generate.with(.capture, seed: seed)
            add(capture, needs: [generate.id], estimates)
            for engine in file.engines {
                let train = generate.with(.train, seed: seed, engine: engine)
                add(train, needs: [capture.id], estimates)
                add(generate.with(.evaluate, seed: seed, engine: engine), needs: [train.id], estimates)
            }
            if file.paritySteps > 0, seed == file.seeds.first {
                add(generate.with(.parity, seed: seed), needs: [capture.id], estimates)
            }
        }
        addRefinement(of: generate, file, estimates)
    }

    /// After its program's own score, which is that of version 0.
    private mutating func addRefinement(of generate: StudyJob, _ file: StudyFile, _ estimates: StudyEstimates) {
        guard file.refine > 0, let seed = file.seeds.first else { return }
        let engine = file.refineEngine(of: generate.target)
        let score = generate.with(.evaluate, seed: seed, engine: engine).id
        let needs = jobs.contains { $0.job.id == score } ? score : generate.with(.capture, seed: seed).id
        add(generate.with(.refine, seed: seed, engine: engine), needs: [needs], estimates)
    }

    private mutating func add(_ job: StudyJob, needs: [String], _ estimates: StudyEstimates) {
        jobs.append(PlannedJob(job: job, needs: needs, estimate: estimates.estimate(job)))
    }

    public func job(_ id: String) -> PlannedJob? { jobs.first { $0.job.id == id } }
}
