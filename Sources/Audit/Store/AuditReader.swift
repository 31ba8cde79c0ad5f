import Datasets
import Foundation
import ResultStore

/// Reads a study's evidence and the datasets beside it for audits that follow one another: only the runs whose rows have changed, and
/// only the datasets whose files have.
///
/// ```swift
/// var reader = AuditReader(study: "default")
/// let first = try StudyAudit(store: store, study: "default", surroundings: surroundings).report(reading: &reader)
/// ```
public struct AuditReader: Sendable {
    public let study: String
    private var runs: [Int64: (state: RunState, run: AuditEvidence.Run)] = [:]

    private var datasets: [String: (stamp: DatasetStamp, read: AuditSurroundings.CurrentDataset)] = [:]

    public init(study: String) {
        self.study = study
    }

    /// What a dataset holds now.
    ///
    /// - Throws: `DatasetError`.
    mutating func dataset(_ dataset: Dataset) throws(DatasetError) -> AuditSurroundings.CurrentDataset {
        // Before the files are read: what is written meanwhile makes another stamp the next time.
        let stamp = dataset.stamp()
        if let known = datasets[dataset.name], known.stamp == stamp { return known.read }
        let read = try AuditSurroundings.CurrentDataset(reading: dataset)
        datasets[dataset.name] = (stamp, read)
        return read
    }

    /// The runs as they are now, in the order of their paths.
    ///
    /// - Throws: `StoreError`.
    mutating func runs(in store: ResultStore) throws -> [AuditEvidence.Run] {
        let states = try store.runStates(study: study)
        var read: [Int64: (state: RunState, run: AuditEvidence.Run)] = [:]
        for state in states {
            if let known = runs[state.run], known.state == state {
                read[state.run] = known
            } else if let record = try store.run(id: state.run) {
                read[state.run] = (state, try AuditEvidence.run(record, store))
            }
        }
        runs = read
        return states.compactMap { read[$0.run]?.run }
    }
}
