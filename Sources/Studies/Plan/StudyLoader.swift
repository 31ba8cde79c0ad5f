import Datasets
import Endpoints
import Foundation
import Prompts
import ResultStore

/// From a study file to a study: looks up cards, recordings, keys, datasets and prompts, and says everything that is wrong at once.
public struct StudyLoader {
    let workspace: Workspace
    private let environment: [String: String]

    public init(
        workspace: Workspace, environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.workspace = workspace
        self.environment = environment
    }

    /// - Parameters:
    ///   - text: the file's content.
    ///   - file: how messages call it.
    ///   - name: another name than the file's for runs and results.
    ///   - seeds: others than the file's.
    ///   - epochs: of every pipeline and, where the file gives it none of its own, of the baseline, in place of the file's.
    /// - Throws: `StudyFileError` with every problem of the file; `ModelRegistryError` where the cards cannot be read.
    public func study(
        yaml text: String, file: String, name: String? = nil, seeds: [Int]? = nil, epochs: Int? = nil
    ) throws -> Study {
        let reader = StudyFileReader(text: text, file: file)
        var (content, problems) = (reader.file, reader.problems)
        if let seeds { content.seeds = seeds }
        if let epochs { content.epochs = epochs }
        let registry = try ModelRegistry.load(workspace.models)
        var study = Study(
            file: content, name: name ?? content.name, participants: [], datasets: [], settings: [])
        study.participants = participants(content, registry, &problems)
        checkAccess(&study, &problems)
        study.prompts = prompts(content, &problems)
        study.datasets = datasets(study, &problems)
        checkDifferent(study, &problems)
        checkBegun(study, &problems)
        let wrong = problems.problems.filter { $0.kind == .file }
        guard wrong.isEmpty else { throw StudyFileError(problems.problems) }
        study.settings = StudyFileError(problems.problems).problems
        return study
    }

    /// The cards that the file picks, each once, in the order of the entries and of models.yaml.
    private func participants(
        _ file: StudyFile, _ registry: ModelRegistry, _ problems: inout ProblemList
    ) -> [Participant] {
        var picked: [Participant] = []
        var named: [String: Int] = [:]
        for entry in file.models {
            checkWords(of: entry, registry, &problems)
            if let card = entry.card {
                if let line = named[card] {
                    problems.add(entry.line, "the model '\(card)' stands twice, here and in line \(line)")
                    continue
                }
                named[card] = entry.line
            }
            for card in registry.cards where entry.picks(card) {
                var participant = Participant(
                    card: card, replay: entry.replay, replays: entry.replays.mapValues(\.value),
                    targets: entry.targets?.map(\.value))
                if let provider = entry.provider { participant.card.provider = provider }
                if provider(of: participant, lacksAddress: entry, &problems) { continue }
                if let index = picked.firstIndex(where: { $0.card.id == card.id }) {
                    // What names the card itself wins over what picks a group.
                    if entry.card != nil { picked[index] = participant }
                } else {
                    picked.append(participant)
                }
            }
        }
        return picked
    }

    private func provider(
        of participant: Participant, lacksAddress entry: StudyFile.Selection, _ problems: inout ProblemList
    ) -> Bool {
        guard participant.card.provider == .openai, participant.card.baseURL == nil else { return false }
        problems.add(
            entry.line,
            "the model '\(participant.card.id)' has no endpoint: its card has no base_url; use 'provider: manual' or "
                + "'replay: FILE'")
        return true
    }

    /// Says which word of an entry fits no card.
    private func checkWords(
        of entry: StudyFile.Selection, _ registry: ModelRegistry, _ problems: inout ProblemList
    ) {
        let cards = registry.cards
        func unknown(_ what: String, _ word: String, _ known: [String]) {
            problems.add(
                entry.line,
                "there is no \(what) '\(word)' in models.yaml"
                    + ProblemList.choice(for: word, among: Array(Set(known)).sorted()))
        }
        let before = problems.problems.count
        if let card = entry.card, !cards.contains(where: { $0.id == card }) {
            unknown("model", card, cards.map(\.id))
        }
        if let tag = entry.tag, !cards.contains(where: { $0.tags.contains(tag) }) {
            unknown("tag", tag, cards.flatMap(\.tags))
        }
        if let vendor = entry.vendor, !cards.contains(where: { $0.vendor == vendor }) {
            unknown("vendor", vendor, cards.map(\.vendor))
        }
        if let cohort = entry.cohort, !cards.contains(where: { $0.cohort == cohort }) {
            unknown("cohort", "\(cohort)", cards.compactMap { $0.cohort.map { "\($0)" } })
        }
        if before == problems.problems.count, !cards.contains(where: entry.picks) {
            problems.add(entry.line, "no model card fits all that this entry names")
        }
    }

    /// Keys and recordings: what each model needs to be asked.
    private func checkAccess(_ study: inout Study, _ problems: inout ProblemList) {
        var keyless: [String: [String]] = [:]
        for index in study.participants.indices {
            let participant = study.participants[index]
            switch participant.source {
            case .recording:
                let missing = missingRecordings(of: participant, runs: study.file.runs)
                guard let first = missing.first else { continue }
                let sentence =
                    "the recording \(first) of \(participant.card.id) is missing or cannot be replayed"
                    + (missing.count > 1 ? ", and \(missing.count - 1) more" : "")
                study.participants[index].obstacle = sentence
                problems.add(line(of: participant, study.file), sentence, .setting)
            case .endpoint:
                guard let variable = participant.card.apiKeyVariable, environment[variable, default: ""].isEmpty else {
                    continue
                }
                study.participants[index].obstacle = "the environment variable \(variable) is not set"
                keyless[variable, default: []].append(participant.card.id)
            case .manual: continue
            }
        }
        for (variable, models) in keyless.sorted(by: { $0.key < $1.key }) {
            let participant = study.participants.first { $0.card.id == models[0] }
            problems.add(
                participant.map { line(of: $0, study.file) } ?? 1,
                "the environment variable \(variable) is not set: it holds the key for \(models.joined(separator: ", "))",
                .setting)
        }
    }

    private func missingRecordings(of participant: Participant, runs: Int) -> [String] {
        let names: [String]
        let replays = participant.replay.map { [$0] } ?? participant.replays.sorted { $0.key < $1.key }.map(\.value)
        if !replays.isEmpty {
            names = replays.flatMap { replay in
                (1...max(1, runs)).map { Participant.recording(replay, run: $0) }
            }
        } else {
            names = [participant.card.recording ?? ""]
        }
        return names.filter { (try? ReplayEndpoint(file: workspace.root.appending(path: $0))) == nil }
    }

    private func line(of participant: Participant, _ file: StudyFile) -> Int {
        let exact = file.models.first { $0.card == participant.card.id }
        return (exact ?? file.models.first { $0.picks(participant.card) })?.line ?? 1
    }
}

extension StudyLoader {
    private func datasets(_ study: Study, _ problems: inout ProblemList) -> [StudyDataset] {
        let catalogue = DatasetCatalogue(root: workspace.datasets)
        return study.file.datasets.map { dataset in
            var found = StudyDataset(name: dataset.value, prompts: [:])
            do {
                let data = try catalogue.load(dataset.value)
                found.trainingImages = data.split.training.count
                for prompt in study.prompts {
                    found.prompts[prompt.name] = try prompt.templates.mapValues {
                        try RenderedPrompt.pipeline($0, data)
                    }
                }
            } catch DatasetError.unknownDataset(_, let nearest, _) {
                let near = nearest.isEmpty ? "" : " (did you mean \(nearest.joined(separator: " or "))?)"
                found.obstacle = "the dataset '\(dataset.value)' is not prepared"
                problems.add(
                    dataset.line,
                    "the dataset '\(dataset.value)' is not prepared\(near): put its images and masks into a folder and run "
                        + "`llmbench datasets prepare FOLDER --name \(dataset.value) --image-kind … --foreground …`",
                    .setting)
            } catch {
                found.obstacle = "\(error)"
                problems.add(dataset.line, "\(error)", .setting)
            }
            return found
        }
    }
}
