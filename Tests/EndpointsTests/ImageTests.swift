import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Endpoints

private func picture(_ hash: String = "aa", bytes: [UInt8] = [0x89, 0x50, 0x4E, 0x47]) -> ChatImage {
    ChatImage(png: Data(bytes), width: 30, height: 50, pixelsSHA256: hash)
}

private func question(_ image: ChatImage, subject: String? = nil) -> ChatRequest {
    ChatRequest(
        model: "tiny", messages: [ChatMessage(role: .user, content: "Trace it.", images: [image])], subject: subject)
}

private struct Console: ManualConsole {
    let shown = Shown()
    var lines: [String]
    final class Shown: Sendable {
        let text = Mutex("")
        let next = Mutex(0)
    }

    func write(_ text: String) { shown.text.withLock { $0 += text } }
    func readLine() -> String? {
        shown.next.withLock { next in
            defer { next += 1 }
            return lines.indices.contains(next) ? lines[next] : nil
        }
    }
}

@Suite("A message with a picture") struct ImageMessageTests {
    @Test("is hashed by its pixels: another file of the same pixels is the same request, other pixels are another")
    func hash() throws {
        let first = try question(picture()).sha256()
        #expect(try question(picture(bytes: [1, 2, 3])).sha256() == first)
        #expect(try question(picture("ab")).sha256() != first)
        let text = ChatRequest(model: "tiny", messages: [ChatMessage(role: .user, content: "Trace it.")])
        #expect(try text.sha256() != first)
        // Requests without pictures keep the hash that recordings of earlier versions hold.
        #expect(
            String(decoding: try text.canonicalJSON(), as: UTF8.self)
                == #"{"messages":[{"content":"Trace it.","role":"user"}],"model":"tiny"}"#)
        #expect(try question(picture(), subject: "a").sha256() == first)
    }

    @Test("is recorded with the hash in place of the picture, and read back so")
    func coding() throws {
        let data = try question(picture()).canonicalJSON()
        let text = String(decoding: data, as: UTF8.self)
        #expect(text.contains(#""images":[{"height":50,"pixels_sha256":"aa","width":30}]"#), "\(text)")
        let back = try JSONDecoder().decode(ChatRequest.self, from: data)
        #expect(try back.sha256() == question(picture()).sha256())
        #expect(back.messages[0].images[0].png.isEmpty)
    }

    @Test("costs an estimate by its size where nobody counted")
    func tokens() {
        let plain = ModelCard.estimatedUsage(
            of: ChatRequest(model: "m", messages: [ChatMessage(role: .user, content: "Trace it.")]),
            receivedCharacters: 0)
        let image = ChatImage(png: Data(), width: 750, height: 100, pixelsSHA256: "")
        #expect(
            ModelCard.estimatedUsage(of: question(image), receivedCharacters: 0).input == plain.input + 100)
    }

    @Test(
        "that a server refuses gives one sentence, asked once",
        arguments: [
            (400, #"{"error":{"message":"Invalid content type. image_url is only supported by certain models."}}"#),
            (400, #"{"error":{"message":"tiny does not support image input"}}"#),
            (404, #"{"error":{"message":"No endpoints found that support image input"}}"#),
            (400, #"{"object":"error","message":"tiny is not a multimodal model"}"#),
            (500, #"{"error":{"message":"image input is not supported - hint: you may need to provide the mmproj"}}"#),
        ])
    func refused(status: Int, body: String) async throws {
        let server = try LoopbackServer { _, connection in connection.respond(status, body: body) }
        defer { server.stop() }
        let error = try await failure { try await ask(server, question(picture())) }
        guard case .imagesRefused = error else {
            Issue.record("\(error)")
            return
        }
        #expect(server.requests.count == 1)
        #expect(error.description.contains("takes no pictures for the model 'tiny'"))
        #expect(error.description.contains("images: true") && !error.description.contains("\n"))
    }

    @Test("that is refused for another reason is not taken for one that cannot be seen")
    func otherRefusal() async throws {
        let server = try LoopbackServer { request, connection in
            connection.respond(
                400,
                body: request.index == 0
                    ? #"{"error":{"message":"Unsupported image format"}}"# : #"{"error":{"message":"bad temperature"}}"#
            )
        }
        defer { server.stop() }
        for _ in 0..<2 {
            guard case .rejected = try await failure({ try await ask(server, question(picture())) }) else {
                Issue.record("not rejected")
                return
            }
        }
    }

    @Test("goes to a person as a file beside the prompt")
    func manual() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let console = Console(lines: ["[[1, 2], [3, 4], [5, 1]]", ManualEndpoint.marker])
        let endpoint = ManualEndpoint(
            name: "Window", console: console, promptFile: folder.appending(path: "message.md"))
        let reply = try await endpoint.complete(question(picture()), sink: CollectingSink())
        #expect(reply.content == "[[1, 2], [3, 4], [5, 1]]")
        let file = folder.appending(path: "message-image.png")
        #expect(try Data(contentsOf: file) == picture().png)
        #expect(console.shown.text.withLock { $0 }.contains("with \(file.path) attached"))
    }

    @Test("cannot go to a person without a place for the file")
    func manualWithoutPlace() async throws {
        let endpoint = ManualEndpoint(name: "Window", console: Console(lines: []))
        let error = try await failure { try await endpoint.complete(question(picture()), sink: CollectingSink()) }
        #expect(error.description.contains("there is no folder to put it beside the prompt"))
    }
}

@Suite("A recording of many conversations") struct SubjectTests {
    private func recording(_ lines: [String]) throws -> URL {
        let folder = try temporaryFolder()
        let file = folder.appending(path: "many.jsonl")
        try Data(lines.joined(separator: "\n").utf8).write(to: file)
        return file
    }

    @Test("answers by what is asked about, in any order, and within a subject by its replies so far")
    func pairs() async throws {
        let file = try recording([
            #"{"schema":1,"subject":"a","reply":"a0"}"#, #"{"schema":1,"subject":"b","reply":"b0"}"#,
            #"{"schema":1,"subject":"a","reply":"a1"}"#,
        ])
        defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
        let replay = try ReplayEndpoint(file: file)
        func reply(_ request: ChatRequest) async throws -> String {
            try await replay.complete(request, sink: CollectingSink()).content
        }
        #expect(try await reply(question(picture(), subject: "b")) == "b0")
        #expect(try await reply(question(picture("cc"), subject: "a")) == "a0")
        var second = question(picture(), subject: "a")
        second.messages += [ChatMessage(role: .assistant, content: "a0"), ChatMessage(role: .user, content: "again")]
        #expect(try await reply(second) == "a1")
        var third = second
        third.messages += [ChatMessage(role: .assistant, content: "a1"), ChatMessage(role: .user, content: "again")]
        await #expect(throws: EndpointError.recordingExhausted(file: file.path, exchange: 3, count: 2)) {
            try await replay.complete(third, sink: CollectingSink())
        }
        await #expect(throws: EndpointError.recordingSilent(file: file.path, subject: "c")) {
            try await replay.complete(question(picture(), subject: "c"), sink: CollectingSink())
        }
        #expect(
            EndpointError.recordingSilent(file: "f", subject: "c").description
                == "f has no answer for c: ask for what it was recorded for, or record it further")
    }

    @Test("is written with its subjects, and warns where the picture is another one")
    func writes() async throws {
        let source = try recording([#"{"schema":1,"subject":"a","reply":"a0"}"#])
        let folder = source.deletingLastPathComponent()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "copy.jsonl")
        let recorder = try RecordingEndpoint(try ReplayEndpoint(file: source), file: file)
        _ = try await recorder.complete(question(picture(), subject: "a"), sink: CollectingSink())
        #expect(try !String(contentsOf: file, encoding: .utf8).contains("base64"))
        let replay = try ReplayEndpoint(file: file)
        let same = try await replay.complete(question(picture(), subject: "a"), sink: CollectingSink())
        #expect(same.content == "a0" && same.warnings.isEmpty)
        let other = try await replay.complete(question(picture("ff"), subject: "a"), sink: CollectingSink())
        #expect(other.warnings.count == 1)
    }

    @Test("of one conversation without a subject still answers requests that have one")
    func plainRecording() async throws {
        let file = try recording([#"{"schema":1,"reply":"only"}"#])
        defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
        let reply = try await ReplayEndpoint(file: file).complete(
            question(picture(), subject: "x"), sink: CollectingSink())
        #expect(reply.content == "only")
    }
}
