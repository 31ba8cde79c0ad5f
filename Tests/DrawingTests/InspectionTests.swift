import Datasets
import Endpoints
import Foundation
import Polygons
import ResultStore
import TestSupport
import Testing

@testable import Drawing

@Suite("Drawings against their replies")
struct InspectionTests {
    /// A set of two draws, one of looks, a loop with its kept drawings, and a control.
    private func filled() async throws -> (place: DrawingPlace, sets: [DrawingSession]) {
        let place = try DrawingPlace()
        let server = try answering { request in
            guard request.index != 1 else { return "I'd rather not." }
            return request.pictures.first.map(Seer(grain: 8).answer) ?? "no picture"
        }
        defer { server.stop() }
        let sessions = [
            try place.session("seer", DrawingSettings(draws: 2, size: 128, grid: true), server: server),
            try place.session("seer", DrawingSettings(size: 128, skill: .look(.pyramid)), server: server),
            try place.session("seer", DrawingSettings(size: 128, turns: 2), server: server),
            try place.session("control-otsu"),
        ]
        for session in sessions { _ = try await session.run() }
        return (place, sessions)
    }

    private func problems(_ place: DrawingPlace, _ session: DrawingSession) throws -> [DrawingInspection.Problem] {
        try DrawingInspection(session.store, workspace: place.workspace, study: "default").problems()
    }

    private func folder(_ place: DrawingPlace, _ session: DrawingSession, _ path: String) throws -> URL {
        let sample = try #require(try place.heldOut.first)
        return place.workspace.generated.appending(path: "\(session.set.path)/\(sample)/\(path)")
    }

    private func row(_ session: DrawingSession, draw: Int = 0, turn: Int = 0) throws -> DrawingRecord {
        let sample = try #require(session.dataset.split.heldOut.first)
        return try #require(
            try session.store.drawings(set: session.set.id ?? 0, sample: sample, draw: draw, turn: turn).last)
    }

    @Test("what nobody touched holds together")
    func sound() async throws {
        let (place, sets) = try await filled()
        #expect(try problems(place, sets[0]).isEmpty)
        #expect(try sets[0].store.drawings(set: sets[0].set.id ?? 0).contains { $0.status == .failed })
    }

    @Test("a reply, a mask, a reading and a status that were changed are each found")
    func readings() async throws {
        let (place, sets) = try await filled()
        let before = try row(sets[0])
        func only(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let found = try problems(place, sets[0]).filter { $0.kind == .wrong && $0.place.hasSuffix("/draw-00") }
            #expect(found.contains { $0.what.contains(what) }, "\(found)", sourceLocation: sourceLocation)
        }
        var other = before
        other.shape = try ShapeText(.boxes([Box(left: 1, top: 1, right: 9, bottom: 9)])).json
        try sets[0].store.updateDrawing(other)
        try only("its stored shape is not the one that its reply gives")
        other = before
        other.repairs = ["3 vertices repeated"]
        other.dress = "prose"
        try sets[0].store.updateDrawing(other)
        try only("its repairs is stored as '3 vertices repeated'")
        try only("its dress is stored as 'prose'")
        other = before
        (other.status, other.shape, other.failure) = (.failed, nil, "the answer is empty")
        try sets[0].store.updateDrawing(other)
        try only("its status is stored as 'failed' and its reply reads as 'drawn'")
        try sets[0].store.updateDrawing(before)
        #expect(try problems(place, sets[0]).isEmpty)
        let file = try folder(place, sets[0], "draw-00/reply.json")
        let reply = try Data(contentsOf: file)
        var changed = try JSONDecoder().decode(ChatReply.self, from: reply)
        changed.content = #"{"polygons": [[[1, 1], [50, 1], [50, 50]]]}"#
        try JSONEncoder().encode(changed).write(to: file)
        try only("its stored shape is not the one that its reply gives")
        try Data("{".utf8).write(to: file)
        try only("its reply.json is no reply of this harness")
        try reply.write(to: file)
        #expect(try problems(place, sets[0]).isEmpty)
    }

    @Test("a request, a window and a picture that were changed are each found")
    func requests() async throws {
        let (place, sets) = try await filled()
        let file = try folder(place, sets[0], "draw-00/request.json")
        let request = try Data(contentsOf: file)
        try Data(String(decoding: request, as: UTF8.self).replacing("the blob", with: "the dog").utf8).write(to: file)
        #expect(
            try problems(place, sets[0]).map(\.what)
                == ["its request.json is not the request that the store has the hash of"])
        try FileManager.default.removeItem(at: file)
        #expect(
            try problems(place, sets[0]).map(\.what) == ["its request.json is missing or no request of this harness"])
        try request.write(to: file)
        let view = try folder(place, sets[1], "draw-00/turn-01/view.json")
        try Data(#"{"window": [0, 0, 20, 20]}"#.utf8).write(to: view)
        let found = try problems(place, sets[1])
        #expect(
            found.map(\.what)
                == ["the picture that was sent is not the one that dataset, settings and view.json give"])
        #expect(found.first?.place.hasSuffix("/draw-00/turn-01") == true)
    }

    @Test("scores that were changed, left out or made up are each found")
    func scores() async throws {
        let (place, sets) = try await filled()
        let sample = try #require(try place.heldOut.first)
        func found(_ index: Int, _ change: (inout [DrawingScoreRecord]) -> Void) throws -> [String] {
            let (store, id) = (sets[index].store, try #require(sets[index].set.id))
            let before = try store.drawingScores(set: id).filter { $0.sample == sample }
            var after = before
            change(&after)
            try store.storeDrawingScores(after, set: id, sample: sample, refinement: "")
            defer { try? store.storeDrawingScores(before, set: id, sample: sample, refinement: "") }
            return try problems(place, sets[index]).map(\.what)
        }
        let dice = try found(3) { $0[0].dice -= 0.01 }
        #expect(dice.count == 1 && dice[0].contains("its Dice of 'single 0' is stored as"))
        let distance = try found(0) { scores in
            for index in scores.indices where scores[index].combination == .single { scores[index].hausdorff95 += 1 }
        }
        #expect(!distance.isEmpty && distance.allSatisfy { $0.contains("its HD95 of 'single") })
        #expect(try found(3) { $0 = [] } == ["its score 'single 0' is missing"])
        let made = try found(3) { scores in
            scores[0].draw = 7
        }
        #expect(
            made == ["its score 'single 0' is missing", "its score 'single 7' is of no drawing that could be read"])
        let kept = try found(2) { scores in
            for index in scores.indices where scores[index].combination == .kept { scores[index].dice = 0.123 }
        }
        #expect(kept.count == 1 && kept[0].contains("a stored Dice of 0.123, which none of its drawings has"))
        #expect(try problems(place, sets[0]).isEmpty)
    }

    @Test("a drawing without a reply, a reply without a drawing and a score without either are orphans")
    func orphans() async throws {
        let (place, sets) = try await filled()
        let files = FileManager.default
        let reply = try folder(place, sets[0], "draw-00/reply.json")
        let stray = try folder(place, sets[0], "draw-05")
        try files.createDirectory(at: stray, withIntermediateDirectories: true)
        try files.copyItem(at: reply, to: stray.appending(path: "reply.json"))
        let elsewhere = place.workspace.generated.appending(path: "default/blobs/ghost/polygon/00000000/p00/draw-00")
        try files.createDirectory(at: elsewhere, withIntermediateDirectories: true)
        try files.copyItem(at: reply, to: elsewhere.appending(path: "reply.json"))
        try files.removeItem(at: reply)
        var score = try #require(try sets[3].store.drawingScores(set: sets[3].set.id ?? 0).first)
        score.sample = "nobody"
        try sets[3].store.storeDrawingScores([score], set: score.setId, sample: "nobody", refinement: "")
        let found = try problems(place, sets[0])
        #expect(found.count == 4 && found.allSatisfy { $0.kind == .orphan }, "\(found)")
        #expect(found.contains { $0.what == "it is stored as drawn and has no reply on disk" })
        #expect(found.count { $0.what == "a reply lies there and no drawing in the store speaks of it" } == 2)
        #expect(found.contains { $0.place.hasSuffix("/nobody") && $0.what == "it is scored and has no drawing" })
    }

    @Test("a set whose folder is gone is one finding")
    func folderGone() async throws {
        let (place, sets) = try await filled()
        try FileManager.default.removeItem(
            at: place.workspace.generated.appending(path: sets[0].set.path, directoryHint: .isDirectory))
        let found = try problems(place, sets[0])
        #expect(found.map(\.what) == ["its folder of requests and replies is gone"])
        #expect(found.first?.kind == .orphan && found.first?.place == sets[0].set.path)
    }

    @Test("a set whose dataset has changed or is gone is said not to have been looked at")
    func unseen() async throws {
        let (place, sets) = try await filled()
        let dataset = sets[0].dataset
        try PNG.write(Image(width: 48, height: 32, channels: 1), to: dataset.imageURL(dataset.split.training[0]))
        let changed = try problems(place, sets[0])
        #expect(changed.count == 4 && changed.allSatisfy { $0.kind == .unseen && $0.what.contains("has changed") })
        try FileManager.default.removeItem(at: dataset.folder)
        let gone = try problems(place, sets[0])
        #expect(gone.count == 4 && gone.allSatisfy { $0.kind == .unseen && $0.what.contains("cannot be read") })
    }
}
