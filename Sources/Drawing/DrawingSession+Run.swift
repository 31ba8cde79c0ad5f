import Endpoints
import Exchanges
import Files
import Foundation
import Metrics
import Polygons
import ResultStore

/// What happens while drawings are made, for the terminal.
public enum DrawingEvent: Sendable {
    /// A request leaves.
    case asking(sample: String, draw: Int)
    case receiving(sample: String, draw: Int, bytes: Int)
    /// A drawing has its result; `isNew` is false for one that an earlier call made.
    case settled(DrawingRecord, isNew: Bool)
    /// A reply that never became whole: it is asked for again.
    case lost(DrawingRecord)
}

extension DrawingSession {
    /// Draws every picture of a part as often as the settings say, and scores the held-out ones.
    ///
    /// Whatever ends it, what was drawn of the held-out pictures is scored; the set has an end (`endedAt`) only where nothing was left open.
    ///
    /// - Parameters:
    ///   - part: held-out pictures are scored; those of the training part are drawn for a refinement to be fitted on.
    ///   - limit: so many pictures, evenly spaced over the part; nil for all.
    ///   - budget: US dollars that the set may cost, what was spent before included.
    ///   - parallel: requests on their way at once, from 1 to 64; controls, and models behind a chat window, are asked one by one.
    ///   - stop: once it is requested no further request leaves and those on their way are awaited.
    /// - Throws: `DrawingError`, `EndpointError`, `StoreError`, `ExchangeFileError` and others: failures that are not the drawer's;
    ///   `CancellationError` where it was stopped. What was drawn stays, and the same call goes on from there.
    @discardableResult
    public func run(
        part: DrawingRecord.Part = .heldOut, limit: Int? = nil, budget: Double? = nil,
        parallel: Int = 1, refinement: StoredRefinement? = nil, stop: DrawingStop? = nil,
        observe: @escaping @Sendable (DrawingEvent) -> Void = { _ in }
    ) async throws -> DrawingSummary {
        if budget != nil, case .model(let card, _, _, _) = drawer, card.price == nil {
            throw DrawingError.budgetWithoutPrice(model: card.id)
        }
        guard Self.parallel.contains(parallel) else {
            throw DrawingError.number(
                setting: "--parallel", value: "\(parallel)",
                range: "a number from \(Self.parallel.lowerBound) to \(Self.parallel.upperBound)")
        }
        let lock = try locked()
        defer { lock.release() }
        var current = try stored()
        let samples = Self.spread(part == .heldOut ? dataset.split.heldOut : dataset.split.training, limit)
        // Only held-out pictures are scored, and a set is as finished as these are.
        if part == .heldOut {
            current.endedAt = nil
            try store.updateDrawingSet(current)
        }
        var failure: (any Error)?
        do {
            try await draw(samples, part, budget: budget, parallel: parallel, stop, observe)
        } catch {
            failure = error
        }
        if part == .heldOut {
            do {
                try score(refinement)
            } catch {
                throw failure ?? error
            }
        }
        if let failure { throw failure }
        if part == .heldOut, try !hasOpen() {
            current.endedAt = Date()
            try store.updateDrawingSet(current)
        }
        return try DrawingSummary(
            of: current, in: store, samples: samples, part: part, refinement: refinement?.name ?? "", dataset: dataset)
    }

    /// From pictures to rows with their results.
    private func draw(
        _ samples: [String], _ part: DrawingRecord.Part, budget: Double?, parallel: Int, _ stop: DrawingStop?,
        _ observe: @escaping @Sendable (DrawingEvent) -> Void
    ) async throws {
        let plan = samples.flatMap { sample in (0..<settings.draws).map { (sample, $0) } }
        switch drawer {
        case .model(let card, let endpoint, let prompt, let followUp):
            let (store, id) = (store, try setID())
            let admission = try RequestAdmission(
                budget: budget, planned: plan.count * settings.drawingsPerDraw, stop: stop
            ) {
                let rows = try store.drawings(set: id)
                return .init(
                    costs: rows.compactMap { row in row.cost.map { (row.turn, $0) } },
                    settled: rows.count(where: \.status.isSettled))
            }
            let asker = DrawingAsker(
                session: self, card: card, endpoint: endpoint, prompt: prompt, followUp: followUp,
                views: try DrawingViews(self, set: id, part: part), admission: admission, stop: stop, observe: observe)
            try asker.closeOpen()
            // The second look at a slice needs the first at all of its neighbours.
            let passes = settings.skill?.look == .crossSlice ? [0..<1, 1..<2] : [0..<settings.drawingsPerDraw]
            for turns in passes {
                try await asker.settle(plan, part, turns: turns, atOnce: isManual ? 1 : parallel)
            }
            try (endpoint as? RecordingEndpoint)?.requireWhole()
        case .control(let control):
            try drawControls(control, plan, part, stop, observe)
        }
    }

    /// Scores every held-out picture that anything was drawn of, also by an earlier call that died before it came to that.
    private func score(_ refinement: StoredRefinement?) throws {
        let drawn = Swift.Set(try heldOutRows().map(\.sample))
        let samples = dataset.split.heldOut.filter(drawn.contains)
        let scorer = DrawingScorer(store: store, dataset: dataset, set: set, gate: settings.loopGate)
        try scorer.score(samples)
        if let refinement { try scorer.score(samples, refinement: refinement) }
    }

    private func heldOutRows() throws -> [DrawingRecord] {
        try store.drawings(set: try setID()).filter { $0.part == .heldOut }
    }

    /// Whether a drawing of a held-out picture was asked for and has no result: of this call's pictures, or of others that an earlier one left.
    private func hasOpen() throws -> Bool {
        let drawings = Dictionary(grouping: try heldOutRows()) { "\($0.sample) \($0.draw) \($0.turn)" }
        return drawings.values.contains { !$0.contains(where: \.status.isSettled) }
    }

    private func setID() throws -> Int64 {
        guard let id = set.id else { throw DrawingError.unknownSet(name: set.path, study: set.study) }
        return id
    }

    /// The set as the store has it now.
    ///
    /// - Throws: `StoreError`.
    public func stored() throws -> DrawingSetRecord { try store.beginDrawingSet(set) }

    /// Whether every held-out picture has all its draws and they are scored.
    ///
    /// - Throws: `StoreError`.
    public var isWhole: Bool {
        get throws {
            guard try stored().endedAt != nil else { return false }
            let settled = Swift.Set(
                try heldOutRows().filter { $0.status.isSettled && $0.turn == 0 }.map { "\($0.draw) \($0.sample)" })
            return dataset.split.heldOut.allSatisfy { sample in
                (0..<settings.draws).allSatisfy { settled.contains("\($0) \(sample)") }
            }
        }
    }

    /// Requests that may be on their way at once.
    public static let parallel = 1...64

    /// Where one drawing lies in the folder of its set.
    static func place(_ sample: String, _ draw: Int, _ turn: Int) -> String {
        func number(_ index: Int) -> String { index < 10 ? "0\(index)" : "\(index)" }
        return "\(sample)/draw-\(number(draw))" + (turn > 0 ? "/turn-\(number(turn))" : "")
    }

    private func locked() throws -> FileLock {
        try ExchangeFiles.makeFolder(folder)
        do {
            return try FileLock(trying: folder.appending(path: ".lock"))
        } catch FileLock.Failure.held {
            throw DrawingError.locked(set: set.path)
        }
    }

    /// So many of a list in its order, evenly spaced, and part of any larger choice: the first places of van der Corput's sequence
    /// (1935), so that a larger `limit` adds to what was drawn for a smaller one.
    public static func spread(_ samples: [String], _ limit: Int?) -> [String] {
        guard let limit, limit < samples.count else { return samples }
        var chosen: Swift.Set<Int> = []
        var index = 0
        while chosen.count < limit {
            var (place, base, rest) = (0.0, 0.5, index)
            while rest > 0 {
                place += rest & 1 == 1 ? base : 0
                (rest, base) = (rest >> 1, base / 2)
            }
            chosen.insert(Int(place * Double(samples.count)))
            index += 1
        }
        return chosen.sorted().map { samples[$0] }
    }

    private func drawControls(
        _ control: Control, _ plan: [(String, Int)], _ part: DrawingRecord.Part, _ stop: DrawingStop?,
        _ observe: (DrawingEvent) -> Void
    ) throws {
        let id = try setID()
        let known = Dictionary(
            grouping: try store.drawings(set: id).filter(\.status.isSettled), by: { "\($0.draw) \($0.sample)" })
        var taught: TaughtControl?
        for (sample, draw) in plan {
            try Task.checkCancellation()
            if stop?.isRequested ?? false { throw CancellationError() }
            if let done = known["\(draw) \(sample)"]?.first {
                observe(.settled(done, isNew: false))
                continue
            }
            let drawer = try taught ?? TaughtControl(control, on: dataset)
            taught = drawer
            let image = try dataset.image(sample)
            let started = ContinuousClock.now
            let mask = try drawer.draw(
                image, truth: { try Mask(try dataset.truth(sample)) },
                seed: UInt64((settings.samplingSeed ?? 1) + draw))
            let elapsed = ContinuousClock.now - started
            var drawing = DrawingRecord(setId: id, part: part, sample: sample, draw: draw, status: .drawn)
            drawing.shape = try ShapeText(mask).json
            drawing.completedAt = Date()
            drawing.seconds = elapsed / .seconds(1)
            observe(.settled(try store.insertDrawing(drawing), isNew: true))
        }
    }
}
