import Foundation
import Prompts
import ResultStore

/// Whether a study still asks what its runs were asked with.
extension StudyLoader {
    /// Runs that were begun with another prompt would be set beside new ones: a changed prompt is a mistake.
    func checkBegun(_ study: Study, _ problems: inout ProblemList) {
        let path = workspace.database(study: study.name)
        guard StudyFile.isName(study.name), FileManager.default.fileExists(atPath: path.path(percentEncoded: false)),
            let store = try? ResultStore(reading: path), let all = try? store.runs()
        else { return }
        let runs = all.filter { $0.study == study.name }
        defer { checkTexts(runs, study, &problems) }
        guard study.file.prompts.isEmpty else { return checkNamed(runs, study, &problems) }
        if let named = runs.first(where: { $0.promptName != nil }) {
            return problems.add(
                1,
                "the study began with several 'prompts' (\(named.path) is of '\(named.promptName ?? "")'): put them back, or give "
                    + "the study another name")
        }
        checkOnly(runs, study, &problems)
    }

    private func checkOnly(_ runs: [RunRecord], _ study: Study, _ problems: inout ProblemList) {
        guard let only = study.prompts.first else { return }
        for target in study.file.allTargets {
            if let other = runs.first(where: {
                $0.target == target.value && !isVaried(like: only, $0, study)
            }) {
                problems.add(
                    study.file.system?.line ?? target.line,
                    "the study began with another system message, temperature or sampling_seed (\(other.path) was asked with "
                        + "them): put them back, or give the study another name")
            }
            // Where no dataset is there, nothing would be asked with it.
            guard study.datasets.contains(where: { $0.prompts[nil]?[target.value] != nil }),
                let now = only.templates[target.value]?.sha256,
                let other = runs.first(where: {
                    $0.target == target.value && !$0.templateHash.isEmpty && $0.templateHash != now
                })
            else { continue }
            problems.add(
                study.file.prompt?.line ?? target.line,
                "the prompt template prompts/\(target.value).md has changed since this study began (\(other.path) was asked "
                    + "with \(other.templateHash.prefix(8)), the template is \(now.prefix(8)) now): put it back, or give the "
                    + "study another name")
        }
    }

    /// Every prompt asks what it asked when the study began, and is called as it was. Prompts may come and go.
    private func checkNamed(_ runs: [RunRecord], _ study: Study, _ problems: inout ProblemList) {
        if let unnamed = runs.first(where: { $0.promptName == nil }) {
            return problems.add(
                study.file.prompts[0].line,
                "the study began without 'prompts' (\(unnamed.path) has no prompt's name): take them out, or give the study another name"
            )
        }
        func isAsked(_ run: RunRecord, _ prompt: StudyPrompt) -> Bool {
            isMade(of: prompt, run) && isVaried(like: prompt, run, study)
        }
        for (name, runs) in Dictionary(grouping: runs, by: { $0.promptName ?? "" }).sorted(by: { $0.key < $1.key }) {
            if let prompt = study.prompts.first(where: { $0.name == name }) {
                guard let other = runs.first(where: { !isAsked($0, prompt) }) else { continue }
                problems.add(
                    prompt.line,
                    "the prompt '\(name)' has changed since this study began (\(other.path) was asked with "
                        + "\(differences(of: other, from: prompt, study).joined(separator: " and "))): put it back, or give it another "
                        + "name")
            } else if let prompt = study.prompts.first(where: { prompt in runs.allSatisfy { isAsked($0, prompt) } }) {
                problems.add(
                    prompt.line,
                    "the prompt '\(prompt.name ?? "")' was called '\(name)' when this study began (\(runs[0].path)): give it that name back, "
                        + "or give the study another name")
            }
        }
    }

    /// What a run was asked with and its prompt no longer has.
    private func differences(of run: RunRecord, from prompt: StudyPrompt, _ study: Study) -> [String] {
        guard isMade(of: prompt, run) else {
            let file = study.file.prompts.first { $0.name == prompt.name }?.templates[run.target]?.value
            return [
                "\(file ?? "prompts/\(run.target).md") of \(run.templateHash.prefix(8)), which is "
                    + "\(prompt.templates[run.target]?.sha256.prefix(8) ?? "gone") now"
            ]
        }
        let card = study.participants.first { $0.card.slug == run.model }?.card
        let now = card.map(prompt.variation.taken) ?? prompt.variation
        return [
            run.systemHash == now.system?.sha256
                ? nil : run.systemHash.map { "system message \($0.prefix(8))" } ?? "no system message",
            run.temperature == now.temperature
                ? nil : run.temperature.map { "temperature \($0)" } ?? "no temperature",
            run.samplingSeed == now.seed.map { $0 + run.runIndex - 1 }
                ? nil : run.samplingSeed.map { "sampling seed \($0 - run.runIndex + 1)" } ?? "no sampling seed",
        ].compactMap { $0 }
    }

    /// Whether a run was asked with the template that its prompt has now. Runs of old stores have no hash of it.
    private func isMade(of prompt: StudyPrompt, _ run: RunRecord) -> Bool {
        let template = prompt.templates[run.target]?.sha256
        return run.templateHash.isEmpty || template == nil || template == run.templateHash
    }

    /// The same template may come to another text, since it has the dataset's words in it: runs of that would begin anew beside those that
    /// are there.
    private func checkTexts(_ runs: [RunRecord], _ study: Study, _ problems: inout ProblemList) {
        for dataset in study.datasets {
            let other = runs.first { run in
                guard run.dataset == dataset.name, !run.templateHash.isEmpty,
                    let card = study.participants.first(where: { $0.card.slug == run.model })?.card,
                    let prompt = study.prompts.first(where: { $0.name == run.promptName }),
                    isMade(of: prompt, run), isVaried(like: prompt, run, study),
                    let text = dataset.prompts[prompt.name]?[run.target]
                else { return false }
                return text.asked(with: prompt.variation.taken(by: card)).shortHash != run.promptHash
            }
            guard let other, let named = study.file.datasets.first(where: { $0.value == dataset.name }) else {
                continue
            }
            problems.add(
                named.line,
                "what is asked for the dataset '\(dataset.name)' has changed since this study began (\(other.path) was asked with the text "
                    + "\(other.promptHash)): put its description in datasets/\(dataset.name)/dataset.json and its split back, or give the "
                    + "study another name")
        }
    }

    /// Whether a run was asked with the variation that its model would be asked with now. Models that take no part any more are not looked at.
    private func isVaried(like prompt: StudyPrompt, _ run: RunRecord, _ study: Study) -> Bool {
        guard let card = study.participants.first(where: { $0.card.slug == run.model })?.card else { return true }
        let now = prompt.variation.taken(by: card)
        return run.systemHash == now.system?.sha256 && run.temperature == now.temperature
            && run.samplingSeed == now.seed.map { $0 + run.runIndex - 1 }
    }
}
