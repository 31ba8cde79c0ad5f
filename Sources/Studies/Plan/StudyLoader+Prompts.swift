import Foundation
import Prompts
import ResultStore

extension StudyLoader {
    /// The one prompt of a study, or those that it compares, with their templates and system's messages read.
    func prompts(_ file: StudyFile, _ problems: inout ProblemList) -> [StudyPrompt] {
        guard !file.prompts.isEmpty else { return [onlyPrompt(file, &problems)] }
        return file.prompts.map { entry in
            var prompt = StudyPrompt(name: entry.name, line: entry.line)
            for target in knownTargets(file) {
                guard let named = entry.templates[target.value] else {
                    prompt.templates[target.value] = template(of: target, &problems)
                    continue
                }
                let url = workspace.root.appending(path: named.value)
                prompt.files[target.value] = url
                do throws(PromptError) {
                    prompt.templates[target.value] = try PromptTemplate.load(url, known: PipelinePromptValues.slots)
                } catch {
                    problems.add(named.line, error.description)
                }
            }
            prompt.variation = variation(entry.system, entry.temperature, entry.samplingSeed, &problems)
            return prompt
        }
    }

    private func onlyPrompt(_ file: StudyFile, _ problems: inout ProblemList) -> StudyPrompt {
        var prompt = StudyPrompt()
        for target in knownTargets(file) {
            let template = template(of: target, &problems)
            if let template, let wanted = file.prompt, file.targets.contains(target),
                !template.sha256.hasPrefix(wanted.value)
            {
                problems.add(
                    wanted.line,
                    "the prompt template prompts/\(target.value).md has changed: the study was made for "
                        + "\(wanted.value.prefix(8)), the template is \(template.sha256.prefix(8)) now; "
                        + "put it back, or write 'prompt: current' and give the study another name")
            }
            prompt.templates[target.value] = template
        }
        prompt.variation = variation(file.system, file.temperature, file.samplingSeed, &problems)
        return prompt
    }

    private func knownTargets(_ file: StudyFile) -> [StudyFile.Named<String>] {
        file.allTargets.filter { StudyFile.knownTargets.contains($0.value) }
    }

    /// `prompts/<target>.md`; nil where it cannot be read.
    private func template(of target: StudyFile.Named<String>, _ problems: inout ProblemList) -> PromptTemplate? {
        do {
            return try PromptTemplate.load(
                workspace.prompts.appending(path: "\(target.value).md"), known: PipelinePromptValues.slots)
        } catch {
            problems.add(target.line, error.description, .setting)
            return nil
        }
    }

    private func variation(
        _ system: StudyFile.Named<String>?, _ temperature: Double?, _ seed: Int?, _ problems: inout ProblemList
    ) -> PromptVariation {
        var variation = PromptVariation(temperature: temperature, seed: seed)
        guard let system else { return variation }
        do {
            variation.system = try PromptVariation.system(workspace.root.appending(path: system.value))
        } catch {
            problems.add(system.line, error.description)
        }
        return variation
    }

    /// Two prompts that ask the same would have the same runs: nothing could be compared.
    func checkDifferent(_ study: Study, _ problems: inout ProblemList) {
        let targets = knownTargets(study.file).map(\.value)
        let datasets = study.datasets.filter { $0.obstacle == nil }.map(Optional.some)
        /// By target and dataset; nil where a template is missing, which is said already.
        func wholeContent(_ prompt: StudyPrompt) -> [[String]]? {
            guard targets.allSatisfy({ prompt.templates[$0] != nil }) else { return nil }
            return targets.flatMap { target in
                (datasets.isEmpty ? [nil] : datasets).map { study.content(of: prompt, $0, target, card: nil) }
            }
        }
        var first: [[[String]]: StudyPrompt] = [:]
        for prompt in study.prompts {
            guard let contents = wholeContent(prompt) else { continue }
            guard let other = first[contents] else {
                first[contents] = prompt
                continue
            }
            problems.add(
                prompt.line,
                "the prompt '\(prompt.name ?? "")' asks the same as '\(other.name ?? "")' in line \(other.line): take one out, or "
                    + "give it another template, system, temperature or sampling_seed")
        }
    }

    /// Runs that were begun with another prompt would be set beside new ones: a changed prompt is a mistake.
    func checkBegun(_ study: Study, _ problems: inout ProblemList) {
        let path = workspace.database(study: study.name)
        guard StudyFile.isName(study.name), FileManager.default.fileExists(atPath: path.path(percentEncoded: false)),
            let store = try? ResultStore(path: path), let all = try? store.runs()
        else { return }
        let runs = all.filter { $0.study == study.name }
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
            let template = prompt.templates[run.target]?.sha256
            return (run.templateHash.isEmpty || template == nil || template == run.templateHash)
                && isVaried(like: prompt, run, study)
        }
        for (name, runs) in Dictionary(grouping: runs, by: { $0.promptName ?? "" }).sorted(by: { $0.key < $1.key }) {
            if let prompt = study.prompts.first(where: { $0.name == name }) {
                guard let other = runs.first(where: { !isAsked($0, prompt) }) else { continue }
                problems.add(
                    prompt.line,
                    "the prompt '\(name)' has changed since this study began (\(other.path) was asked otherwise): put its template, system, "
                        + "temperature and sampling_seed back, or give it another name")
            } else if let prompt = study.prompts.first(where: { prompt in runs.allSatisfy { isAsked($0, prompt) } }) {
                problems.add(
                    prompt.line,
                    "the prompt '\(prompt.name ?? "")' was called '\(name)' when this study began (\(runs[0].path)): give it that name back, "
                        + "or give the study another name")
            }
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
