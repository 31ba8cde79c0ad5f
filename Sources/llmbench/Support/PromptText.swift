import Foundation
import Studies

/// How a prompt of a study asks, in words.
enum PromptText {
    /// "prompts/brief.md (1a2b3c4d), system message 5e6f7a8b, temperature 0.2, sampling seed 7".
    static func sentence(_ prompt: StudyPrompt, in study: Study) -> String {
        let templates = study.file.allTargets.compactMap { target -> String? in
            guard let template = prompt.templates[target.value] else { return nil }
            let file = study.file.prompts.first { $0.name == prompt.name }?.templates[target.value]?.value
            return "\(file ?? "prompts/\(target.value).md") (\(template.sha256.prefix(8)))"
        }
        return
            (templates
            + [
                prompt.variation.system.map { "system message \($0.sha256.prefix(8))" },
                prompt.variation.temperature.map { "temperature \($0)" },
                prompt.variation.seed.map { "sampling seed \($0)" },
            ].compactMap { $0 }).joined(separator: ", ")
    }
}
