import Datasets
import ResultStore
import Statistics

/// What became of the drawings of some pictures of a set.
public struct DrawingSummary: Sendable, Hashable, Codable {
    public struct Score: Sendable, Hashable, Codable {
        public var combination: DrawingScoreRecord.Combination
        /// Mean Dice over the pictures, a failed draw counting 0: what a user gets who asks once.
        public var dice: Double
        /// From subjects, slices or pictures drawn with replacement (percentile bootstrap, 2000 resamples); nil for fewer than two of them.
        public var interval: ConfidenceInterval?
        /// Mean Dice of what could be read alone; nil where nothing could.
        public var diceOfRead: Double?
        /// Mean IoU, a failed draw counting 0.
        public var iou: Double
        /// Mean 95th percentile of the surface distances of what could be read, in `unit`.
        public var hausdorff95: Double?
        public var unit: String
    }

    public var set: String
    public var dataset: String
    public var drawer: String
    public var kind: DrawingSetRecord.Kind
    public var shape: String
    public var part: DrawingRecord.Part
    public var fixture: Bool
    public var refinement: String
    public var pictures: Int
    /// Whether all that was asked for has come to its end; false while a session is under way, or where one was broken off.
    public var finished: Bool
    /// Pictures that were drawn and are not scored: a session is under way, or died. They count in no mean.
    public var unscored: Int
    /// Labelled training pictures that the drawings were made with (those of a static box); 0 for none.
    public var labels: Int
    public var totals: DrawingTotals
    /// Failed draws by reason.
    public var failures: [String: Int]
    /// What was mended, by kind, in how many drawings.
    public var repairs: [String: Int]
    /// Mean over the pictures with at least two drawings.
    public var selfConsistency: Double?
    /// What the intervals were resampled by.
    public var resampledBy: ResamplingUnits.Kind
    /// How many of these there are.
    public var units: Int
    /// What the dataset says that all pictures are of, one subject or one slice; nil else.
    public var allOfOne: ResamplingUnits.Kind?
    /// Empty for the training part, which is never scored.
    public var scores: [Score]

    /// - Parameters:
    ///   - set: as the store has it now.
    ///   - dataset: says which pictures are of one subject; nil takes each by itself.
    /// - Throws: `StoreError`.
    public init(
        of set: DrawingSetRecord, in store: ResultStore, samples: [String], part: DrawingRecord.Part = .heldOut,
        refinement: String = "", dataset source: Dataset? = nil
    ) throws {
        guard let id = set.id else { throw StoreError.noSuchRun(name: set.path, study: set.study) }
        let wanted = Set(samples)
        let all = try store.drawings(set: id)
        let rows = all.filter { wanted.contains($0.sample) && $0.part == part }
        let scored = try store.drawingScores(set: id).filter {
            wanted.contains($0.sample) && $0.refinement == refinement
        }
        (self.set, dataset, drawer, kind, shape) = (set.path, set.dataset, set.drawer, set.kind, set.shape)
        (self.part, fixture, self.refinement) = (part, set.fixture, refinement)
        pictures = samples.count
        finished = part == .training || !set.isUnfinished(all)
        labels = source.map { set.labels(in: $0) } ?? (set.look == .staticBox ? DrawingSkill.boxLabels : 0)
        totals = DrawingTotals(rows)
        failures = Self.counts(rows.filter { $0.status == .failed }.map { $0.failure ?? "unknown" })
        // Without what was counted: "vertices repeated: 3" is "vertices repeated".
        repairs = Self.counts(
            rows.flatMap { row in Set(row.repairs.map { String($0.prefix { $0 != ":" }) }) })
        let bySample = Dictionary(grouping: scored, by: \.sample)
        let consistencies = samples.compactMap { bySample[$0]?.compactMap(\.selfConsistency).first }
        selfConsistency = Statistics.mean(consistencies)
        let units = source?.resamplingUnits(of: samples) ?? ResamplingUnits(images: samples)
        (resampledBy, self.units, allOfOne) = (units.kind, units.count, units.allOfOne)
        let open = part == .heldOut ? Self.unscored(rows, scored) : []
        unscored = open.count
        let counted = samples.filter { !open.contains($0) }
        scores = DrawingScoreRecord.Combination.allCases.compactMap { combination in
            Self.score(combination, scored, rows, counted, units)
        }
    }

    /// Pictures with a draw that was read and has no score yet.
    private static func unscored(_ rows: [DrawingRecord], _ scored: [DrawingScoreRecord]) -> Set<String> {
        func draws(_ list: [(String, Int)]) -> [String: Set<Int>] {
            list.reduce(into: [:]) { $0[$1.0, default: []].insert($1.1) }
        }
        let drawn = draws(rows.filter { $0.status == .drawn && $0.turn == 0 }.map { ($0.sample, $0.draw) })
        let done = draws(scored.filter { $0.combination == .single }.map { ($0.sample, $0.draw) })
        return Set(drawn.filter { !$0.value.subtracting(done[$0.key] ?? []).isEmpty }.keys)
    }

    private static func counts(_ names: [String]) -> [String: Int] {
        names.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    private static func score(
        _ combination: DrawingScoreRecord.Combination, _ scored: [DrawingScoreRecord], _ rows: [DrawingRecord],
        _ samples: [String], _ units: ResamplingUnits
    ) -> Score? {
        let mine = Dictionary(grouping: scored.filter { $0.combination == combination }, by: \.sample)
        let settled = Dictionary(grouping: rows.filter { $0.status.isSettled && $0.turn == 0 }, by: \.sample)
        let isOfDraws = [.single, .kept, .last].contains(combination)
        // A consensus was asked for where there are several draws, read or not.
        let asked = samples.filter { sample in
            let count = settled[sample]?.count ?? 0
            return isOfDraws ? count > 0 : count > 1
        }
        guard !asked.isEmpty, combination == .single || !mine.isEmpty else { return nil }
        func mean(_ sample: String, _ value: (DrawingScoreRecord) -> Double) -> Double {
            let all = mine[sample] ?? []
            let count = isOfDraws ? settled[sample]?.count ?? 1 : 1
            return all.reduce(0) { $0 + value($1) } / Double(count)
        }
        let dice = asked.map { mean($0, \.dice) }
        // In the order of the pictures, so that sums are the same each time.
        let read = samples.flatMap { mine[$0] ?? [] }
        return Score(
            combination: combination, dice: Statistics.mean(dice) ?? 0,
            interval: (try? units.groups(asked)).flatMap { groups in
                Statistics.clusterBootstrapMean(groups.map { $0.map { dice[$0] } }, resamples: 2000, seed: 1)
            },
            diceOfRead: Statistics.mean(read.map(\.dice)),
            iou: Statistics.mean(asked.map { mean($0, \.iou) }) ?? 0,
            hausdorff95: Statistics.mean(read.map(\.hausdorff95)), unit: read.first?.unit ?? "px")
    }
}
