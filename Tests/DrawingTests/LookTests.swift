import Datasets
import Foundation
import Metrics
import Polygons
import ResultStore
import TestSupport
import Testing

@testable import Drawing

@Suite("Where a model looks")
struct LookTests {
    private static func specks(_ place: DrawingPlace, decoy: Set<String> = []) throws -> Dataset {
        let ids = (0..<16).map { "s\($0 + 10)" }
        return try place.addSpecks("specks", ids: ids, heldOut: 0.25, decoy: decoy) {
            (40 + $0 * 5 % 31, 30 + $0 * 7 % 23)
        }
    }

    /// Two volumes to learn from, and one held out; the target moves from slice to slice.
    private static func volumes(_ place: DrawingPlace, decoy: Set<String> = []) throws -> Dataset {
        let ids = (0..<3).flatMap { volume in (0..<6).map { "v\(volume)-z\($0)" } }
        return try place.addSpecks("volumes", ids: ids, heldOut: 0.34, groupBy: "^(v[0-9]+)-", decoy: decoy) {
            (60 + $0 % 6 * 2, 50 + $0 / 6 * 4)
        }
    }

    private struct View: Decodable {
        var window: [Double]?
    }

    private func view(_ place: DrawingPlace, _ session: DrawingSession, _ drawing: String) throws -> [Double]? {
        let file = place.workspace.generated.appending(path: "\(session.set.path)/\(drawing)/view.json")
        return try JSONDecoder().decode(View.self, from: Data(contentsOf: file)).window
    }

    /// A window of a picture scaled to a square of `size` pixels with bars, made without the code under test: whole pixels, bilinear
    /// interpolation at half-pixel centres.
    private func expect(
        _ sent: Image, toShow window: [Double], of original: Image, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let (left, top) = (Int(window[0].rounded(.down)), Int(window[1].rounded(.down)))
        let (width, height) = (Int(window[2].rounded(.up)) - left, Int(window[3].rounded(.up)) - top)
        let scale = Double(sent.width) / Double(max(width, height))
        let (w, h) = (Int((Double(width) * scale).rounded()), Int((Double(height) * scale).rounded()))
        let (dx, dy) = ((sent.width - w) / 2, (sent.height - h) / 2)
        func axis(_ place: Int, _ from: Int, _ to: Int) -> (Int, Int, Double) {
            let at = min(max((Double(place) + 0.5) * Double(from) / Double(to) - 0.5, 0), Double(from - 1))
            return (Int(at), min(Int(at) + 1, from - 1), at - at.rounded(.down))
        }
        for y in 0..<sent.height {
            for x in 0..<sent.width {
                var wanted = 0.0
                if (dx..<dx + w).contains(x), (dy..<dy + h).contains(y) {
                    let ((x0, x1, fx), (y0, y1, fy)) = (axis(x - dx, width, w), axis(y - dy, height, h))
                    func sample(_ x: Int, _ y: Int) -> Double { Double(original[x: left + x, y: top + y]) }
                    wanted =
                        (sample(x0, y0) * (1 - fx) + sample(x1, y0) * fx) * (1 - fy)
                        + (sample(x0, y1) * (1 - fx) + sample(x1, y1) * fx) * fy
                }
                guard abs(Double(sent[x: x, y: y]) - wanted) <= 0.5 + 1e-2 else {
                    Issue.record(
                        "(\(x), \(y)): \(sent[x: x, y: y]) where \(wanted) belongs", sourceLocation: sourceLocation)
                    return
                }
            }
        }
    }

    @Test(
        "a pyramid looks into windows around what it found; raw, enhanced and gated are scored; nothing is asked twice")
    func pyramid() async throws {
        let place = try DrawingPlace()
        let dataset = try Self.specks(place)
        let server = try Seer(grain: 32).server()
        defer { server.stop() }
        let settings = DrawingSettings(size: 256, skill: .look(.pyramid))
        let session = try place.session("seer", settings, server: server, dataset: "specks")
        let summary = try await session.run()
        #expect(session.set.skill == "pyramid" && session.set.goesOn && !session.set.isLoop)
        #expect(summary.totals.drawn == 12 && server.requests.count == 12)
        let single = try #require(summary.scores.first { $0.combination == .single })
        let last = try #require(summary.scores.first { $0.combination == .last })
        let kept = try #require(summary.scores.first { $0.combination == .kept })
        #expect(last.dice > single.dice + 0.1 && kept.dice >= single.dice, "\(summary.scores)")
        let id = try #require(session.set.id)
        let rows = try session.store.drawings(set: id)
        #expect(rows.map(\.turn) == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])
        for (place_, sample) in dataset.split.heldOut.enumerated() {
            let original = try dataset.image(sample)
            for turn in 0..<3 {
                let request = server.requests[3 * place_ + turn]
                let path = "\(sample)/draw-00" + (turn > 0 ? "/turn-0\(turn)" : "")
                let window = try view(place, session, path)
                #expect((window == nil) == (turn == 0))
                // Around what the look before found.
                if let window, turn > 0 {
                    let before = try DrawnMasks([rows[3 * place_ + turn - 1]], width: 160, height: 120, turn: turn - 1)
                    let wanted = Windows.pyramid(around: try #require(before.masks.first))[turn - 1]
                    #expect(window == [wanted.left, wanted.top, wanted.right, wanted.bottom])
                }
                let picture = try #require(request.pictures.first)
                #expect(request.pictures.count == 1)
                expect(picture, toShow: window ?? [0, 0, 160, 120], of: original)
                #expect(request.text.contains("enlarged part") == (turn > 0))
                #expect(request.messages.count == 1, "a look is a question of its own")
            }
        }
        #expect(try await session.run() == summary)
        #expect(server.requests.count == 12)
        #expect(try session.store.drawings(set: id) == rows)
        let gates = try GateMeasurement.measure(loop: session.set, in: session.store, dataset: dataset)
        #expect(gates.allSatisfy { $0.skill == "pyramid" && $0.trust.dice(.always) > $0.trust.dice(.never) })
        #expect(abs((gates.first?.trust.dice(.always) ?? 0) - last.dice) < 1e-12)
    }

    @Test("a first look that finds nothing, or cannot be read, ends it; a recording knows each look by name")
    func ends() async throws {
        let place = try DrawingPlace()
        let samples = try place.heldOut
        let square = #"{"polygons": [[[200, 200], [260, 200], [260, 260], [200, 260]]]}"#
        func subject(_ index: Int, _ look: Int) -> String {
            "blobs/\(samples[index])/polygon/mri+pyramid/draw-0" + (look > 0 ? "/look-\(look)" : "")
        }
        try place.tape([
            (subject(0, 0), #"{"polygons": []}"#), (subject(1, 0), "No."), (subject(2, 0), square),
            (subject(2, 1), square), (subject(2, 2), "Not this time."),
        ])
        let session = try place.session("taped", DrawingSettings(skill: try DrawingSkill(named: "mri+pyramid")))
        let summary = try await session.run()
        #expect(summary.totals.requests == 5 && summary.totals.drawn == 3 && summary.totals.failed == 2)
        let rows = try session.store.drawings(set: try #require(session.set.id))
        #expect(rows.map(\.turn) == [0, 0, 0, 1, 2])
        // The last that could be read is the second: the square in the window three times as large as what was found, at least 32 pixels.
        let image = try session.dataset.image(samples[2])
        let masks = try DrawnMasks.ends(Array(rows.suffix(3)), width: image.width, height: image.height).masks
        let second = try DrawnMasks([rows[3]], width: 48, height: 32, turn: 1).masks
        let first = try DrawnMasks([rows[2]], width: 48, height: 32, turn: 0).masks
        #expect(masks == second && masks != first)
        #expect(try await session.run() == summary)
    }

    @Test("the static box holds the targets of ten labelled training pictures and of nothing held out")
    func staticBox() async throws {
        let place = try DrawingPlace()
        let dataset = try Self.specks(place)
        let server = try Seer(grain: 16).server()
        defer { server.stop() }
        let plain = try place.session("seer", DrawingSettings(size: 256), server: server, dataset: "specks")
        let before = try await plain.run()
        let session = try place.session(
            "seer", DrawingSettings(size: 256, skill: .look(.staticBox)), server: server, dataset: "specks")
        let summary = try await session.run()
        var sides = (1.0, 1.0, 0.0, 0.0)
        let labels = DrawingSession.spread(dataset.split.training, 10)
        #expect(labels.count == 10)
        for label in labels {
            let bounds = try #require(try Mask(try dataset.truth(label)).bounds)
            sides.0 = min(sides.0, Double(bounds.columns.lowerBound) / 160)
            sides.1 = min(sides.1, Double(bounds.rows.lowerBound) / 120)
            sides.2 = max(sides.2, Double(bounds.columns.upperBound) / 160)
            sides.3 = max(sides.3, Double(bounds.rows.upperBound) / 120)
        }
        let wanted = [(sides.0 - 0.05) * 160, (sides.1 - 0.05) * 120, (sides.2 + 0.05) * 160, (sides.3 + 0.05) * 120]
        let requests = server.requests.suffix(4)
        for (sample, request) in zip(dataset.split.heldOut, requests) {
            let window = try #require(try view(place, session, "\(sample)/draw-00"))
            #expect(zip(window, wanted).allSatisfy { abs($0 - $1) < 1e-9 })
            expect(try #require(request.pictures.first), toShow: window, of: try dataset.image(sample))
        }
        let (first, boxed) = (try #require(before.scores.first), try #require(summary.scores.first))
        #expect(boxed.dice > first.dice && summary.scores.map(\.combination) == [.single])
        // The same words: `polygon gates` holds the two sets against each other.
        #expect(session.set.promptHash == plain.set.promptHash && session.set.path != plain.set.path)
        #expect(
            try GateMeasurement.measure(
                plain: plain.set, skilled: session.set, in: session.store, dataset: dataset
            ).allSatisfy { $0.trust.dice(.always) > $0.trust.dice(.never) })
    }

    @Test("across slices the second pass looks where the neighbours are, and shows what they drew")
    func crossSlice() async throws {
        let place = try DrawingPlace()
        let probe = try Self.volumes(place)
        let volume = try #require(probe.volumes(of: probe.split.heldOut).first)
        #expect(volume.count == 6 && probe.split.heldOut.count == 6)
        try FileManager.default.removeItem(at: place.workspace.dataset("volumes"))
        try FileManager.default.removeItem(at: place.workspace.root.appending(path: "source-volumes"))
        // In the third slice something brighter draws the first look away.
        let dataset = try Self.volumes(place, decoy: [volume[2]])
        let server = try Seer(grain: 4).server()
        defer { server.stop() }
        let session = try place.session(
            "seer", DrawingSettings(size: 256, skill: .look(.crossSlice)), server: server, dataset: "volumes")
        let summary = try await session.run(parallel: 2)
        #expect(summary.totals.drawn == 12 && server.requests.count == 12)
        let requests = server.requests
        #expect(requests.prefix(6).allSatisfy { $0.pictures.count == 1 })
        #expect(requests.suffix(6).allSatisfy { $0.pictures.count == 2 && $0.text.contains("neighbouring slices") })
        let id = try #require(session.set.id)
        let scores = try session.store.drawingScores(set: id).filter { $0.sample == volume[2] }
        let (first, last) = (
            try #require(scores.first { $0.combination == .single }),
            try #require(scores.first { $0.combination == .last })
        )
        #expect(first.dice == 0 && last.dice > 0.7, "\(scores)")
        // The window and the cyan line by the library, from what was drawn in the first pass.
        let rows = try session.store.drawings(set: id)
        let masks = try volume.map { sample in
            try #require(
                try DrawnMasks(rows.filter { $0.sample == sample }, width: 160, height: 120, turn: 0).masks.first
            )
        }
        let priors = try CrossSlicePrior.priors(of: masks)
        for (slice, sample) in volume.enumerated() {
            let prior = try #require(priors[slice])
            let window = try #require(try view(place, session, "\(sample)/draw-00/turn-01"))
            #expect(window == [prior.window.left, prior.window.top, prior.window.right, prior.window.bottom])
            let original = try dataset.image(sample)
            let request = try #require(
                requests.suffix(6).first { request in
                    request.pictures.first.map { matches($0, window, original) } ?? false
                }, "\(sample)")
            let shown = request.pictures[1]
            let cyan = (0..<shown.pixels).count {
                let (x, y) = ($0 % shown.width, $0 / shown.width)
                return shown[x: x, y: y] == 0 && shown[x: x, y: y, channel: 1] == 255
                    && shown[x: x, y: y, channel: 2] == 255
            }
            // The neighbours of the first slice do not overlap: one was drawn away.
            #expect(slice == 0 ? prior.siblings.isEmpty && cyan == 0 : cyan > 40, "\(sample)")
            expect(request.pictures[0], toShow: window, of: original)
        }
        #expect(try await session.run() == summary)
        #expect(server.requests.count == 12)
        // More draws pay for the new ones alone.
        let more = try place.session(
            "seer", DrawingSettings(draws: 2, size: 256, skill: .look(.crossSlice)), server: server, dataset: "volumes")
        _ = try await more.run(parallel: 4)
        #expect(server.requests.count == 24)
        #expect(summary.resampledBy == .image, "one volume is held out")
    }

    private func matches(_ sent: Image, _ window: [Double], _ original: Image) -> Bool {
        guard
            let wanted = try? SentPicture(
                original, skill: nil, size: sent.width, grid: nil,
                window: Box(left: window[0], top: window[1], right: window[2], bottom: window[3]))
        else { return false }
        return wanted.framed.image == sent
    }

    @Test("a reply that is whole on disk is read in the window that it was asked for; without that it is damaged")
    func adopted() async throws {
        let place = try DrawingPlace()
        let dataset = try Self.specks(place)
        let server = try Seer(grain: 8).server()
        defer { server.stop() }
        let settings = DrawingSettings(size: 256, skill: .look(.pyramid))
        let session = try place.session("seer", settings, server: server, dataset: "specks")
        _ = try await session.run()
        let asked = server.requests.count
        let id = try #require(session.set.id)
        let sample = try #require(dataset.split.heldOut.first)
        var row = try #require(try session.store.drawings(set: id, sample: sample, draw: 0, turn: 2).first)
        let before = row
        // The process died after the reply was whole, and what a look before drew was changed since.
        (row.status, row.shape) = (.asked, nil)
        try session.store.updateDrawing(row)
        var earlier = try #require(try session.store.drawings(set: id, sample: sample, draw: 0, turn: 1).first)
        earlier.shape = try ShapeText(.boxes([Box(left: 0, top: 0, right: 20, bottom: 20)])).json
        try session.store.updateDrawing(earlier)
        _ = try await session.run()
        #expect(try session.store.drawings(set: id, sample: sample, draw: 0, turn: 2).first?.shape == before.shape)
        #expect(server.requests.count == asked)
        try session.store.updateDrawing(row)
        let file = place.workspace.generated.appending(path: "\(session.set.path)/\(sample)/draw-00/turn-02/view.json")
        for (text, reason) in [
            ("{", "it does not say what was shown of the picture"),
            (#"{"window": [5, 5, 1, 9]}"#, "its window has no four sides in order"),
        ] {
            try Data(text.utf8).write(to: file)
            await #expect(
                throws: DrawingError.damaged(what: file.path(percentEncoded: false), reason: reason)
            ) { try await session.run() }
        }
        #expect(server.requests.count == asked)
    }

    @Test("skills are named alone or with a preparation, and what does not go together is refused")
    func names() throws {
        #expect(try DrawingSkill(named: "mri+pyramid") == DrawingSkill(.modality(.mri), look: .pyramid))
        #expect(try DrawingSkill(named: "static-box+auto").name == "auto+static-box")
        #expect(try DrawingSkill(named: "ct") == .modality(.ct))
        for name in ["mri+ct", "pyramid+static-box", "mri+", "", "loop"] {
            #expect(throws: DrawingError.unknownSkill(name: name, known: DrawingSkill.names)) {
                try DrawingSkill(named: name)
            }
        }
        let place = try DrawingPlace()
        func sentence(_ settings: DrawingSettings) -> String {
            do {
                _ = try place.session("seer", settings)
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(
            sentence(.init(skill: .look(.pyramid), turns: 2))
                == "--turns does not go with --skill pyramid, which looks several times itself: leave one of them out")
        #expect(
            sentence(.init(skill: .look(.crossSlice)))
                == "the dataset blobs names no subject with several slices, which the skill cross-slice looks along: prepare it with --group-by, or choose another skill"
        )
        #expect(sentence(.init(skill: .look(.staticBox), turns: 2)) == "no error")
        try FileManager.default.removeItem(at: place.workspace.prompts.appending(path: "polygon/look/pyramid.md"))
        #expect(sentence(.init(skill: .look(.pyramid))).contains("look/pyramid.md cannot be read"))
    }

    @Test("a static box of labels without any foreground is refused")
    func emptyLabels() async throws {
        let place = try DrawingPlace()
        let dataset = try Self.specks(place)
        for sample in dataset.split.training {
            try PNG.write(Image(width: 160, height: 120, channels: 1), to: dataset.maskURL(sample))
        }
        let server = try Seer().server()
        defer { server.stop() }
        let session = try place.session(
            "seer", DrawingSettings(skill: .look(.staticBox)), server: server, dataset: "specks")
        await #expect(throws: DrawingError.noTraining(dataset: "specks")) { try await session.run() }
        #expect(server.requests.isEmpty)
    }
}
