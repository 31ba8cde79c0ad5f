import Datasets
import Foundation
import Metrics
import Polygons
import Prompts
import ResultStore
import TestSupport
import Testing

@testable import Drawing

@Suite("A conversation that goes on after a drawing")
struct LoopTests {
    private static let wrong = #"{"polygons": [[[20, 300], [120, 300], [120, 400], [20, 400]]]}"#

    /// The blob of a picture's truth, as it lies in the sent square.
    private func right(_ session: DrawingSession, _ sample: String) throws -> String {
        let mask = try Mask(try session.dataset.truth(sample))
        let bounds = try #require(mask.bounds)
        func place(_ x: Int, _ y: Int) -> String { "[\(x * 512 / 48), \(85 + y * 341 / 32)]" }
        let (left, right) = (bounds.columns.lowerBound, bounds.columns.upperBound)
        let (top, bottom) = (bounds.rows.lowerBound, bounds.rows.upperBound)
        let (cx, cy) = ((left + right) / 2, (top + bottom) / 2)
        let corners = [
            (cx, top), (right - 2, top + 3), (right, cy), (right - 2, bottom - 3), (cx, bottom), (left + 2, bottom - 3),
            (left, cy), (left + 2, top + 3),
        ]
        return #"{"polygons": [["# + corners.map { place($0.0, $0.1) }.joined(separator: ", ") + "]]}"
    }

    @Test("shows the drawing and the doubt, keeps what the gate prefers, and pays for no turn twice")
    func goesOn() async throws {
        let place = try DrawingPlace()
        let samples = try place.heldOut
        var replies: [(subject: String, reply: String)] = []
        let settings = DrawingSettings(turns: 3)
        let probe = try place.session("control-otsu")
        for sample in samples {
            let subject = "blobs/\(sample)/polygon/loop/draw-0"
            let good = try right(probe, sample)
            replies += [(subject, Self.wrong), (subject, "Too far left and below.\n\(good)"), (subject, Self.wrong)]
        }
        try place.tape(replies)
        let session = try place.session("taped", settings)
        let summary = try await session.run()
        #expect(session.set.skill == "loop" && session.set.isLoop && summary.totals.drawn == 9)
        let id = try #require(session.set.id)
        let rows = try session.store.drawings(set: id)
        #expect(rows.map(\.turn) == [0, 1, 2, 0, 1, 2, 0, 1, 2])
        let single = try #require(summary.scores.first { $0.combination == .single })
        let kept = try #require(summary.scores.first { $0.combination == .kept })
        let last = try #require(summary.scores.first { $0.combination == .last })
        #expect(single.dice < 0.1 && kept.dice > 0.8 && summary.scores.count == 3)
        #expect(last.dice == single.dice, "the last is as wrong as the first")
        #expect(try await session.run() == summary)
        #expect(try session.store.drawings(set: id) == rows)
        let gates = try GateMeasurement.measure(loop: session.set, in: session.store, dataset: session.dataset)
        // The last drawing is as wrong as the first.
        #expect(gates.allSatisfy { abs($0.trust.dice(.always) - $0.trust.dice(.never)) < 1e-12 })
    }

    @Test("sends the question, the answer and two pictures back; an answer that cannot be read ends it")
    func conversation() async throws {
        let place = try DrawingPlace()
        let server = try answering { $0.index == 0 ? Self.wrong : "I cannot see it." }
        defer { server.stop() }
        let session = try place.session("seer", DrawingSettings(turns: 4), server: server)
        let summary = try await session.run(limit: 1)
        #expect(server.requests.count == 2 && summary.totals.drawn == 1 && summary.totals.failed == 1)
        let body = try #require(
            try JSONSerialization.jsonObject(with: server.requests[1].body) as? [String: Any])
        let messages = try #require(body["messages"] as? [[String: Any]])
        #expect(messages.compactMap { $0["role"] as? String } == ["user", "assistant", "user"])
        #expect(messages[1]["content"] as? String == Self.wrong)
        let parts = try #require(messages[2]["content"] as? [[String: Any]])
        #expect(parts.compactMap { $0["type"] as? String } == ["text", "image_url", "image_url"])
        #expect((parts[0]["text"] as? String)?.hasPrefix("Look at your drawing again.") == true)
        // More turns of a conversation that is over ask nothing.
        _ = try await place.session("seer", DrawingSettings(turns: 6), server: server).run(limit: 1)
        #expect(server.requests.count == 2)
    }

    @Test("a reply that is gone is said to be")
    func damaged() async throws {
        let place = try DrawingPlace()
        let server = try answering { _ in Self.wrong }
        defer { server.stop() }
        let session = try place.session("seer", DrawingSettings(turns: 2), server: server)
        _ = try await session.run(limit: 1)
        let sample = try #require(DrawingSession.spread(try place.heldOut, 1).first)
        try FileManager.default.removeItem(
            at: place.workspace.generated.appending(path: "\(session.set.path)/\(sample)/draw-00/reply.json"))
        let more = try place.session("seer", DrawingSettings(turns: 3), server: server)
        await #expect(
            throws: DrawingError.damaged(
                what: "turn 0 of draw 0 of \(sample)", reason: "its reply is missing or damaged")
        ) { try await more.run(limit: 1) }
        #expect(server.requests.count == 2)
    }

    @Test("the border is drawn where the mask ends, nowhere else, and bars have no doubt")
    func pictures() throws {
        let (image, truth) = try DrawingPlace.blob(0, 48, 32, 1)
        let mask = try Mask(truth)
        let sent = try SentPicture(image, skill: nil, size: 96, grid: nil)
        let feedback = LoopFeedback(text: "t", original: image, sent: sent, convention: .pixels)
        let border = try feedback.border(of: mask)
        var cyan = 0
        for y in 0..<96 {
            for x in 0..<96 {
                let isCyan =
                    border[x: x, y: y] == 0 && border[x: x, y: y, channel: 1] == 255
                    && border[x: x, y: y, channel: 2] == 255
                func inside(_ x: Int, _ y: Int) -> Bool { y >= 16 && y < 80 && mask[x: x / 2, y: (y - 16) / 2] }
                let wanted =
                    inside(x, y)
                    && !(inside(x - 1, y) && inside(x + 1, y) && inside(x, y - 1) && inside(x, y + 1))
                #expect(isCyan == wanted, "(\(x), \(y))")
                cyan += isCyan ? 1 : 0
            }
        }
        #expect(cyan > 50)
        let doubt = try feedback.doubt(about: mask)
        for y in 0..<16 { for x in 0..<96 { #expect(doubt[x: x, y: y] == 0 && doubt[x: x, y: y, channel: 2] == 0) } }
    }

    @Test("doubt is small where grey values tell the sides apart, and whole where they do not")
    func doubt() throws {
        let (image, truth) = try DrawingPlace.blob(0, 48, 32, 1)
        let mask = try Mask(truth)
        let clear = LoopFeedback.doubt(about: mask, on: image)
        #expect((clear.max() ?? 1) < 0.05 && clear.allSatisfy { $0 >= 0 })
        let flat = LoopFeedback.doubt(
            about: mask, on: try Image(width: 48, height: 32, channels: 1, fill: 90))
        #expect(flat.max() == 1 && flat.contains(0))
        #expect(LoopFeedback.doubt(about: try Mask(width: 48, height: 32), on: image).allSatisfy { $0 == 0 })
    }

    @Test("turns and gates that cannot be are refused")
    func refusals() throws {
        let place = try DrawingPlace()
        #expect(throws: DrawingError.number(setting: "--turns", value: "9", range: "a number from 1 to 8")) {
            try place.session("seer", DrawingSettings(turns: 9))
        }
        #expect(throws: DrawingError.settingRefused(setting: "--turns but 1", drawer: "control-otsu")) {
            try place.session("control-otsu", DrawingSettings(turns: 2))
        }
        try FileManager.default.removeItem(at: place.workspace.prompts.appending(path: "polygon/feedback.md"))
        #expect(throws: PromptError.self) { try place.session("seer", DrawingSettings(turns: 2)) }
        _ = try place.session("seer")
    }
}
