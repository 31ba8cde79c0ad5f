import Datasets
import Drawing
import Foundation
import Polygons
import Synchronization
import TestSupport
import Testing

/// What a server of OpenAI's format receives, byte by byte.
@Suite("A picture on its way to an OpenAI-compatible server")
struct ConformanceTests {
    /// The one user message of a request: its text, and its decoded picture.
    private func message(of request: LoopbackServer.Request) throws -> (text: String, image: Image) {
        let body = try #require(try JSONSerialization.jsonObject(with: request.body) as? [String: Any])
        #expect(Set(body.keys).isSubset(of: ["model", "messages", "stream", "stream_options", "temperature", "seed"]))
        let messages = try #require(body["messages"] as? [[String: Any]])
        #expect(messages.count == 1)
        let message = try #require(messages.first)
        #expect(Set(message.keys) == ["role", "content"] && message["role"] as? String == "user")
        let parts = try #require(message["content"] as? [[String: Any]])
        #expect(parts.count == 2)
        #expect(Set(parts[0].keys) == ["type", "text"] && parts[0]["type"] as? String == "text")
        #expect(Set(parts[1].keys) == ["type", "image_url"] && parts[1]["type"] as? String == "image_url")
        let address = try #require(parts[1]["image_url"] as? [String: Any])
        #expect(Set(address.keys) == ["url"])
        let url = try #require(address["url"] as? String)
        let prefix = "data:image/png;base64,"
        #expect(url.hasPrefix(prefix))
        let file = try #require(Data(base64Encoded: String(url.dropFirst(prefix.count))))
        let decoded = try PNG.decode(Array(file))
        #expect(decoded.warning == nil)
        return (try #require(parts[0]["text"] as? String), decoded.image)
    }

    @Test("every pixel of every picture arrives as it was made", arguments: [1, 3], [false, true])
    func pixels(channels: Int, grid: Bool) async throws {
        let place = try DrawingPlace(channels: channels)
        let server = try answering { _ in #"{"polygons": [[[40, 40], [80, 40], [80, 80]]]}"# }
        defer { server.stop() }
        let settings = DrawingSettings(size: 96, grid: grid, temperature: 0.5, samplingSeed: 3)
        let session = try place.session("seer", settings, server: server)
        let summary = try await session.run()
        let samples = try place.heldOut
        #expect(samples.count == 3 && server.requests.count == 3 && summary.totals.drawn == 3)
        for (sample, request) in zip(samples, server.requests) {
            #expect(request.path == "/v1/chat/completions")
            let (text, image) = try message(of: request)
            #expect(text.contains("the blob") && text.contains("96 × 96 pixels") && !text.contains("{{"))
            #expect(image.width == 96 && image.height == 96 && image.channels == (grid ? 3 : channels))
            let original = try session.dataset.image(sample)
            // Made without the code under test: twice the size by bilinear interpolation at half-pixel centres, 16 rows of bars.
            for y in 0..<96 {
                for x in 0..<96 {
                    if grid, y % 12 == 0 || x % 12 == 0 || isLabel(x, y) { continue }
                    for channel in 0..<image.channels {
                        let wanted =
                            y < 16 || y >= 80
                            ? 0 : twice(original, x, y - 16, channel: min(channel, original.channels - 1))
                        let found = Double(image[x: x, y: y, channel: channel])
                        guard abs(found - wanted) <= 0.5 + 1e-3 else {
                            Issue.record("\(sample) (\(x), \(y)) channel \(channel): \(found) where \(wanted) belongs")
                            return
                        }
                    }
                }
            }
            if grid { #expect(image[x: 12, y: 50, channel: 0] != image[x: 12, y: 50, channel: 2]) }
        }
        let seeds = try server.requests.map {
            (try JSONSerialization.jsonObject(with: $0.body) as? [String: Any])?["seed"] as? Int
        }
        #expect(seeds == [3, 3, 3])
    }

    /// Labels begin one pixel behind a line, are at most 11 pixels wide and 5 high, and stand at the left and upper side.
    private func isLabel(_ x: Int, _ y: Int) -> Bool { y <= 6 || (x <= 12 && y % 12 >= 1 && y % 12 <= 6) }

    private func twice(_ image: Image, _ x: Int, _ y: Int, channel: Int) -> Double {
        func axis(_ place: Int, _ count: Int) -> (Int, Int, Double) {
            let at = min(max((Double(place) + 0.5) / 2 - 0.5, 0), Double(count - 1))
            return (Int(at), min(Int(at) + 1, count - 1), at - at.rounded(.down))
        }
        let ((x0, x1, fx), (y0, y1, fy)) = (axis(x, image.width), axis(y, image.height))
        func sample(_ x: Int, _ y: Int) -> Double { Double(image[x: x, y: y, channel: channel]) }
        return (sample(x0, y0) * (1 - fx) + sample(x1, y0) * fx) * (1 - fy)
            + (sample(x0, y1) * (1 - fx) + sample(x1, y1) * fx) * fy
    }

    @Test("an answer in the picture's pixels lands on the original grid, bars and scale undone")
    func landing() async throws {
        let place = try DrawingPlace()
        // The rectangle from (10, 4) to (30, 20) of the original: twice as large, 16 rows further down.
        let server = try answering { _ in #"{"polygons": [[[20, 24], [60, 24], [60, 56], [20, 56]]]}"# }
        defer { server.stop() }
        let session = try place.session("seer", DrawingSettings(size: 96), server: server)
        _ = try await session.run(limit: 1)
        let masks = try DrawnMasks.all(of: session.set, in: session.store, dataset: session.dataset)
        let mask = try #require(masks.values.first?.masks.first)
        #expect(mask.area == 20 * 16 && mask[x: 10, y: 4] && mask[x: 29, y: 19] && !mask[x: 30, y: 20])
    }

    @Test("a server that sees no pictures ends it with one sentence, and the row says so")
    func refused() async throws {
        let place = try DrawingPlace()
        let server = try LoopbackServer { _, connection in
            connection.respond(400, body: #"{"error":{"message":"seer does not support images"}}"#)
        }
        defer { server.stop() }
        let session = try place.session("seer", server: server)
        do {
            _ = try await session.run()
            Issue.record("it ran")
        } catch {
            #expect("\(error)".contains("takes no pictures for the model 'seer' (\"seer does not support images\")"))
        }
        let id = try #require(session.set.id)
        let rows = try session.store.drawings(set: id)
        #expect(rows.map(\.status) == [.refused] && rows[0].cost == nil && server.requests.count == 1)
    }
}
