import Endpoints
import Prompts

/// One way in which a study asks its models.
public struct StudyPrompt: Sendable, Hashable {
    /// Nil in a study that asks in one way.
    public var name: String?
    /// In the study's file.
    public var line: Int
    /// By target; a target is missing whose template cannot be read.
    public var templates: [String: PromptTemplate] = [:]
    public var variation = PromptVariation()

    public init(name: String? = nil, line: Int = 1) {
        self.name = name
        self.line = line
    }
}

/// A prompt that is not asked apart, because it comes to the same as another for a model.
public struct SharedPrompt: Sendable, Hashable {
    public var prompt: String
    /// The prompt whose runs stand for it.
    public var askedAs: String
    public var model: String
    public var target: String
}

extension Study {
    /// What a model is asked by a prompt, as parts that are equal where the prompt that is sent is: text, system's message, temperature, seed.
    ///
    /// - Parameter card: nil for an endpoint that takes everything.
    func content(of prompt: StudyPrompt, _ dataset: StudyDataset?, _ target: String, card: ModelCard?) -> [String] {
        let variation = card.map(prompt.variation.taken) ?? prompt.variation
        let text = dataset?.prompts[prompt.name]?[target]?.sha256 ?? prompt.templates[target]?.sha256
        return [
            text ?? "", variation.system?.sha256 ?? "", variation.temperature.map { "\($0)" } ?? "",
            variation.seed.map { "\($0)" } ?? "",
        ]
    }

    /// The prompts of a target that a model is asked: of those that come to the same for it, because its endpoint takes no
    /// temperature or seed or because they share the target's template, the first.
    func prompts(for participant: Participant, _ dataset: StudyDataset, _ target: String) -> [StudyPrompt] {
        var asked: Set<[String]> = []
        return prompts.filter { asked.insert(content(of: $0, dataset, target, card: participant.card)).inserted }
    }

    /// The prompts that are not asked apart, for people.
    public var sharedPrompts: [SharedPrompt] {
        var found: [SharedPrompt] = []
        for participant in participants {
            for target in participant.targets ?? file.targets.map(\.value) {
                for dataset in datasets {
                    var first: [[String]: String] = [:]
                    for prompt in prompts {
                        let content = content(of: prompt, dataset, target, card: participant.card)
                        if let name = prompt.name, let other = first[content] {
                            let shared = SharedPrompt(
                                prompt: name, askedAs: other, model: participant.card.id, target: target)
                            if !found.contains(shared) { found.append(shared) }
                        } else {
                            first[content] = prompt.name
                        }
                    }
                }
            }
        }
        return found
    }
}
