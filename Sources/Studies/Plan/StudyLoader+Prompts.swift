import Foundation
import Prompts

extension StudyLoader {
    /// The one prompt of a study, or those that it compares, with their templates and system's messages read.
    func prompts(_ file: StudyFile, _ problems: inout ProblemList) -> [StudyPrompt] {
        guard !file.prompts.isEmpty else { return [onlyPrompt(file, &problems)] }
        return file.prompts.map { entry in
            var prompt = StudyPrompt(name: entry.name, line: entry.line)
            for target in knownTargets(file) {
                prompt.templates[target.value] = template(of: target, entry, &problems)
            }
            prompt.variation = variation(entry.system, entry.temperature, entry.samplingSeed, &problems)
            return prompt
        }
    }

    /// The template that an entry names for a target, or the target's own, held against the entry's `sha256`.
    private func template(
        of target: StudyFile.Named<String>, _ entry: StudyFile.Prompt, _ problems: inout ProblemList
    ) -> PromptTemplate? {
        let named = entry.templates[target.value]
        let found: PromptTemplate?
        if let named {
            do throws(PromptError) {
                found = try PromptTemplate.pipeline(workspace.root.appending(path: named.value))
            } catch {
                problems.add(named.line, error.description)
                return nil
            }
        } else {
            found = template(of: target, &problems)
        }
        if let found, let pin = entry.pins[target.value], !found.sha256.hasPrefix(pin.value.lowercased()) {
            problems.add(
                pin.line,
                "the template \(named?.value ?? "prompts/\(target.value).md") of the prompt '\(entry.name)' has changed: the study was "
                    + "made for \(pin.value.prefix(8)), the template is \(found.sha256.prefix(8)) now; put it back, or write the new "
                    + "digits and give the study another name")
        }
        return found
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
            return try PromptTemplate.pipeline(workspace.prompts.appending(path: "\(target.value).md"))
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
}
