import Yams

extension StudyFileReader {
    /// The keys that state a study's one way of asking.
    private static let singleKeys = ["prompt", "system", "temperature", "sampling_seed"]

    mutating func readPrompts(_ top: YAMLSection) {
        guard let nodes = top.list("prompts", &problems) else { return checkReplays() }
        for key in Self.singleKeys where top.node(key) != nil {
            problems.add(
                top.line(key),
                key == "prompt"
                    ? "'prompt' and 'prompts' exclude each other: what is asked stands in the entries of 'prompts'"
                    : "'\(key)' and 'prompts' exclude each other: give '\(key)' to the entries of 'prompts'")
        }
        for node in nodes {
            guard node.mapping != nil else {
                problems.add(
                    node.mark?.line ?? top.line("prompts"),
                    "an entry of 'prompts' has keys, such as {name: brief, template: prompts/brief.md}")
                continue
            }
            readPrompt(YAMLSection(node: node, name: "an entry of 'prompts'"))
        }
        checkReplays()
    }

    private mutating func readPrompt(_ entry: YAMLSection) {
        entry.checkKeys(["name", "template", "sha256", "system", "temperature", "sampling_seed"], &problems)
        guard let name = entry.text("name", required: true, &problems) else { return }
        guard StudyFile.isName(name) else {
            return problems.add(
                entry.line("name"),
                "the prompt's name '\(name)' cannot stand in the names of jobs: use at most 64 letters, digits, '-', '_', '.'"
            )
        }
        if let known = file.prompts.first(where: { $0.name == name }) {
            return problems.add(
                entry.line("name"), "the prompt '\(name)' stands twice, here and in line \(known.line)")
        }
        var prompt = StudyFile.Prompt(name: name, line: entry.line("name"))
        prompt.templates = readByTarget("template", entry, name)
        prompt.pins = readByTarget("sha256", entry, name)
        for pin in prompt.pins.values where !Self.isHash(pin.value) {
            problems.add(
                pin.line, "'sha256' is the first 8 to 64 digits of a template's SHA-256, not '\(pin.value)'")
        }
        prompt.system = entry.named("system", &problems)
        prompt.temperature = entry.temperature(&problems)
        prompt.samplingSeed = entry.samplingSeed(&problems)
        file.prompts.append(prompt)
    }

    /// What a key says of a template: once where the study has one target, or by target.
    private mutating func readByTarget(
        _ key: String, _ entry: YAMLSection, _ name: String
    ) -> [String: StudyFile.Named<String>] {
        let targets = file.allTargets.map(\.value)
        guard entry.node(key)?.mapping != nil else {
            guard let only = entry.named(key, &problems) else { return [:] }
            guard targets.count == 1 else {
                problems.add(
                    only.line,
                    "the study has the targets \(targets.joined(separator: ", ")), and a template asks for one: write "
                        + "'\(key): {\(targets[0]): \(only.value)}'")
                return [:]
            }
            return [targets[0]: only]
        }
        guard let values = entry.section(key, &problems) else { return [:] }
        let section = YAMLSection(node: values.node, name: "'\(key)' of the prompt '\(name)'")
        section.checkKeys(targets, &problems)
        return section.texts(among: targets, &problems)
    }

    /// A recording, or one for each prompt.
    mutating func readReplay(_ entry: YAMLSection, _ selection: inout StudyFile.Selection) {
        guard let node = entry.node("replay"), let files = node.mapping else {
            selection.replay = entry.text("replay", &problems)
            return
        }
        let names: [String] = files.keys.compactMap(\.string).filter { !YAMLText.isDuplicate($0) }
        selection.replays = YAMLSection(node: node, name: "'replay'").texts(among: names, &problems)
    }

    /// Recordings by prompt name the study's prompts, and all of them.
    private mutating func checkReplays() {
        let names = file.prompts.map(\.name)
        for entry in file.models where !entry.replays.isEmpty {
            for (name, recording) in entry.replays.sorted(by: { $0.value.line < $1.value.line })
            where !names.contains(name) {
                problems.add(
                    recording.line,
                    "'replay' names a prompt '\(name)' that the study does not have"
                        + ProblemList.choice(for: name, among: names))
            }
            let missing = names.filter { entry.replays[$0] == nil }
            if let first = missing.first {
                problems.add(
                    entry.line, "'replay' of '\(entry.card ?? "")' has no recording for the prompt '\(first)'")
            }
        }
    }
}

extension YAMLSection {
    func named(_ key: String, _ problems: inout ProblemList) -> StudyFile.Named<String>? {
        text(key, &problems).map { StudyFile.Named($0, line: line(key)) }
    }

    /// The texts of these keys, of those that are there.
    func texts(among keys: [String], _ problems: inout ProblemList) -> [String: StudyFile.Named<String>] {
        var found: [String: StudyFile.Named<String>] = [:]
        for key in keys where node(key) != nil { found[key] = named(key, &problems) }
        return found
    }

    func temperature(_ problems: inout ProblemList) -> Double? {
        guard let temperature = number("temperature", from: 0, &problems) else { return nil }
        if temperature > 2 { problems.add(line("temperature"), "'temperature' is a number from 0 to 2") }
        return temperature
    }

    func samplingSeed(_ problems: inout ProblemList) -> Int? {
        integer("sampling_seed", 0...Int(Int32.max) - 99, &problems)
    }
}
