import Datasets
import Drawing
import Endpoints
import Exchanges
import Files
import Foundation
import Metrics
import Polygons
import Prompts
import ResultStore
import TestSupport
import Testing

@Suite("Drawings from the picture to the store")
struct DrawingRunTests {
    private static let square = #"{"polygons": [[[100, 160], [300, 160], [300, 350], [100, 350]]]}"#

    @Test("answers in many dresses are read, failures are counted and never guessed, scores are of the original grid")
    func dresses() async throws {
        let place = try DrawingPlace()
        let samples = try place.heldOut
        func subject(_ index: Int, _ draw: Int) -> String { "blobs/\(samples[index])/polygon/plain/draw-\(draw)" }
        try place.tape([
            (subject(0, 0), Self.square), (subject(0, 1), "I'm sorry, I can't help with that."),
            (subject(1, 0), "Sure:\n```json\n\(Self.square)\n```"), (subject(1, 1), Self.square),
            (subject(2, 0), ""), (subject(2, 1), "[[100, 160], [300, 160], ..., [100, 350]]"),
        ])
        let session = try place.session("taped", DrawingSettings(draws: 2))
        let summary = try await session.run()
        #expect(summary.totals.drawn == 3 && summary.totals.failed == 3 && summary.fixture)
        #expect(summary.failures.values.reduce(0, +) == 3 && summary.failures["the model declined to draw"] == 1)
        let id = try #require(session.set.id)
        let rows = try session.store.drawings(set: id)
        #expect(rows.count == 6 && rows.allSatisfy { ($0.shape == nil) == ($0.status == .failed) })
        let scores = try session.store.drawingScores(set: id)
        #expect(scores.count { $0.combination == .single } == 3)
        #expect(scores.filter { $0.sample == samples[2] }.isEmpty)
        #expect(scores.count { $0.combination == .staple } == 2)
        // The square by hand: 512 pixels show 48 × 32 at a scale of 32/3, the picture begins 85 rows down.
        let image = try session.dataset.image(samples[1])
        let truth = try Mask(try session.dataset.truth(samples[1]))
        let scale = 48.0 / 512
        let box = Box(left: 100 * scale, top: (160 - 85) * 32 / 341, right: 300 * scale, bottom: (350 - 85) * 32 / 341)
        let wanted = try SegmentationScores(
            predicted: try DrawnShape.boxes([box]).mask(width: image.width, height: image.height), truth: truth)
        let found = try #require(scores.first { $0.sample == samples[1] && $0.combination == .single })
        #expect(found.dice == wanted.dice && found.hausdorff95 == wanted.hausdorff95 && found.iou == wanted.iou)
        #expect(scores.first { $0.sample == samples[1] && $0.combination == .majority }?.selfConsistency == 1)
        let single = try #require(summary.scores.first { $0.combination == .single })
        let all = scores.filter { $0.combination == .single }
        #expect(abs(single.dice - all.reduce(0) { $0 + $1.dice } / 6) < 1e-12)
        #expect(abs((single.diceOfRead ?? 0) - all.reduce(0) { $0 + $1.dice } / 3) < 1e-12)
        #expect(try session.store.integrityProblems().isEmpty)
    }

    @Test("the same call again asks nothing, more draws add to what is there")
    func again() async throws {
        let place = try DrawingPlace()
        let server = try answering { _ in Self.square }
        defer { server.stop() }
        let first = try await place.session("seer", server: server).run()
        #expect(server.requests.count == 3)
        let again = try await place.session("seer", server: server).run()
        #expect(server.requests.count == 3 && again == first)
        let session = try place.session("seer", DrawingSettings(draws: 3), server: server)
        let more = try await session.run()
        #expect(server.requests.count == 9 && more.totals.drawn == 9)
        #expect(session.set.draws == 3)
        // Another size is another question.
        _ = try await place.session("seer", DrawingSettings(size: 256), server: server).run(limit: 1)
        #expect(server.requests.count == 10)
        #expect(try session.store.drawingSets().count == 2)
        // What was charged: 400 tokens in at $10, 100 out at $100 a million.
        #expect(abs((more.totals.cost ?? 0) - 9 * 0.014) < 1e-9 && !more.totals.costIsEstimate)
    }

    @Test("a budget stops before the request that would pass it, and a higher one goes on")
    func budget() async throws {
        let place = try DrawingPlace()
        // 14 cents each, more than a request is estimated at.
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta(Self.square, finish: "stop")
            connection.usage(input: 4000, output: 1000)
            connection.done()
        }
        defer { server.stop() }
        let session = try place.session("seer", server: server)
        do {
            _ = try await session.run(budget: 0.3)
            Issue.record("it ran")
        } catch let error as DrawingError {
            #expect(
                error.description
                    == "the budget of $0.3000 is reached: $0.2800 were spent on 2 of 3 drawings, the next would cost about $0.1400; raise --budget and run the same command again"
            )
        }
        #expect(server.requests.count == 2)
        let summary = try await session.run(budget: 0.5)
        #expect(server.requests.count == 3 && summary.totals.drawn == 3)
        await #expect(throws: DrawingError.budgetWithoutPrice(model: "unpriced")) {
            try await place.session("unpriced", server: server).run(budget: 1)
        }
        #expect(server.requests.count == 3)
    }

    @Test("an endpoint that fails stops it; the row stays, and the same call asks again")
    func failingEndpoint() async throws {
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
        let summary = try await session.run()
        #expect(summary.totals.refused == 1 && summary.totals.drawn == 3 && server.requests.count == 4)
        // Nobody counted tokens.
        #expect(summary.totals.costIsEstimate)
    }

    @Test("a whole reply on disk is adopted where its row is still open, and where the database is gone")
    func adopted() async throws {
        let place = try DrawingPlace()
        let server = try answering { _ in Self.square }
        defer { server.stop() }
        let session = try place.session("seer", server: server)
        let wanted = try await session.run()
        let id = try #require(session.set.id)
        var row = try #require(try session.store.drawings(set: id).first)
        let before = row
        (row.status, row.shape, row.cost, row.seconds) = (.asked, nil, nil, nil)
        try session.store.updateDrawing(row)
        #expect(try await session.run().totals == wanted.totals)
        #expect(try session.store.drawings(set: id).first?.shape == before.shape)
        let another = try DrawingSession(
            workspace: place.workspace, study: "default", drawer: "seer", dataset: "blobs",
            settings: DrawingSettings(), reach: .init(baseURL: server.baseURL),
            store: ResultStore(path: place.workspace.root.appending(path: "new.sqlite")))
        #expect(try await another.run().totals == wanted.totals)
        #expect(server.requests.count == 3)
    }

    @Test("a reply that was cut is recorded as lost with its estimated cost, its bytes are kept, and it is asked again")
    func lost() async throws {
        let place = try DrawingPlace()
        let server = try answering { _ in Self.square }
        defer { server.stop() }
        let session = try place.session("seer", server: server)
        let sample = try #require(try place.heldOut.first)
        let id = try #require(session.set.id)
        _ = try session.store.insertDrawing(
            DrawingRecord(setId: id, part: .heldOut, sample: sample, draw: 0, requestHash: "r"))
        let folder = place.workspace.generated.appending(path: "\(session.set.path)/\(sample)/draw-00")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("I begin by".utf8).write(to: folder.appending(path: "reply.md.partial"))
        let summary = try await session.run()
        #expect(summary.totals.lost == 1 && summary.totals.drawn == 3 && server.requests.count == 3)
        let rows = try session.store.drawings(set: id, sample: sample, draw: 0)
        #expect(rows.map(\.status) == [.lost, .drawn] && (rows[0].cost ?? 0) > 0 && rows[0].costIsEstimate)
        #expect(try Data(contentsOf: folder.appending(path: "reply.md.lost-0")) == Data("I begin by".utf8))
    }

    @Test("boxes and points are asked for by prompts of their own")
    func otherShapes() async throws {
        let place = try DrawingPlace()
        let server = try answering { request in
            let body = String(decoding: request.body, as: UTF8.self)
            return body.contains("smallest upright box") ? #"{"boxes": [[100, 160, 300, 350]]}"# : "[200, 250]"
        }
        defer { server.stop() }
        let boxes = try await place.session("seer", DrawingSettings(shape: .box), server: server).run()
        #expect(boxes.totals.drawn == 3 && (boxes.scores.first?.dice ?? 0) > 0.5)
        let points = try place.session("seer", DrawingSettings(shape: .point), server: server)
        #expect(try await points.run().totals.drawn == 3)
        let masks = try DrawnMasks.all(of: points.set, in: points.store, dataset: points.dataset)
        #expect(masks.values.allSatisfy { $0.masks[0].area == 1 })
    }

    @Test("a router's choice is stored with its reason")
    func routed() async throws {
        let place = try DrawingPlace(channels: 3)
        let server = try answering { _ in Self.square }
        defer { server.stop() }
        let session = try place.session("seer", DrawingSettings(skill: .routed), server: server)
        _ = try await session.run(limit: 1)
        let id = try #require(session.set.id)
        let row = try #require(try session.store.drawings(set: id).first)
        #expect(row.route?.contains(": ") == true && session.set.skill == "auto")
    }
}

@Suite("Controls and ceilings")
struct ControlTests {
    @Test("draw without a key, score in the store, and draw the same again", arguments: Control.all.map(\.name))
    func draws(name: String) async throws {
        let place = try DrawingPlace()
        let session = try place.session(name)
        let summary = try await session.run()
        #expect(summary.totals.drawn == 3 && summary.totals.failed == 0 && summary.totals.cost == nil)
        #expect(session.set.kind == (name.hasPrefix("truth") ? .ceiling : .control) && !summary.fixture)
        let dice = try #require(summary.scores.first?.dice)
        switch name {
        case "control-random": #expect(dice < 0.9)
        case "control-otsu", "control-watershed", "control-grabcut": #expect(dice > 0.9)
        case "truth-60": #expect(dice > 0.97)
        default: #expect(dice > 0.5)
        }
        let other = try place.session(name, study: "again")
        #expect(try await other.run().scores == summary.scores)
        #expect(try await session.run() == summary)
    }

    @Test("what a stored shape gives back is the mask that was drawn")
    func exact() async throws {
        let place = try DrawingPlace()
        let session = try place.session("control-otsu")
        _ = try await session.run()
        let drawer = try TaughtControl(.otsu, on: session.dataset)
        for (sample, drawn) in try DrawnMasks.all(of: session.set, in: session.store, dataset: session.dataset) {
            let image = try session.dataset.image(sample)
            #expect(try drawn.masks == [drawer.draw(image, truth: { throw CancellationError() }, seed: 1)])
        }
    }

    @Test("no control but a ceiling looks at the truth of the picture")
    func blind() throws {
        struct Looked: Error {}
        let place = try DrawingPlace()
        let dataset = try DatasetCatalogue(root: place.workspace.datasets).load("blobs")
        let image = try dataset.image(try #require(dataset.split.heldOut.first))
        for control in Control.all {
            let drawer = try TaughtControl(control, on: dataset)
            if control.isCeiling {
                #expect(throws: Looked.self) { try drawer.draw(image, truth: { throw Looked() }, seed: 1) }
            } else {
                _ = try drawer.draw(image, truth: { throw Looked() }, seed: 1)
            }
        }
    }

    @Test("several random polygons differ, and have a consensus")
    func random() async throws {
        let place = try DrawingPlace()
        let summary = try await place.session("control-random", DrawingSettings(draws: 4)).run()
        #expect(summary.totals.drawn == 12 && (summary.selfConsistency ?? 1) < 0.9)
        #expect(summary.scores.map(\.combination) == [.single, .mean, .majority, .staple])
    }
}

@Suite("Drawings that cannot be") struct DrawingRefusalTests {
    @Test("each says what, where and what to do")
    func refusals() throws {
        let place = try DrawingPlace()
        func sentence(_ drawer: String, _ settings: DrawingSettings = .init(), dataset: String = "blobs") -> String {
            do {
                _ = try place.session(drawer, settings, dataset: dataset)
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(sentence("blind").hasPrefix("the card of blind does not say that it sees pictures: choose a model"))
        #expect(sentence("sear").contains("there is no model 'sear' in models.yaml: did you mean seer?"))
        #expect(
            sentence("control-oval").hasPrefix("there is no control 'control-oval': this version knows control-ellipse")
        )
        for name in ["truth-2", "truth-7", "truth-015", "truth-100"] {
            #expect(sentence(name).contains("there is no control '\(name)'"))
        }
        #expect(sentence("seer", dataset: "blob").contains("there is no dataset 'blob'"))
        #expect(sentence("seer", .init(draws: 0)) == "--draws 0: give a number from 1 to 64")
        #expect(sentence("seer", .init(size: 63)) == "--size 63: give a number from 64 to 4096")
        #expect(sentence("seer", .init(temperature: 3)) == "--temperature 3.0: give a number from 0 to 2")
        #expect(sentence("seer", .init(samplingSeed: -1)).hasPrefix("--sampling-seed -1: give a whole number"))
        #expect(sentence("unpriced", .init(temperature: 1)) == "unpriced takes no --temperature: leave it out")
        #expect(sentence("unpriced", .init(samplingSeed: 1)) == "unpriced takes no --sampling-seed: leave it out")
        #expect(sentence("control-otsu", .init(draws: 2)) == "control-otsu takes no --draws but 1: leave it out")
        #expect(
            sentence("control-otsu", .init(shape: .box)) == "control-otsu takes no --shape but polygon: leave it out")
        #expect(sentence("control-otsu", .init(grid: true)) == "control-otsu takes no --grid: leave it out")
        #expect(throws: DrawingError.unknownSkill(name: "sharp", known: DrawingSkill.names)) {
            try DrawingSkill(named: "sharp")
        }
        try FileManager.default.removeItem(at: place.workspace.prompts.appending(path: "polygon/general.md"))
        #expect(sentence("seer").contains("polygon/general.md cannot be read: there is no readable file of that name"))
        #expect(try ResultStore(path: place.workspace.database(study: "default")).drawingSets().isEmpty)
    }

    @Test("a set in the hands of another process is left alone")
    func locked() async throws {
        let place = try DrawingPlace()
        let session = try place.session("control-ellipse")
        let folder = place.workspace.generated.appending(path: session.set.path)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let lock = try FileLock(trying: folder.appending(path: ".lock"))
        defer { lock.release() }
        await #expect(throws: DrawingError.locked(set: session.set.path)) { try await session.run() }
    }

    @Test("controls of a dataset without foreground have nothing to learn from")
    func noForeground() async throws {
        let place = try DrawingPlace()
        let folder = place.workspace.datasets.appending(path: "blobs")
        let dataset = try Dataset.load(folder)
        let empty = try Image(width: 48, height: 32, channels: 1)
        for sample in dataset.split.training { try PNG.write(empty, to: dataset.maskURL(sample)) }
        for name in ["control-ellipse", "control-otsu"] {
            await #expect(throws: DrawingError.noTraining(dataset: "blobs")) { try await place.session(name).run() }
        }
    }

    @Test("a stored shape that is none is said to be damaged")
    func damaged() throws {
        for json in ["", "[1]", #"{"polygons":[[[[1,2,3]]]]}"#, #"{"boxes":[[1,2]]}"#, #"{"points":[[1]]}"#] {
            #expect(throws: DrawingError.self) { _ = try ShapeText(json: json).shape }
        }
    }

    @Test("sets are named by any unique part of their path")
    func names() async throws {
        let place = try DrawingPlace()
        let session = try place.session("control-otsu")
        _ = try place.session("control-ellipse")
        let store = session.store
        #expect(try store.drawingSet(named: "control-otsu", study: "default").path == session.set.path)
        #expect(try store.drawingSet(named: session.set.path, study: "default").path == session.set.path)
        #expect(throws: DrawingError.unknownSet(name: "otsu", study: "default")) {
            try store.drawingSet(named: "otsu", study: "default")
        }
        #expect(throws: DrawingError.self) { try store.drawingSet(named: "blobs", study: "default") }
    }
}

@Suite("Prompts for drawings") struct DrawingPromptTests {
    private func description(_ kind: String, title: String = "T") -> DatasetDescription {
        DatasetDescription(
            name: "d", title: title, imageKind: kind, foreground: "the target", foregroundHint: "small", channels: 1,
            maskSuffix: "", samples: 1, provenance: .init(sources: [], licence: "", notes: []), acquisitions: [:])
    }

    @Test("every template fills for every shape and convention, and says both")
    func fills() throws {
        let folder = DrawingPlace.checkout.appending(path: "prompts/polygon")
        let kinds = [
            "photographs", "MRI slices", "axial CT slices", "chest X-ray pictures", "dermoscopy", "colonoscopy frames",
        ]
        var hashes: Set<String> = []
        for kind in kinds {
            for shape in ShapeKind.allCases {
                for convention in [CoordinateConvention.pixels, .unit, .thousandths] {
                    let prompt = try DrawingPrompt(
                        for: description(kind), DrawingSettings(shape: shape, size: 300, convention: convention),
                        folder: folder)
                    #expect(prompt.text.contains(kind) && prompt.text.contains("\"\(shape.rawValue)"))
                    #expect(prompt.text.contains(convention == .pixels ? "to 300 at the right" : "to 1"))
                    #expect(!prompt.text.contains("{{") && prompt.text.utf8.count < 4000)
                    hashes.insert(prompt.templateSHA256)
                }
            }
        }
        #expect(hashes.count == kinds.count * 3)
        let grid = try DrawingPrompt(for: description("x"), DrawingSettings(grid: true), folder: folder)
        #expect(grid.text.contains("yellow lines"))
    }

    @Test(
        "the modality follows from the dataset's own words",
        arguments: [
            ("axial slices of a T1-weighted MRI of the head", Modality.mri), ("CT slices of the abdomen", .ct),
            ("dermoscopic photographs of skin", .dermoscopy), ("frames of a colonoscopy", .endoscopy),
            ("chest radiographs", .xray), ("pictures of structures", nil),
        ])
    func modality(kind: String, wanted: Modality?) {
        #expect(DrawingPrompt.modality(of: description(kind)) == wanted)
    }

    @Test("the guide of the polygon tells the model to draw no convex shape")
    func guide() throws {
        let text = try String(
            contentsOf: DrawingPlace.checkout.appending(path: "prompts/polygon/answer/polygon.md"), encoding: .utf8)
        #expect(text.contains("seldom convex"))
    }
}
