import Datasets
import Endpoints
import Exchanges
import Foundation
import Metrics
import Polygons
import ResultStore

/// Whether the drawings of a study follow from the replies on disk: every reply is read and filled again, every score computed again.
///
/// Not looked at: masks of controls (nobody was asked), and scores after a refinement, whose file may lie anywhere.
public struct DrawingInspection: Sendable {
    /// One thing that does not follow.
    public struct Problem: Sendable, Hashable {
        public enum Kind: Sendable, Hashable {
            /// A number or a mask is not what its reply says.
            case wrong
            /// Something lies there that belongs to nothing.
            case orphan
            /// It could not be looked at.
            case unseen
            /// A session that is under way or was broken off: nothing is wrong, and not all is there.
            case unfinished
        }

        public var kind: Kind
        /// The set, or the drawing in it.
        public var place: String
        public var what: String
    }

    private let store: ResultStore
    private let workspace: Workspace
    private let study: String

    public init(_ store: ResultStore, workspace: Workspace, study: String) {
        (self.store, self.workspace, self.study) = (store, workspace, study)
    }

    /// - Throws: `StoreError`.
    /// - Complexity: every reply is read and filled, every drawing scored once.
    public func problems() throws -> [Problem] {
        let sets = try store.drawingSets().filter { $0.study == study }
        return try sets.flatMap { try problems(in: $0) } + orphanFolders(sets)
    }

    private func problems(in set: DrawingSetRecord) throws -> [Problem] {
        let dataset: Dataset
        do {
            dataset = try DatasetCatalogue(root: workspace.datasets).load(set.dataset)
            guard try dataset.contentHash() == set.datasetHash else {
                return [.init(kind: .unseen, place: set.path, what: "its dataset has changed since it was drawn")]
            }
        } catch {
            return [.init(kind: .unseen, place: set.path, what: "its dataset cannot be read: \(error)")]
        }
        let rows = try store.drawings(set: set.id ?? 0)
        var found: [Problem] = []
        if set.isUnfinished(rows) { found.append(try unfinished(set, rows)) }
        if set.kind == .model {
            guard let settings = DrawingSettings(of: set) else {
                return found + [
                    .init(
                        kind: .unseen, place: set.path,
                        what: "it was asked for in a way that this version does not know")
                ]
            }
            let folder = workspace.generated.appending(path: set.path, directoryHint: .isDirectory)
            guard rows.isEmpty || ExchangeFiles.exists(folder) else {
                found.append(.init(kind: .orphan, place: set.path, what: "its folder of requests and replies is gone"))
                return try found + wrongScores(set, rows, dataset)
            }
            for row in rows where row.status.isSettled { found += problems(of: row, set, settings, dataset) }
        }
        return try found + wrongScores(set, rows, dataset)
    }

    private func unfinished(_ set: DrawingSetRecord, _ rows: [DrawingRecord]) throws -> Problem {
        let samples = Swift.Set(rows.filter { $0.part == .heldOut }.map(\.sample)).sorted()
        let summary = try DrawingSummary(of: set, in: store, samples: samples)
        let open =
            summary.totals.requests - summary.totals.drawn - summary.totals.failed - summary.totals.lost
            - summary.totals.refused
        var parts = ["\(summary.totals.drawn + summary.totals.failed) drawings have their result"]
        if open > 0 { parts.append("\(open) requests are on their way or were cut") }
        if summary.unscored > 0 { parts.append("\(summary.unscored) pictures are not scored yet") }
        return .init(
            kind: .unfinished, place: set.path,
            what: "its session is under way or was broken off: \(parts.joined(separator: ", "))")
    }

    private func place(_ set: DrawingSetRecord, _ row: DrawingRecord) -> String {
        "\(set.path)/\(DrawingSession.place(row.sample, row.draw, row.turn))"
    }

    /// One drawing against its request and its reply.
    private func problems(
        of row: DrawingRecord, _ set: DrawingSetRecord, _ settings: DrawingSettings, _ dataset: Dataset
    ) -> [Problem] {
        let place = place(set, row)
        let folder = RoundDirectory(url: workspace.generated.appending(path: place, directoryHint: .isDirectory))
        func wrong(_ what: String) -> [Problem] { [.init(kind: .wrong, place: place, what: what)] }
        guard ExchangeFiles.exists(folder.replyFacts) else {
            return [
                .init(
                    kind: .orphan, place: place, what: "it is stored as \(row.status.rawValue) and has no reply on disk"
                )
            ]
        }
        guard let reply = folder.storedReply else {
            return wrong("its reply.json is no reply of this harness")
        }
        guard let request = folder.storedRequest else {
            return wrong("its request.json is missing or no request of this harness")
        }
        do {
            guard try request.sha256() == row.requestHash else {
                return wrong("its request.json is not the request that the store has the hash of")
            }
            let window = try settings.skill?.look == nil ? nil : DrawingView(in: folder.url).window
            let sent = try settings.sent(try dataset.image(row.sample), window: window)
            guard let shown = request.messages.first?.images.first, try sent.message() == shown else {
                return wrong("the picture that was sent is not the one that dataset, settings and view.json give")
            }
            return Self.differences(try Reading(row), try Reading(reply, sent, settings)).flatMap(wrong)
        } catch {
            return wrong("\(error)")
        }
    }

    /// What an answer was read as.
    private struct Reading {
        var shape: ShapeText?
        var facts: [(name: String, value: String)]

        init(_ row: DrawingRecord) throws {
            shape = try row.shape.map { try ShapeText(json: $0) }
            facts = [
                ("status", row.status.rawValue), ("convention", row.convention ?? "none"),
                ("dress", row.dress ?? "none"),
                ("repairs", row.repairs.joined(separator: ", ")), ("failure", row.failure ?? "none"),
            ]
        }

        init(_ reply: ChatReply, _ sent: SentPicture, _ settings: DrawingSettings) throws {
            var row = DrawingRecord(setId: 0, part: .heldOut, sample: "", draw: 0)
            do {
                let answer = try ReadDrawing(reply, on: sent, settings: settings)
                (row.status, row.convention, row.dress) = (.drawn, answer.convention, answer.dress)
                row.repairs = answer.repairs
                row.shape = try ShapeText(answer.shape).json
            } catch let failure as ReadDrawing.Failure {
                (row.status, row.failure) = (.failed, failure.reason)
            }
            try self.init(row)
        }
    }

    private static func differences(_ stored: Reading, _ read: Reading) -> [String] {
        var found = zip(stored.facts, read.facts).filter { $0.value != $1.value }.map {
            "its \($0.name) is stored as '\($0.value)' and its reply reads as '\($1.value)'"
        }
        if stored.shape != read.shape { found.append("its stored shape is not the one that its reply gives") }
        return found
    }

    private func wrongScores(
        _ set: DrawingSetRecord, _ rows: [DrawingRecord], _ dataset: Dataset
    ) throws -> [Problem] {
        let stored = Dictionary(
            grouping: try store.drawingScores(set: set.id ?? 0).filter { $0.refinement.isEmpty }, by: \.sample)
        let drawn = Dictionary(grouping: rows.filter { $0.part == .heldOut }, by: \.sample)
        let isUnfinished = set.isUnfinished(rows)
        var found: [Problem] = []
        for sample in Swift.Set(stored.keys).union(drawn.keys).sorted() {
            let place = "\(set.path)/\(sample)"
            let have = stored[sample] ?? []
            guard let mine = drawn[sample], dataset.split.heldOut.contains(sample) else {
                found.append(.init(kind: .orphan, place: place, what: "it is scored and has no drawing"))
                continue
            }
            do {
                // What the gate kept is one of the drawings of its draw; which gate it was is not stored.
                let due = try DrawingScorer(
                    store: store, dataset: dataset, set: set, gate: DrawingSettings().loopGate
                ).scores(of: sample, mine).filter { $0.combination != .kept }
                let kept = have.filter { $0.combination == .kept }
                // More draws and looks may have come to an unfinished set since it was scored: only what one drawing scored by itself stays.
                let fixed = have.filter { isUnfinished ? $0.combination == .single : $0.combination != .kept }
                let scored = Swift.Set(fixed.map(\.draw))
                found += Self.differences(
                    fixed, isUnfinished ? due.filter { $0.combination == .single && scored.contains($0.draw) } : due
                ).map { .init(kind: .wrong, place: place, what: $0) }
                found += try wrongKept(kept, mine, dataset, sample).map { .init(kind: .wrong, place: place, what: $0) }
            } catch {
                found.append(.init(kind: .wrong, place: place, what: "its scores cannot be computed: \(error)"))
            }
        }
        return found
    }

    private func wrongKept(
        _ kept: [DrawingScoreRecord], _ rows: [DrawingRecord], _ dataset: Dataset, _ sample: String
    ) throws -> [String] {
        guard !kept.isEmpty else { return [] }
        let truth = try Mask(try dataset.truth(sample))
        return try kept.compactMap { score in
            let all = try rows.filter { $0.draw == score.draw && $0.status == .drawn }.map { row in
                let masks = try DrawnMasks([row], width: truth.width, height: truth.height, turn: row.turn).masks
                return try masks.map { try ConfusionCounts(predicted: $0.values, truth: truth.values).dice }
            }.flatMap(\.self)
            return all.contains { abs($0 - score.dice) <= Self.tolerance }
                ? nil
                : "the kept drawing of draw \(score.draw) has a stored Dice of \(score.dice), which none of its drawings has"
        }
    }

    /// Between two computations of one score.
    private static let tolerance = 1e-9

    private static func differences(_ stored: [DrawingScoreRecord], _ due: [DrawingScoreRecord]) -> [String] {
        func key(_ score: DrawingScoreRecord) -> String { "\(score.combination.rawValue) \(score.draw)" }
        let have = Dictionary(stored.map { (key($0), $0) }, uniquingKeysWith: { $1 })
        let want = Dictionary(due.map { (key($0), $0) }, uniquingKeysWith: { $1 })
        return Swift.Set(have.keys).union(want.keys).sorted().flatMap { key -> [String] in
            guard let a = have[key] else { return ["its score '\(key)' is missing"] }
            guard let b = want[key] else { return ["its score '\(key)' is of no drawing that could be read"] }
            let values: [(String, Double, Double)] = [
                ("Dice", a.dice, b.dice), ("IoU", a.iou, b.iou), ("precision", a.precision, b.precision),
                ("recall", a.recall, b.recall), ("specificity", a.specificity, b.specificity),
                ("HD95", a.hausdorff95, b.hausdorff95),
                ("average surface distance", a.averageSurfaceDistance, b.averageSurfaceDistance),
                ("boundary F1", a.boundaryF1, b.boundaryF1),
                ("self-consistency", a.selfConsistency ?? -1, b.selfConsistency ?? -1),
            ]
            return values.filter { abs($0.1 - $0.2) > tolerance * max(1, abs($0.2)) }.map {
                "its \($0.0) of '\(key)' is stored as \($0.1) and its drawing has \($0.2)"
            }
        }
    }

    /// Replies below the folders of sets, or where sets would be, that no row speaks of.
    private func orphanFolders(_ sets: [DrawingSetRecord]) throws -> [Problem] {
        var known: Swift.Set<String> = []
        for set in sets {
            for row in try store.drawings(set: set.id ?? 0) { known.insert(place(set, row)) }
        }
        let root = workspace.generated.appending(path: study, directoryHint: .isDirectory)
        guard
            let all = FileManager.default.enumerator(atPath: root.path(percentEncoded: false))?.allObjects as? [String]
        else { return [] }
        return all.filter { $0.hasSuffix("/reply.json") && $0.contains("/draw-") }.sorted().compactMap { path in
            let place = "\(study)/\(path.dropLast("/reply.json".count))"
            // A dataset, a drawer, a shape, a hash, a picture, a draw: nothing else has a reply so deep below a folder `draw-…`.
            guard !known.contains(place), path.split(separator: "/").dropFirst(5).first?.hasPrefix("draw-") == true
            else { return nil }
            return .init(
                kind: .orphan, place: place, what: "a reply lies there and no drawing in the store speaks of it")
        }
    }
}

extension DrawingSettings {
    /// How a stored set was asked for; nil where it names what this version does not know.
    init?(of set: DrawingSetRecord) {
        guard let shape = ShapeKind(rawValue: set.shape), let size = set.imageSize,
            let convention = set.convention.flatMap(CoordinateConvention.init(rawValue:))
        else { return nil }
        let parts = (set.skill ?? "").split(separator: "+").filter { $0 != Self.loop }.joined(separator: "+")
        var skill: DrawingSkill?
        if !parts.isEmpty {
            guard let known = try? DrawingSkill(named: parts) else { return nil }
            skill = known
        }
        self.init(shape: shape, draws: set.draws, size: size, grid: set.grid, convention: convention, skill: skill)
    }
}
