import Endpoints
import Foundation
import Hashing
import ResultStore
import Yams

/// Reads a study file: every key, each problem with its line, all problems at once.
struct StudyFileReader {
    static let keys = [
        "schema", "name", "title", "models", "datasets", "targets", "runs", "prompt", "prompts", "rounds", "refine",
        "refine_engine", "epochs",
        "engines",
        "seeds", "system", "temperature", "sampling_seed", "parity", "statistics", "budget", "parallel", "baseline",
    ]

    var problems: ProblemList
    var file: StudyFile

    init(text: String, file name: String) {
        problems = ProblemList(file: name)
        file = StudyFile(file: name, text: text, sha256: SHA256.hexadecimal(Data(text.utf8)))
        guard text.utf8.count <= YAMLText.maximumBytes else {
            problems.add(1, "this is no study file: it is larger than 1 MiB")
            return
        }
        guard let root = YAMLText(text, &problems).root else {
            if problems.problems.isEmpty {
                problems.add(1, "the file is empty: a study needs name, models and datasets")
            }
            return
        }
        guard root.mapping != nil else {
            problems.add(root.mark?.line ?? 1, "a study file is a list of keys and values")
            return
        }
        read(YAMLSection(node: root, name: "the study"))
    }

    private mutating func read(_ top: YAMLSection) {
        top.checkKeys(Self.keys, &problems)
        if let schema = top.node("schema"), schema.int != 1 {
            problems.add(top.line("schema"), "this version of llmbench reads study files of schema 1")
        }
        readName(top)
        if let title = top.text("title", &problems) { file.title = title }
        readModels(top)
        file.datasets = top.names("datasets", required: true, &problems) ?? []
        if let targets = top.names("targets", &problems) { file.targets = targets }
        for target in file.allTargets where !StudyFile.knownTargets.contains(target.value) {
            problems.add(
                target.line,
                "there is no target '\(target.value)'"
                    + ProblemList.choice(for: target.value, among: StudyFile.knownTargets))
        }
        if let runs = top.integer("runs", 1...99, &problems) { file.runs = runs }
        readPrompt(top)
        readAsking(top)
        readPrompts(top)
        readRounds(top)
        readRefinement(top)
        readEpochs(top)
        readEngines(top)
        if let parity = top.integer("parity", 0...10_000, &problems) { file.paritySteps = parity }
        readStatistics(top)
        readBudget(top)
        readParallel(top)
        readBaseline(top)
    }

    private mutating func readName(_ top: YAMLSection) {
        guard let name = top.text("name", required: true, &problems) else { return }
        guard StudyFile.isName(name) else {
            return problems.add(
                top.line("name"),
                "the name '\(name)' cannot name a folder: use at most 64 letters, digits, '-', '_', '.'")
        }
        file.name = name
        file.title = name
    }

    private mutating func readModels(_ top: YAMLSection) {
        guard let nodes = top.list("models", required: true, &problems) else { return }
        for node in nodes {
            if let card = node.scalar?.string, node.mapping == nil {
                file.models.append(StudyFile.Selection(card: card, line: node.mark?.line ?? 1))
            } else if node.mapping != nil {
                readSelection(YAMLSection(node: node, name: "an entry of 'models'"))
            } else {
                problems.add(node.mark?.line ?? 1, "an entry of 'models' is a card's id or keys such as cohort: 2024")
            }
        }
    }

    private mutating func readSelection(_ entry: YAMLSection) {
        let criteria = ["card", "cohort", "tag", "vendor", "open", "reasoning"]
        entry.checkKeys(criteria + ["replay", "provider", "targets"], &problems)
        var selection = StudyFile.Selection(line: entry.line)
        selection.card = entry.text("card", &problems)
        selection.cohort = entry.integer("cohort", 1950...2200, &problems)
        selection.tag = entry.text("tag", &problems)
        selection.vendor = entry.text("vendor", &problems)
        selection.openWeights = entry.flag("open", &problems)
        selection.reasoning = entry.flag("reasoning", &problems)
        readReplay(entry, &selection)
        selection.targets = entry.names("targets", &problems)
        if let name = entry.text("provider", &problems) {
            selection.provider = ModelCard.Provider(rawValue: name)
            if selection.provider == nil || selection.provider == .replay {
                problems.add(
                    entry.line("provider"),
                    name == "replay"
                        ? "to answer from a recording, name it with 'replay: FILE' in place of 'provider'"
                        : "there is no provider '\(name)'" + ProblemList.choice(for: name, among: ["openai", "manual"]))
            }
        }
        if entry.node("replay") != nil, selection.card == nil {
            problems.add(entry.line("replay"), "'replay' belongs to one model: name it with 'card'")
        }
        if entry.node("replay") != nil, selection.provider != nil {
            problems.add(entry.line("provider"), "'replay' and 'provider' exclude each other")
        }
        guard criteria.contains(where: { entry.node($0) != nil }) else {
            return problems.add(
                entry.line, "an entry of 'models' names at least one of \(criteria.joined(separator: ", "))")
        }
        file.models.append(selection)
    }

    /// Whether a text may begin a SHA-256.
    static func isHash(_ text: String) -> Bool { (8...64).contains(text.count) && text.allSatisfy(\.isHexDigit) }

    private mutating func readPrompt(_ top: YAMLSection) {
        guard let text = top.text("prompt", &problems), text != "current" else { return }
        guard Self.isHash(text) else {
            return problems.add(
                top.line("prompt"),
                "'prompt' is 'current' or the first 8 to 64 digits of the template's SHA-256, in quotes")
        }
        file.prompt = StudyFile.Named(text.lowercased(), line: top.line("prompt"))
    }

    private mutating func readAsking(_ top: YAMLSection) {
        file.system = top.named("system", &problems)
        file.temperature = top.temperature(&problems)
        file.samplingSeed = top.samplingSeed(&problems)
    }

    private mutating func readRounds(_ top: YAMLSection) {
        guard let rounds = top.section("rounds", &problems) else { return }
        rounds.checkKeys(["max", "loop_after"], &problems)
        if let max = rounds.integer("max", 0...1000, &problems) { file.maxRounds = max }
        if let loopAfter = rounds.integer("loop_after", 1...1000, &problems) { file.loopAfter = loopAfter }
    }

    private mutating func readRefinement(_ top: YAMLSection) {
        if let versions = top.integer("refine", 0...20, &problems) { file.refine = versions }
        guard let engine: TrainingRecord.Engine = top.choice("refine_engine", &problems) else { return }
        if file.refine == 0 {
            problems.add(top.line("refine_engine"), "'refine_engine' trains versions: give 'refine' too")
        }
        if engine == .pytorch {
            problems.add(
                top.line("refine_engine"),
                "'refine_engine' cannot be 'pytorch': versions are trained by swift or emitted")
        }
        file.refineEngine = engine
    }

    private mutating func readEpochs(_ top: YAMLSection) {
        guard let node = top.node("epochs"), node.scalar?.string != "own" else { return }
        guard let epochs = node.int, (1...100_000).contains(epochs) else {
            return problems.add(top.line("epochs"), "'epochs' is 'own' or a whole number from 1 to 100000")
        }
        file.epochs = epochs
    }

    private mutating func readEngines(_ top: YAMLSection) {
        if let names = top.names("engines", &problems) {
            let known = TrainingRecord.Engine.allCases.map(\.rawValue)
            file.engines = names.compactMap { name in
                if let engine = TrainingRecord.Engine(rawValue: name.value) { return engine }
                problems.add(
                    name.line,
                    "there is no engine '\(name.value)'" + ProblemList.choice(for: name.value, among: known))
                return nil
            }
        }
        if let seeds = readSeeds(top, name: "'seeds'") { file.seeds = seeds }
    }

    private mutating func readSeeds(_ section: YAMLSection, name: String) -> [Int]? {
        guard let nodes = section.list("seeds", &problems) else { return nil }
        let seeds = nodes.compactMap { node -> Int? in
            if let seed = node.int, (0...Int(Int32.max)).contains(seed) { return seed }
            problems.add(
                node.mark?.line ?? section.line("seeds"),
                "a seed is a whole number from 0 to \(Int32.max), such as [0, 1, 2]")
            return nil
        }
        if Set(seeds).count < seeds.count {
            problems.add(section.line("seeds"), "a seed stands twice in \(name)")
        }
        return seeds
    }

    private mutating func readBaseline(_ top: YAMLSection) {
        guard let section = top.section("baseline", &problems) else { return }
        section.checkKeys(["engine", "epochs", "iterations", "minutes", "seeds"], &problems)
        var baseline = StudyFile.Baseline()
        if let engine: BaselineRecord.Engine = section.choice("engine", &problems) { baseline.engine = engine }
        baseline.epochs = section.integer("epochs", 1...100_000, &problems)
        if let iterations = section.integer("iterations", 1...100_000, &problems) { baseline.iterations = iterations }
        baseline.minutes = section.integer("minutes", 1...100_000, &problems)
        if section.node("epochs") != nil, section.node("minutes") != nil {
            problems.add(
                section.line("minutes"), "'epochs' and 'minutes' of a baseline exclude each other: give one limit")
        }
        if baseline.engine == .swift, baseline.minutes != nil {
            problems.add(
                section.line("minutes"), "a baseline of the engine swift counts 'epochs': 'minutes' is for nnunetv2")
        }
        if let seeds = readSeeds(section, name: "the baseline's 'seeds'") { baseline.seeds = seeds }
        file.baseline = baseline
    }

    private mutating func readStatistics(_ top: YAMLSection) {
        guard let section = top.section("statistics", &problems) else { return }
        section.checkKeys(["compare", "alternative", "correction", "seed"], &problems)
        if let names = section.names("compare", &problems) {
            let known = StudyFile.Statistics.Comparison.allCases.map(\.rawValue)
            file.statistics.compare = names.compactMap { name in
                if let comparison = StudyFile.Statistics.Comparison(rawValue: name.value) { return comparison }
                problems.add(
                    name.line,
                    "nothing can be compared by '\(name.value)'" + ProblemList.choice(for: name.value, among: known))
                return nil
            }
        }
        if let value: StudyFile.Statistics.Alternative = section.choice("alternative", &problems) {
            file.statistics.alternative = value
        }
        if let value: StudyFile.Statistics.Correction = section.choice("correction", &problems) {
            file.statistics.correction = value
        }
        if let seed = section.integer("seed", 0...Int(Int32.max), &problems) { file.statistics.seed = seed }
    }

    private mutating func readBudget(_ top: YAMLSection) {
        guard let section = top.section("budget", &problems) else { return }
        section.checkKeys(["money", "hours"], &problems)
        file.budget.money = section.number("money", from: 0, &problems)
        file.budget.hours = section.number("hours", from: 0, &problems)
    }

    private mutating func readParallel(_ top: YAMLSection) {
        guard let section = top.section("parallel", &problems) else { return }
        section.checkKeys(["requests", "requests_per_minute", "cpu_jobs", "threads"], &problems)
        if let count = section.integer("requests", 1...64, &problems) { file.parallel.requests = count }
        file.parallel.requestsPerMinute = section.integer("requests_per_minute", 1...100_000, &problems)
        file.parallel.cpuJobs = section.integer("cpu_jobs", 1...256, &problems)
        file.parallel.threads = section.integer("threads", 1...1024, &problems)
    }
}

extension StudyFile {
    /// Reads a study file.
    ///
    /// - Parameter name: how messages call it.
    /// - Throws: `StudyFileError` with every problem. Cost: linear in the text.
    public init(yaml text: String, file name: String) throws(StudyFileError) {
        let reader = StudyFileReader(text: text, file: name)
        guard reader.problems.problems.isEmpty else { throw StudyFileError(reader.problems.problems) }
        self = reader.file
    }
}
