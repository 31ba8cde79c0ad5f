import ResultStore
import Training

/// Where a report's evidence comes from, asked again and again while a study runs.
public protocol EvidenceSource: Sendable {
    /// The study as it is now; nil where nothing of it has changed since it was last asked for.
    ///
    /// - Throws: `StoreError`.
    mutating func news(from store: ResultStore) throws -> StudyEvidence?
}

/// Reads one study again and again, each time only the runs whose rows have changed.
///
/// ```swift
/// var reader = StudyReader(study: "default")
/// let first = try reader.evidence(from: store)    // every row
/// let later = try reader.evidence(from: store)    // the rows of runs that were written to meanwhile
/// ```
public struct StudyReader: EvidenceSource {
    public let study: String
    private var runs: [Int64: StudyEvidence.Run] = [:]
    private var last: StudyEvidence?
    private var versions = VersionReader()

    public init(study: String) {
        self.study = study
    }

    /// The study as it is now.
    ///
    /// - Throws: `StoreError`.
    /// - Complexity: a number a run, and every row of the runs that have changed. What is written while it reads is read again the next
    ///   time: the numbers are taken first.
    public mutating func evidence(from store: ResultStore) throws -> StudyEvidence {
        if let news = try news(from: store) { return news }
        return last ?? StudyEvidence(study: study, runs: [], baselines: [], references: [])
    }

    public mutating func news(from store: ResultStore) throws -> StudyEvidence? {
        let states = try store.runStates(study: study)
        let references = try store.references()
        let baselines = try store.baselines().map { record in
            StudyEvidence.Baseline(record: record, heldOut: try store.baselineHeldOut(baseline: record.id ?? -1))
        }
        let hasNewVersions = try versions.look(for: study, in: store)
        let isOld =
            !hasNewVersions
            && last.map { last in
                last.runs.map(\.state) == states && last.references == references && last.baselines == baselines
            } ?? false
        guard !isOld else { return nil }
        var read: [Int64: StudyEvidence.Run] = [:]
        for state in states {
            read[state.run] = try runs[state.run].flatMap { $0.state == state ? $0 : nil } ?? run(state, store)
        }
        runs = read
        var found = states.compactMap { read[$0.run] }
        for index in found.indices {
            found[index].versions = try versions.versions(of: found[index].record, found[index].state, store)
        }
        let isCompared = Set(found.map(\.record.promptName)).count > 1
        for index in found.indices where isCompared {
            // Before runs are numbered: which prompt it is says more.
            if let name = found[index].record.promptName { found[index].label += " · \(name)" }
        }
        let perLabel = Dictionary(found.map { ($0.label, 1) }, uniquingKeysWith: +)
        for index in found.indices where perLabel[found[index].label, default: 1] > 1 {
            found[index].label += " · \(found[index].record.runIndex)"
        }
        let evidence = StudyEvidence(study: study, runs: found, baselines: baselines, references: references)
        last = evidence
        return evidence
    }

    /// Nil where it is gone meanwhile.
    private func run(_ state: RunState, _ store: ResultStore) throws -> StudyEvidence.Run? {
        guard let record = try store.run(id: state.run) else { return nil }
        let id = state.run
        let trainings = try store.trainings(run: id).map { training in
            let key = training.id ?? -1
            return StudyEvidence.Training(
                record: training, epochs: try store.epochs(training: key),
                validationBatches: try store.validationBatches(training: key),
                testBatches: try store.testBatches(training: key), heldOut: try store.heldOut(training: key))
        }
        return StudyEvidence.Run(
            record: record, errors: try store.errorSummary(of: record), rounds: try store.rounds(run: id),
            errorRecords: try store.errors(run: id), interactions: try store.interactions(run: id),
            exchanges: try store.exchanges(run: id), capture: try store.captures(run: id).last,
            trainings: trainings.sorted {
                ($0.record.engine.rawValue, $0.record.seed) < ($1.record.engine.rawValue, $1.record.seed)
            },
            parities: try store.parities(run: id), state: state, label: record.model)
    }
}
