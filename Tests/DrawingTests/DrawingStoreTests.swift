import Foundation
import Testing

@testable import ResultStore

@Suite("Drawings in the store")
final class DrawingStoreTests {
    private let folder = FileManager.default.temporaryDirectory.appending(
        path: "llmbench-drawing-store-\(UUID().uuidString)", directoryHint: .isDirectory)

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    private func store() throws -> ResultStore { try ResultStore(path: folder.appending(path: "bench.sqlite")) }

    private func set(draws: Int = 1) -> DrawingSetRecord {
        DrawingSetRecord(
            path: "default/disc/tracer/polygon/00000000", study: "default", dataset: "disc", datasetHash: "h",
            drawer: "tracer", kind: .model, shape: "polygon", draws: draws, fixture: true)
    }

    @Test("a set begun twice is the same set, with as many draws as either asked for")
    func beginTwice() throws {
        let store = try store()
        let first = try store.beginDrawingSet(set(draws: 5))
        let again = try store.beginDrawingSet(set(draws: 3))
        #expect(again.id == first.id && again.draws == 5)
        #expect(try store.beginDrawingSet(set(draws: 7)).draws == 7)
        #expect(try store.drawingSets().count == 1)
    }

    @Test("rows come back as they were stored, in order, and are sound")
    func roundTrip() throws {
        let store = try store()
        let set = try #require(try store.beginDrawingSet(set()).id)
        var later = try store.insertDrawing(
            DrawingRecord(setId: set, part: .heldOut, sample: "b", draw: 0, requestHash: "r"))
        var earlier = DrawingRecord(setId: set, part: .heldOut, sample: "a", draw: 1, status: .failed)
        earlier.failure = "the answer is empty"
        earlier.askedAt = Date(timeIntervalSince1970: 1_750_000_000)
        earlier = try store.insertDrawing(earlier)
        later.status = .drawn
        later.askedAt = Date(timeIntervalSince1970: 1_750_000_001)
        later.repairs = ["lenient syntax", "3 vertices repeated"]
        later.shape = #"{"polygons":[[[[0,0],[1,0],[1,1]]]]}"#
        later.inputTokens = 900
        later.outputTokens = 80
        later.cost = 0.01
        try store.updateDrawing(later)
        #expect(try store.drawings(set: set) == [earlier, later])
        #expect(try store.drawings(set: set, sample: "b", draw: 0) == [later])
        let totals = DrawingTotals(try store.drawings(set: set))
        #expect(totals.requests == 2 && totals.drawn == 1 && totals.failed == 1 && totals.lost == 0)
        #expect(totals.inputTokens == 900 && totals.cost == 0.01 && !totals.costIsEstimate)
        #expect(try store.integrityProblems().isEmpty)
    }

    @Test("the same request cannot be stored twice")
    func unique() throws {
        let store = try store()
        let set = try #require(try store.beginDrawingSet(set()).id)
        let row = DrawingRecord(setId: set, part: .heldOut, sample: "a", draw: 0)
        _ = try store.insertDrawing(row)
        #expect(throws: StoreError.self) { try store.insertDrawing(row) }
        var next = row
        next.ordinal = 1
        _ = try store.insertDrawing(next)
        #expect(try store.drawings(set: set).map(\.ordinal) == [0, 1])
    }

    @Test("scores of a picture replace those of the same refinement and no others")
    func scores() throws {
        let store = try store()
        let set = try #require(try store.beginDrawingSet(set()).id)
        func score(_ combination: DrawingScoreRecord.Combination, _ dice: Double, refinement: String = "")
            -> DrawingScoreRecord
        {
            DrawingScoreRecord(
                setId: set, sample: "a", combination: combination, refinement: refinement, draws: 2, dice: dice,
                iou: dice / (2 - dice), precision: 1, recall: 1, specificity: 1, hausdorff95: 2,
                averageSurfaceDistance: 1, boundaryF1: 0.5, unit: "px", emptiness: "neither", selfConsistency: 0.8)
        }
        try store.storeDrawingScores([score(.majority, 0.5), score(.mean, 0.6)], set: set, sample: "a", refinement: "")
        try store.storeDrawingScores(
            [score(.majority, 0.7, refinement: "g")], set: set, sample: "a", refinement: "g")
        try store.storeDrawingScores([score(.majority, 0.55)], set: set, sample: "a", refinement: "")
        #expect(
            try store.drawingScores(set: set) == [score(.majority, 0.55), score(.majority, 0.7, refinement: "g")])
        #expect(try store.integrityProblems().isEmpty)
    }
}
