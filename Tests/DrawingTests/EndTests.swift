import Datasets
import Foundation
import Metrics
import Polygons
import ResultStore
import TestSupport
import Testing

@testable import Drawing

/// A pyramid whose first looks are coarse and whose last are fine: whoever takes the wrong one is told apart by the Dice.
@Suite("What a drawing ends with")
struct EndTests {
    private static func specks(_ place: DrawingPlace) throws -> Dataset {
        let ids = (0..<16).map { "s\($0 + 10)" }
        return try place.addSpecks("specks", ids: ids, heldOut: 0.25) { (40 + $0 * 5 % 31, 30 + $0 * 7 % 23) }
    }

    private static let pyramid = DrawingSettings(size: 256, skill: .look(.pyramid))

    private func mean(
        _ session: DrawingSession, _ part: DrawingRecord.Part, _ choice: DrawnMasks.Choice
    ) throws -> Double {
        let drawn = try DrawnMasks.all(
            of: session.set, in: session.store, dataset: session.dataset, part: part, choice)
        let dice = try drawn.map { sample, masks in
            let truth = try Mask(try session.dataset.truth(sample)).values
            return try ConfusionCounts(predicted: try #require(try masks.outcome).values, truth: truth).dice
        }
        return dice.reduce(0, +) / Double(dice.count)
    }

    @Test("a refinement is fitted on the last looks")
    func refine() async throws {
        let place = try DrawingPlace()
        let dataset = try Self.specks(place)
        let server = try Seer(grain: 32).server()
        defer { server.stop() }
        let session = try place.session("seer", Self.pyramid, server: server, dataset: "specks")
        _ = try await session.run(part: .training, limit: 4)
        let samples = DrawingSession.spread(dataset.split.training, 4)
        let refinement = try StoredRefinement(
            fittedOn: session.set, in: session.store, dataset: dataset, samples: samples, generations: 1)
        let (first, end) = (try mean(session, .training, .first), try mean(session, .training, .end))
        #expect(end > first + 0.1)
        #expect(abs(refinement.fit.drawnDice - end) < 1e-9, "\(refinement.fit.drawnDice): \(first) or \(end)")
        #expect(refinement.labels == 4 && refinement.boxSamples.isEmpty && refinement.name.hasPrefix("n4-"))
    }

    @Test("gates between two sets compare last looks")
    func gates() async throws {
        let place = try DrawingPlace()
        let dataset = try Self.specks(place)
        let server = try Seer(grain: 32).server()
        defer { server.stop() }
        let plain = try place.session("seer", DrawingSettings(size: 256), server: server, dataset: "specks")
        _ = try await plain.run()
        let session = try place.session("seer", Self.pyramid, server: server, dataset: "specks")
        let summary = try await session.run()
        let last = try #require(summary.scores.first { $0.combination == .last }).dice
        let never = try mean(plain, .heldOut, .end)
        for gate in try GateMeasurement.measure(
            plain: plain.set, skilled: session.set, in: session.store, dataset: dataset)
        {
            #expect(abs(gate.trust.dice(.always) - last) < 1e-9 && abs(gate.trust.dice(.never) - never) < 1e-9)
            #expect(gate.trust.dice(.always) > gate.trust.dice(.never) + 0.1)
            // Four pictures by themselves are too few for a verdict.
            #expect(gate.verdict == "too few images to tell (4)" && !gate.trust.isValid)
        }
    }

    @Test("the consensus of several draws is of their last looks, and so is their self-consistency")
    func consensus() async throws {
        let place = try DrawingPlace()
        let dataset = try Self.specks(place)
        let server = try answering { request in
            request.pictures.first.map(Seer(grain: request.index % 2 == 0 ? 32 : 16).answer) ?? "none"
        }
        defer { server.stop() }
        var settings = Self.pyramid
        settings.draws = 3
        let session = try place.session("seer", settings, server: server, dataset: "specks")
        let summary = try await session.run()
        let majority = try #require(summary.scores.first { $0.combination == .majority }).dice
        let (first, end) = (try mean(session, .heldOut, .first), try mean(session, .heldOut, .end))
        #expect(abs(majority - end) < 1e-9 && abs(first - end) > 0.05, "\(majority): \(first) or \(end)")
        let drawn = try DrawnMasks.all(of: session.set, in: session.store, dataset: dataset)
        let scores = try session.store.drawingScores(set: try #require(session.set.id))
        for (sample, masks) in drawn {
            let score = try #require(scores.first { $0.sample == sample && $0.combination == .majority })
            #expect(score.selfConsistency == (try Consensus.selfConsistency(masks.masks)))
        }
        let problems = try DrawingInspection(session.store, workspace: place.workspace, study: "default").problems()
        #expect(problems.isEmpty, "\(problems)")
    }

    @Test("a static box has seen the labels of its box, and a fit on it those of both")
    func labels() async throws {
        let place = try DrawingPlace()
        let dataset = try Self.specks(place)
        let server = try Seer(grain: 16).server()
        defer { server.stop() }
        let session = try place.session(
            "seer", DrawingSettings(size: 256, skill: .look(.staticBox)), server: server, dataset: "specks")
        #expect(try await session.run().labels == 10 && session.set.labels(in: dataset) == 10)
        func fit(_ count: Int) async throws -> StoredRefinement {
            _ = try await session.run(part: .training, limit: count)
            return try StoredRefinement(
                fittedOn: session.set, in: session.store, dataset: dataset,
                samples: DrawingSession.spread(dataset.split.training, count), generations: 1)
        }
        // The five are among the ten, as every smaller choice is among a larger one.
        let few = try await fit(5)
        #expect(few.fit.labels == 5 && few.labels == 10 && few.name.hasPrefix("n10-"), "\(few.name)")
        let many = try await fit(12)
        #expect(many.labels == 12 && many.name.hasPrefix("n12-") && many.boxSamples.count == 10)
        let file = place.workspace.root.appending(path: "r.json")
        try few.write(to: file)
        #expect(try StoredRefinement(contentsOf: file) == few)
        // One from before the labels of the box were kept is not taken for another.
        let old = try String(contentsOf: file, encoding: .utf8).replacing(#""schema" : 2"#, with: #""schema" : 1"#)
        try Data(old.utf8).write(to: file)
        #expect(
            throws: DrawingError.damaged(
                what: file.path(percentEncoded: false),
                reason: "its schema is 1 and this version reads 2: fit it again with `llmbench polygon refine`")
        ) { try StoredRefinement(contentsOf: file) }
        let gates = try GateMeasurement.measure(
            plain: session.set, refinement: few, in: session.store, dataset: dataset)
        #expect(gates.allSatisfy { $0.labels == 10 && $0.title.hasSuffix("(10 labels)") })
        let plain = try place.session("seer", DrawingSettings(size: 256), server: server, dataset: "specks")
        #expect(try await plain.run().labels == 0)
        #expect(
            try GateMeasurement.measure(plain: plain.set, skilled: session.set, in: session.store, dataset: dataset)
                .allSatisfy { $0.title == "static-box (10 labels)" })
    }

    @Test("a second look across slices that is adopted without its row has the hash of what was sent")
    func adoptedLook() async throws {
        let place = try DrawingPlace()
        let ids = (0..<3).flatMap { volume in (0..<6).map { "v\(volume)-z\($0)" } }
        _ = try place.addSpecks("volumes", ids: ids, heldOut: 0.34, groupBy: "^(v[0-9]+)-") {
            (60 + $0 % 6 * 2, 50 + $0 / 6 * 4)
        }
        let server = try Seer(grain: 4).server()
        defer { server.stop() }
        let settings = DrawingSettings(size: 256, skill: .look(.crossSlice))
        let session = try place.session("seer", settings, server: server, dataset: "volumes")
        let summary = try await session.run()
        let rows = try session.store.drawings(set: try #require(session.set.id))
        #expect(rows.contains { $0.turn == 1 })
        let asked = server.requests.count
        // The database is younger than the folder.
        let another = try DrawingSession(
            workspace: place.workspace, study: "default", drawer: "seer", dataset: "volumes", settings: settings,
            reach: .init(baseURL: server.baseURL),
            store: ResultStore(path: place.workspace.root.appending(path: "new.sqlite")))
        #expect(try await another.run().totals == summary.totals)
        #expect(server.requests.count == asked)
        let adopted = try another.store.drawings(set: try #require(another.set.id))
        #expect(adopted.map(\.requestHash) == rows.map(\.requestHash))
        let problems = try DrawingInspection(another.store, workspace: place.workspace, study: "default").problems()
        #expect(problems.isEmpty, "\(problems)")
    }
}
