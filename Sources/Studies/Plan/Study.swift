import Datasets
import Endpoints
import Foundation
import Prompts
import ResultStore

/// A model in a study, and how it is asked.
public struct Participant: Sendable, Hashable {
    public enum Source: String, Sendable, Hashable, Codable {
        case endpoint
        /// A person carries prompts and replies.
        case manual
        case recording
    }

    public var card: ModelCard
    /// In place of the card's endpoint; relative to the workspace.
    public var replay: String?
    /// The same by the names of the study's prompts.
    public var replays: [String: String] = [:]
    /// What it writes, in place of the study's targets.
    public var targets: [String]?
    /// Why it cannot be asked now; nil where it can.
    public var obstacle: String?

    public var source: Source {
        if replay != nil || !replays.isEmpty || card.provider == .replay { return .recording }
        return card.provider == .manual ? .manual : .endpoint
    }

    /// The recording that answers a run of a prompt in place of the card's endpoint; nil where the card is asked.
    public func recording(prompt: String?, run: Int) -> String? {
        (prompt.flatMap { replays[$0] } ?? replay).map { Self.recording($0, run: run) }
    }

    /// The recording of a run: `NAME.jsonl`, then `NAME-02.jsonl` and so on, as `generate --record` names them.
    public static func recording(_ name: String, run: Int) -> String {
        guard run > 1 else { return name }
        let url = URL(filePath: name, relativeTo: URL(filePath: "/", directoryHint: .isDirectory))
        let suffix = url.pathExtension.isEmpty ? "" : ".\(url.pathExtension)"
        return name.dropLast(suffix.count) + (run < 10 ? "-0\(run)" : "-\(run)") + suffix
    }
}

/// A dataset of a study with the prompts that ask for it.
public struct StudyDataset: Sendable, Hashable {
    public var name: String
    /// By the name of the prompt, which is nil where a study has one, and by target; empty where the dataset is not there.
    public var prompts: [String?: [String: RenderedPrompt]]
    /// Images to train with; nil where the dataset is not there.
    public var trainingImages: Int?
    /// Why it cannot be used now; nil where it can.
    public var obstacle: String?
}

/// A study whose file was read and whose models, datasets and prompts were looked up.
public struct Study: Sendable {
    public var file: StudyFile
    /// Names the folders of runs and results: the file's name for it, or another that the caller gave.
    public var name: String
    public var participants: [Participant]
    public var datasets: [StudyDataset]
    /// How every model is asked, as far as its endpoint takes it: one prompt, or those that are compared.
    public var prompts: [StudyPrompt] = []
    /// What is not ready on this machine: keys, recordings, datasets. The jobs that need it cannot be done.
    public var settings: [StudyProblem]

    public func participant(_ model: String) -> Participant? { participants.first { $0.card.id == model } }

    public func dataset(_ name: String) -> StudyDataset? { datasets.first { $0.name == name } }

    /// The way of asking that a job names.
    public func studyPrompt(of job: StudyJob) -> StudyPrompt? { prompts.first { $0.name == job.prompt } }

    /// What a job's model is asked; nil where its dataset is not there.
    public func prompt(of job: StudyJob) -> RenderedPrompt? {
        guard let asked = studyPrompt(of: job) else { return nil }
        let card = participant(job.model)?.card
        return dataset(job.dataset)?.prompts[asked.name]?[job.target]?
            .asked(with: card.map(asked.variation.taken) ?? asked.variation)
    }

    /// Where a run of a job lies; nil where its dataset is not there.
    public func runKey(of job: StudyJob) -> RunKey? {
        guard let prompt = prompt(of: job) else { return nil }
        return RunKey(
            study: name, dataset: job.dataset, model: job.model, target: job.target, promptHash: prompt.shortHash,
            index: job.run)
    }

    /// Why a job cannot be done on this machine now.
    public func obstacle(to job: StudyJob) -> String? {
        if let obstacle = dataset(job.dataset)?.obstacle { return obstacle }
        return job.asksModel ? participant(job.model)?.obstacle : nil
    }
}

extension RenderedPrompt {
    /// The prompt that asks for a pipeline of a dataset.
    ///
    /// - Throws: `PromptError`.
    static func pipeline(_ template: PromptTemplate, _ dataset: Dataset) throws(PromptError) -> RenderedPrompt {
        let description = dataset.description
        return try template.render(
            PipelinePromptValues(
                imageKind: description.imageKind, foreground: description.foreground,
                foregroundHint: description.foregroundHint, channels: description.channels,
                maskSuffix: description.maskSuffix, samples: dataset.split.training.count
            ).values)
    }
}
