import Datasets
import Drawing
import Metrics
import ResultStore
import Synchronization

/// What `llmbench polygon draw` stored of a dataset: models, controls and ceilings, a line a set.
///
/// Of each picture the mask that it ends with counts (`DrawnMasks.outcome`): of several draws the majority, of several turns or looks the last
/// that could be read. A picture of which nothing could be read counts as an empty mask with Dice 0, as in the summary of the set.
public struct StoredDrawings: DrawnLineSource {
    private let store: ResultStore
    private let sets: [DrawingSetRecord]
    private let recent = RecentSet()

    /// - Throws: `StoreError`.
    public init(_ store: ResultStore, study: String) throws {
        self.store = store
        sets = try store.drawingSets().filter { $0.study == study && $0.shape == "polygon" }
    }

    public func lines(of dataset: Dataset, hash: String) throws -> [DrawnLine] {
        try mine(dataset, hash).map { name, set in
            let rows = try store.drawings(set: set.id ?? -1)
            return DrawnLine(
                kind: DrawnLine.Kind(rawValue: set.kind.rawValue) ?? .model, name: name, isFixture: set.fixture,
                skill: set.skill, labels: set.labels(in: dataset), isFinished: !set.isUnfinished(rows), set: set.path,
                scores: try scores(rows, dataset))
        }
    }

    public func mask(of line: DrawnLine, sample: String, in dataset: Dataset) throws -> Mask? {
        guard let set = sets.first(where: { $0.path == line.set }), let id = set.id else { return nil }
        let truth = try dataset.truth(sample)
        let rows = try recent.rows(of: id, sample: sample, in: store)
        guard rows.contains(where: \.status.isSettled) else { return nil }
        return try DrawnMasks.ends(rows, width: truth.width, height: truth.height).outcome
            ?? Mask(width: truth.width, height: truth.height)
    }

    /// Held-out drawings of the set that was asked for last, by sample: masks are wanted one by one, a set at a time.
    private final class RecentSet: Sendable {
        private let state = Mutex<(set: Int64, rows: [String: [DrawingRecord]])?>(nil)

        func rows(of set: Int64, sample: String, in store: ResultStore) throws -> [DrawingRecord] {
            try state.withLock { state in
                if let state, state.set == set { return state.rows[sample] ?? [] }
                let rows = Dictionary(
                    grouping: try store.drawings(set: set).filter { $0.part == .heldOut }, by: \.sample)
                state = (set, rows)
                return rows[sample] ?? []
            }
        }
    }

    /// Each set that went through a skill against the one of the same drawer that did not, and the last turn or look against the first; fewer than three common pictures are no comparison.
    public func skills(of dataset: Dataset, hash: String) throws -> [GateMeasurement] {
        let here = mine(dataset, hash).map(\.set)
        var found: [GateMeasurement] = []
        for skilled in here where skilled.skill != nil {
            if skilled.goesOn {
                do {
                    found += try GateMeasurement.measure(loop: skilled, in: store, dataset: dataset)
                } catch DrawingError.tooFewDrawings {}
                continue
            }
            guard let plain = here.first(where: { $0.drawer == skilled.drawer && $0.skill == nil }) else { continue }
            do {
                found += try GateMeasurement.measure(plain: plain, skilled: skilled, in: store, dataset: dataset)
            } catch DrawingError.tooFewDrawings {
                continue
            }
        }
        return found
    }

    /// The sets of a dataset as it is now by the names of their lines: the drawer, with what tells its sets apart.
    private func mine(_ dataset: Dataset, _ hash: String) -> [(name: String, set: DrawingSetRecord)] {
        let here = sets.filter { $0.dataset == dataset.name && $0.datasetHash == hash }
        return here.map { set in
            let alike = here.filter { $0.drawer == set.drawer && $0.skill == set.skill }
            let skill = set.skill.map { " + \($0)" } ?? ""
            let mark = alike.count > 1 ? " (\(set.path.suffix(8)))" : ""
            return (set.drawer + skill + mark, set)
        }
    }

    /// Of the held-out pictures that have a result.
    private func scores(_ all: [DrawingRecord], _ dataset: Dataset) throws -> [String: DrawnLine.Score] {
        let rows = Dictionary(grouping: all.filter { $0.part == .heldOut && $0.status.isSettled }, by: \.sample)
        var scores: [String: DrawnLine.Score] = [:]
        for sample in dataset.split.heldOut {
            guard let rows = rows[sample] else { continue }
            let truth = try Mask(try dataset.truth(sample))
            let mask = try DrawnMasks.ends(rows, width: truth.width, height: truth.height).outcome
            scores[sample] =
                try mask.map { try DrawnLine.Score(predicted: $0, truth: truth) } ?? .init(unreadable: truth)
        }
        return scores
    }
}
