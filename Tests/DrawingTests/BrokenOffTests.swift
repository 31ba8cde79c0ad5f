import Datasets
import Endpoints
import Foundation
import Polygons
import ResultStore
import Synchronization
import TestSupport
import Testing

@testable import Drawing

@Suite("A session that is broken off")
struct BrokenOffTests {
    private static let square = #"{"polygons": [[[100, 160], [300, 160], [300, 350], [100, 350]]]}"#

    private func problems(_ place: DrawingPlace, _ session: DrawingSession) throws -> [DrawingInspection.Problem] {
        try DrawingInspection(session.store, workspace: place.workspace, study: "default").problems()
    }

    /// What is stored of the session: pictures with a score, and what a list of sets says.
    private func state(_ session: DrawingSession) throws -> (scored: Set<String>, summary: DrawingSummary) {
        let set = try session.stored()
        let id = try #require(set.id)
        let drawn = Set(try session.store.drawings(set: id).filter { $0.part == .heldOut }.map(\.sample)).sorted()
        return (
            Set(try session.store.drawingScores(set: id).map(\.sample)),
            try DrawingSummary(of: set, in: session.store, samples: drawn, dataset: session.dataset)
        )
    }

    private func scores(_ session: DrawingSession) throws -> [DrawingScoreRecord] {
        try session.store.drawingScores(set: session.set.id ?? -1).map {
            var score = $0
            score.setId = 0
            return score
        }
    }

    @Test(
        "by its budget: what was drawn is scored, the set is unfinished and not wrong, and ends as if it had not been")
    func budget() async throws {
        let place = try DrawingPlace()
        let server = try answering { _ in Self.square }
        defer { server.stop() }
        let session = try place.session("seer", server: server)
        await #expect(throws: DrawingError.self) { try await session.run(budget: 0.045) }
        let before = try state(session)
        #expect(before.scored.count == server.requests.count && (1...2).contains(server.requests.count))
        #expect(!before.summary.finished && before.summary.unscored == 0)
        #expect((before.summary.scores.first?.dice ?? 0) > 0.1, "\(before.summary)")
        let found = try problems(place, session)
        #expect(found.map(\.kind) == [.unfinished] && found.first?.place == session.set.path, "\(found)")
        #expect(try !session.isWhole)
        let after = try await session.run()
        #expect(after.finished && after.totals.drawn == 3 && server.requests.count == 3)
        #expect(try session.isWhole && problems(place, session).isEmpty)
        let whole = try place.session("seer", server: server, study: "whole")
        _ = try await whole.run()
        #expect(try scores(session) == scores(whole))
    }

    @Test("by a key that is refused: what was drawn is scored")
    func refusedKey() async throws {
        let place = try DrawingPlace()
        let isRefusing = Mutex(true)
        let server = try LoopbackServer { request, connection in
            guard request.index < 2 || isRefusing.withLock({ !$0 }) else {
                return connection.respond(401, body: #"{"error":{"message":"key expired"}}"#)
            }
            connection.beginEventStream()
            connection.delta(Self.square, finish: "stop")
            connection.done()
        }
        defer { server.stop() }
        let session = try place.session("seer", server: server)
        await #expect(throws: EndpointError.self) { try await session.run() }
        let before = try state(session)
        #expect(before.scored.count == 2 && before.summary.totals.refused == 1 && !before.summary.finished)
        #expect(try problems(place, session).map(\.kind) == [.unfinished])
        isRefusing.withLock { $0 = false }
        #expect(try await session.run().finished)
        #expect(try problems(place, session).isEmpty)
    }

    @Test(
        "by a wish to stop: nothing more is asked, what is on its way is awaited, stored and scored",
        .timeLimit(.minutes(40)))
    func stopped() async throws {
        let place = try DrawingPlace()
        let arrived = Mutex(0)
        let isHeld = Mutex(true)
        let server = try LoopbackServer { request, connection in
            if request.index > 0 {
                arrived.withLock { $0 += 1 }
                while isHeld.withLock({ $0 }), connection.isOpen { connection.pause(0.02) }
            }
            connection.beginEventStream()
            connection.delta(Self.square, finish: "stop")
            connection.usage(input: 400, output: 100)
            connection.done()
        }
        defer { server.stop() }
        let session = try place.session("seer", DrawingSettings(draws: 4), server: server)
        let stop = DrawingStop()
        let task = Task { try await session.run(parallel: 3, stop: stop) }
        while arrived.withLock({ $0 }) < 3 { try await Task.sleep(for: .milliseconds(20)) }
        stop.request()
        isHeld.withLock { $0 = false }
        await #expect(throws: CancellationError.self) { try await task.value }
        let rows = try session.store.drawings(set: try #require(session.set.id))
        #expect(server.requests.count == 4 && rows.map(\.status) == Array(repeating: .drawn, count: 4))
        let before = try state(session)
        #expect(before.scored == Set(rows.map(\.sample)) && !before.summary.finished && before.summary.unscored == 0)
        #expect(try problems(place, session).map(\.kind) == [.unfinished])
        #expect(try await session.run(parallel: 3).finished)
        #expect(server.requests.count == 12, "nothing was paid for twice")
    }

    @Test("a wish to stop ends a control, and no wish is left where everything was done")
    func stoppedControl() async throws {
        let place = try DrawingPlace()
        let session = try place.session("control-otsu")
        let stop = DrawingStop()
        await #expect(throws: CancellationError.self) {
            try await session.run(stop: stop) { event in
                if case .settled = event { stop.request() }
            }
        }
        let before = try state(session)
        #expect(before.scored.count == 1 && before.summary.totals.drawn == 1 && !before.summary.finished)
        #expect(try problems(place, session).map(\.kind) == [.unfinished])
        let late = DrawingStop()
        let done = Mutex(1)
        let summary = try await session.run(stop: late) { event in
            // With the last picture.
            if case .settled(_, true) = event,
                done.withLock({
                    $0 += 1
                    return $0
                }) == 3
            {
                late.request()
            }
        }
        #expect(summary.finished && summary.totals.drawn == 3)
    }

    @Test("a set that had ended is unfinished once it is begun again and broken off")
    func again() async throws {
        let place = try DrawingPlace()
        let server = try answering { _ in Self.square }
        defer { server.stop() }
        #expect(try await place.session("seer", server: server).run().finished)
        let session = try place.session("seer", DrawingSettings(draws: 2), server: server)
        #expect(try session.stored().endedAt != nil, "opening a session begins nothing")
        #expect(try !session.isWhole)
        await #expect(throws: DrawingError.self) { try await session.run(budget: 0.08) }
        #expect((4..<6).contains(server.requests.count))
        #expect(try session.stored().endedAt == nil)
        #expect(try problems(place, session).map(\.kind) == [.unfinished])
        #expect(try await session.run().finished)
        #expect(try session.isWhole)
    }

    @Test(
        "what a process drew before it was killed counts in no mean until it is scored, also by a call for fewer pictures"
    )
    func killed() async throws {
        let place = try DrawingPlace()
        let server = try answering { _ in Self.square }
        defer { server.stop() }
        let session = try place.session("seer", DrawingSettings(draws: 2), server: server)
        let whole = try await session.run()
        let wanted = try scores(session)
        let (store, id) = (session.store, try #require(session.set.id))
        let samples = try place.heldOut
        // As a process leaves it that dies after the last reply: one picture is not scored, one has the scores of its first draw.
        try store.storeDrawingScores([], set: id, sample: samples[0], refinement: "")
        try store.storeDrawingScores(
            try store.drawingScores(set: id).filter {
                $0.sample == samples[1] && $0.combination == .single && $0.draw == 0
            }, set: id, sample: samples[1], refinement: "")
        var set = try session.stored()
        set.endedAt = nil
        try store.updateDrawingSet(set)
        let summary = try state(session).summary
        #expect(summary.unscored == 2 && !summary.finished)
        let third = wanted.filter { $0.sample == samples[2] && $0.combination == .single }
        #expect(
            abs((summary.scores.first?.dice ?? 0) - third.reduce(0) { $0 + $1.dice } / Double(third.count)) < 1e-12,
            "the mean is of what is scored: \(summary.scores)")
        let found = try problems(place, session)
        #expect(found.map(\.kind) == [.unfinished] && found[0].what.contains("2 pictures are not scored yet"))
        // A score that was changed is wrong all the same.
        var changed = try #require(try store.drawingScores(set: id).first { $0.sample == samples[1] })
        changed.dice -= 0.25
        try store.storeDrawingScores([changed], set: id, sample: samples[1], refinement: "")
        #expect(try problems(place, session).map(\.kind) == [.unfinished, .wrong])
        _ = try await session.run(limit: 1)
        #expect(try scores(session) == wanted && server.requests.count == 6)
        #expect(try state(session).summary.scores == whole.scores)
    }

    @Test("a call for fewer pictures does not end what one for more left open")
    func fewer() async throws {
        let place = try DrawingPlace()
        let server = try LoopbackServer { request, connection in
            guard request.index != 1 else { return connection.respond(503, body: "{}") }
            connection.beginEventStream()
            connection.delta(Self.square, finish: "stop")
            connection.done()
        }
        defer { server.stop() }
        let session = try place.session("seer", server: server)
        await #expect(throws: EndpointError.self) { try await session.run() }
        #expect(try await !session.run(limit: 1).finished)
        #expect(try problems(place, session).map(\.kind) == [.unfinished])
        #expect(try await session.run().finished)
    }

    @Test("pictures that a refinement is fitted on neither end a set nor leave one unfinished")
    func training() async throws {
        let place = try DrawingPlace()
        let session = try place.session("control-ellipse")
        #expect(try await session.run(part: .training, limit: 3).finished)
        #expect(try session.stored().endedAt == nil && !session.isWhole && problems(place, session).isEmpty)
        _ = try await session.run(limit: 1)
        #expect(try session.stored().endedAt != nil && !session.isWhole)
        _ = try await session.run()
        #expect(try session.isWhole)
    }
}

@Suite("What a request is expected to cost")
struct AdmissionTests {
    private func refusal(
        _ costs: [(kind: Int, cost: Double)], kind: Int, expected: Double, budget: Double
    ) async throws -> Double? {
        let admission = try RequestAdmission(budget: budget, planned: 9) { .init(costs: costs, settled: costs.count) }
        do {
            let reserved = try await admission.admit(kind: kind, expected: expected)
            await admission.release(reserved, isAnswered: true)
            return nil
        } catch let error as DrawingError {
            guard case .budgetReached(_, _, let next, _, 9) = error else { throw error }
            return next
        }
    }

    @Test("what its own text and pictures are estimated at, or the dearest of its kind, whichever is more")
    func expectation() async throws {
        let cheap: [(kind: Int, cost: Double)] = [(0, 0.01), (0, 0.02)]
        // A second look with two pictures, when only first ones were paid for.
        #expect(try await refusal(cheap, kind: 1, expected: 0.05, budget: 0.07) == 0.05)
        #expect(try await refusal(cheap, kind: 1, expected: 0.05, budget: 0.081) == nil)
        // Of that kind one was dearer than estimated, and than any first look.
        #expect(try await refusal(cheap + [(1, 0.08)], kind: 1, expected: 0.05, budget: 0.18) == 0.08)
        #expect(try await refusal(cheap + [(1, 0.08)], kind: 0, expected: 0.005, budget: 0.1305) == nil)
        #expect(try await refusal(cheap + [(1, 0.08)], kind: 0, expected: 0.005, budget: 0.129) == 0.02)
        // Of a kind that nothing is known of the dearest of all is not too much.
        #expect(try await refusal(cheap, kind: 1, expected: 0, budget: 0.04) == 0.02)
        #expect(try await refusal([], kind: 0, expected: 0.3, budget: 0.2) == 0.3)
    }

    @Test("further looks that cost more than first ones do not pass the budget, however many are on their way")
    func dearerLooks() async throws {
        let place = try DrawingPlace()
        let ids = (0..<3).flatMap { volume in (0..<6).map { "v\(volume)-z\($0)" } }
        let dataset = try place.addSpecks("volumes", ids: ids, heldOut: 0.34, groupBy: "^(v[0-9]+)-") {
            (60 + $0 % 6 * 2, 50 + $0 / 6 * 4)
        }
        // Charged by the picture, as real endpoints do: a second look is twice as dear.
        let server = try LoopbackServer { request, connection in
            let pictures = request.pictures
            connection.beginEventStream()
            connection.delta(pictures.first.map(Seer(grain: 4).answer) ?? "none", finish: "stop")
            connection.usage(input: 10_000 * pictures.count, output: 10)
            connection.done()
        }
        defer { server.stop() }
        #expect(dataset.split.heldOut.count == 6)
        let session = try place.session(
            "seer", DrawingSettings(size: 1024, skill: .look(.crossSlice)), server: server, dataset: "volumes")
        // Six first looks at $0.101, and second ones at $0.201: two of them fit.
        let budget = 1.1
        await #expect(throws: DrawingError.self) { try await session.run(budget: budget, parallel: 4) }
        let rows = try session.store.drawings(set: try #require(session.set.id))
        let spent = rows.reduce(0) { $0 + ($1.cost ?? 0) }
        #expect(spent <= budget && rows.count { $0.turn == 0 } == 6 && rows.allSatisfy { $0.status == .drawn })
    }

    @Test("what a killed process left open is lost or read before anything is asked, so that the budget counts it")
    func leftOpen() async throws {
        let place = try DrawingPlace()
        let server = try answering { _ in #"{"polygons": [[[100, 160], [300, 160], [300, 350]]]}"# }
        defer { server.stop() }
        let session = try place.session("seer", server: server)
        let (store, id) = (session.store, try #require(session.set.id))
        let samples = try place.heldOut
        _ = try await session.run(limit: 1)
        let asked = server.requests.count
        var done = try #require(try store.drawings(set: id).first)
        let cost = try #require(done.cost)
        // Its reply is whole on disk; another never came.
        (done.status, done.shape, done.cost) = (.asked, nil, nil)
        try store.updateDrawing(done)
        let other = try #require(samples.last { $0 != done.sample })
        _ = try store.insertDrawing(
            DrawingRecord(setId: id, part: .heldOut, sample: other, draw: 0, requestHash: "r"))
        let lost = Mutex(0)
        do {
            _ = try await session.run(budget: 0.0001) { if case .lost = $0 { lost.withLock { $0 += 1 } } }
            Issue.record("it ran")
        } catch let error as DrawingError {
            guard case .budgetReached(_, let spent, _, 1, 3) = error else { throw error }
            let rows = try store.drawings(set: id)
            let open = try #require(rows.first { $0.sample == other })
            #expect(open.status == .lost && (open.cost ?? 0) > 0 && open.costIsEstimate)
            #expect(rows.first { $0.sample == done.sample }?.status == .drawn)
            #expect(abs(spent - cost - (open.cost ?? 0)) < 1e-12)
        }
        #expect(lost.withLock { $0 } == 1 && server.requests.count == asked)
    }
}
