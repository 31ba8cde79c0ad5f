import Endpoints
import Foundation
import Synchronization
import TestSupport
import Testing

/// Answers each request with the next of its replies.
private struct ScriptedEndpoint: ChatEndpoint {
    var replies: [ChatReply]

    func complete(_ request: ChatRequest, sink: any ReplySink) async throws -> ChatReply {
        let reply = replies[request.exchangeIndex]
        try sink.begin(attempt: 1)
        try sink.append(content: reply.content)
        return reply
    }
}

private func conversation(_ replies: String..., question: String = "Write a U-Net.") -> ChatRequest {
    var messages = [ChatMessage(role: .user, content: question)]
    for reply in replies {
        messages.append(ChatMessage(role: .assistant, content: reply))
        messages.append(ChatMessage(role: .user, content: "Traceback …"))
    }
    return ChatRequest(model: "tiny", messages: messages)
}

@Suite("A recording") struct RecordingTests {
    let folder: URL
    var file: URL { folder.appending(path: "conversation.jsonl") }

    init() throws { folder = try temporaryFolder() }

    private func write(_ text: String) throws { try Data(text.utf8).write(to: file) }

    @Test("replays what was recorded: text, reasoning, usage, times")
    func roundTrip() async throws {
        let replies = [
            ChatReply(
                content: "first\n\"ü\"", reasoning: "hm", finishReason: .length,
                usage: TokenUsage(input: 1, output: 2, reasoning: 1), firstTokenSeconds: 0.25, totalSeconds: 1.5),
            ChatReply(content: "second", totalSeconds: 2),
        ]
        let recorder = try RecordingEndpoint(ScriptedEndpoint(replies: replies), file: file)
        _ = try await recorder.complete(conversation(), sink: CollectingSink())
        _ = try await recorder.complete(conversation("first"), sink: CollectingSink())
        #expect(try String(contentsOf: file, encoding: .utf8).split(separator: "\n").count == 2)

        let replay = try ReplayEndpoint(file: file)
        #expect(replay.count == 2)
        let sink = CollectingSink()
        let first = try await replay.complete(conversation(), sink: sink)
        #expect(first == replies[0])
        #expect(sink.content == replies[0].content && sink.reasoning == "hm")
        #expect(try await replay.complete(conversation("first"), sink: sink) == replies[1])
    }

    @Test("finds its place from the conversation alone, so that a killed run goes on")
    func place() async throws {
        try write(
            """
            {"schema":1,"reply":"a"}

            {"schema":1,"reply":"b"}
            {"schema":1,"reply":"c","usage":{"input":5,"output":6}}
            """)
        let third = try await ReplayEndpoint(file: file).complete(conversation("a", "b"), sink: CollectingSink())
        #expect(third.content == "c")
        #expect(third.usage == TokenUsage(input: 5, output: 6))
        #expect(third.finishReason == .stop && third.warnings.isEmpty)
    }

    @Test("answers another request than the recorded one with a warning")
    func otherRequest() async throws {
        let recorder = try RecordingEndpoint(ScriptedEndpoint(replies: [ChatReply(content: "x")]), file: file)
        _ = try await recorder.complete(conversation(), sink: CollectingSink())
        let reply = try await ReplayEndpoint(file: file).complete(
            conversation(question: "Write a ResNet."), sink: CollectingSink())
        #expect(reply.content == "x")
        #expect(reply.warnings == ["exchange 1 of \(file.path) was recorded for another request"])
    }

    @Test("that is too short ends the conversation with a clear error")
    func exhausted() async throws {
        try write(#"{"schema":1,"reply":"a"}"# + "\n")
        let replay = try ReplayEndpoint(file: file)
        await #expect(throws: EndpointError.recordingExhausted(file: file.path, exchange: 2, count: 1)) {
            try await replay.complete(conversation("a"), sink: CollectingSink())
        }
    }

    @Test("of answers about subjects is no conversation, and says what it is for")
    func ofSubjects() async throws {
        try write(#"{"schema":1,"subject":"b","reply":"x"}"# + "\n" + #"{"schema":1,"subject":"a","reply":"y"}"# + "\n")
        let replay = try ReplayEndpoint(file: file)
        let error = EndpointError.recordingOfSubjects(file: file.path, subject: "a", count: 2)
        await #expect(throws: error) { try await replay.complete(conversation(), sink: CollectingSink()) }
        #expect(
            error.description.contains("2 subjects such as a") && error.description.contains("llmbench polygon draw"))
        #expect(
            EndpointError.recordingExhausted(file: "f", exchange: 2, count: 1).description.contains(
                "--target that it was"))
    }

    @Test(
        "that is broken is reported with its line",
        arguments: [
            ("{\"schema\":1,\"reply\":\"a\"}\nnonsense\n", 2, "it is no JSON object with a number 'schema'"),
            ("{\"schema\":2,\"reply\":\"a\"}\n", 1, "its schema is 2, and this version of llmbench reads 1"),
            ("{\"schema\":1}\n", 1, "'reply' is missing"),
            (
                "{\"schema\":1,\"reply\":\"a\",\"usage\":{\"input\":\"x\",\"output\":1}}\n", 1,
                "'usage.input' has a value it cannot have"
            ),
            ("", nil, "it holds no exchange"),
        ] as [(String, Int?, String)])
    func broken(text: String, line: Int?, reason: String) throws {
        try write(text)
        #expect(throws: EndpointError.recordingUnreadable(file: file.path, line: line, reason: reason)) {
            _ = try ReplayEndpoint(file: file)
        }
    }

    @Test("that is not there is an error")
    func absent() {
        #expect(throws: EndpointError.self) { _ = try ReplayEndpoint(file: file) }
    }

    @Test("whose last line a kill cut off is read without it, and mended when it goes on")
    func torn() async throws {
        try write("{\"schema\":1,\"reply\":\"a\"}\n{\"schema\":1,\"repl")
        let torn = try await ReplayEndpoint(file: file).complete(conversation(), sink: CollectingSink())
        #expect(torn.content == "a")
        #expect(torn.warnings == ["the last line of \(file.path) is unfinished and was passed over"])
        let recorder = try RecordingEndpoint(
            ScriptedEndpoint(replies: [ChatReply(content: "a"), ChatReply(content: "b")]), file: file)
        _ = try await recorder.complete(conversation("a"), sink: CollectingSink())
        let mended = try await ReplayEndpoint(file: file).complete(conversation("a"), sink: CollectingSink())
        #expect(mended.content == "b" && mended.warnings.isEmpty)
    }

    @Test("takes lines from several writers at once, whole")
    func concurrent() async throws {
        let long = String(repeating: "x", count: 100_000)
        let recorder = try RecordingEndpoint(ScriptedEndpoint(replies: [ChatReply(content: long)]), file: file)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<16 {
                group.addTask { _ = try await recorder.complete(conversation(), sink: CollectingSink()) }
            }
            try await group.waitForAll()
        }
        #expect(try ReplayEndpoint(file: file).count == 16)
    }

    @Test("that cannot be written is found out before anything is paid for")
    func unwritable() async throws {
        struct Counting: ChatEndpoint {
            let asked = Pauses()
            func complete(_ request: ChatRequest, sink: any ReplySink) async throws -> ChatReply {
                asked.pause(0)
                return ChatReply(content: "")
            }
        }
        let counting = Counting()
        let recorder = try RecordingEndpoint(counting, file: folder.appending(path: "none/such.jsonl"))
        await #expect(throws: EndpointError.self) {
            try await recorder.complete(conversation(), sink: CollectingSink())
        }
        #expect(counting.asked.seconds.isEmpty)
    }

    @Test(
        "is never appended to a file that holds something else",
        arguments: [
            "schema: 1\nmodels: []\n", "# Notes\n\nnot to be lost", "{\"schema\":1,\"reply\":\"a\"}\n{\"name\":1}\n",
            "\n",
        ])
    func foreign(text: String) throws {
        try write(text)
        let error = #expect(throws: EndpointError.self) {
            _ = try RecordingEndpoint(ScriptedEndpoint(replies: []), file: file)
        }
        guard case .recordingForeign = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.description.hasPrefix("\(file.path) exists and is no recording (") == true)
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }

    @Test("on a full disk keeps the reply, says that it has a gap, and asks no more")
    func full() async throws {
        // The kernel's own full device gives the error that a full disk gives.
        let device = URL(filePath: "/dev/full")
        let recorder = try RecordingEndpoint(
            ScriptedEndpoint(replies: [ChatReply(content: "a"), ChatReply(content: "b")]), file: device)
        try recorder.requireWhole()
        let reply = try await recorder.complete(conversation(), sink: CollectingSink())
        #expect(reply.content == "a" && reply.warnings.count == 1)
        let gap = EndpointError.recordingBroken(file: "/dev/full", reason: String(cString: strerror(ENOSPC)))
        #expect(throws: gap) { try recorder.requireWhole() }
        let sink = CollectingSink()
        await #expect(throws: gap) { try await recorder.complete(conversation("a"), sink: sink) }
        #expect(sink.content.isEmpty)
    }

    @Test("identifies a request by a hash that another implementation computes too")
    func hash() throws {
        // printf '%s' '{"maxOutputTokens":5,"messages":[{"content":"a/b","role":"user"}],"model":"m"}' | sha256sum
        let request = ChatRequest(
            model: "m", messages: [ChatMessage(role: .user, content: "a/b")], maxOutputTokens: 5)
        #expect(try request.sha256() == "ec0a0e90b6435b8f51264d3fa36891dcc8fa4d6e24d700296547c22e553ef8c7")
    }
}

@Suite("A model at a chat window") struct ManualTests {
    private final class ScriptedConsole: ManualConsole {
        private let lines: Mutex<[String]>
        private let output = Mutex("")

        init(_ lines: [String]) { self.lines = Mutex(lines) }

        var shown: String { output.withLock { $0 } }
        func write(_ text: String) { output.withLock { $0 += text } }
        func readLine() -> String? { lines.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
    }

    @Test("is shown the newest message, and its pasted reply ends with the marker")
    func pasted() async throws {
        let console = ScriptedConsole([
            "", "<think>hm</think>", "```python", "import os", "", "```", ManualEndpoint.marker, "x",
        ])
        let prompt = try temporaryFolder().appending(path: "prompt.txt")
        let sink = CollectingSink()
        let reply = try await ManualEndpoint(name: "Window", console: console, promptFile: prompt)
            .complete(conversation("earlier"), sink: sink)
        #expect(reply.content == "```python\nimport os\n\n```")
        #expect(reply.reasoning == "hm")
        #expect(sink.content == reply.content)
        #expect(reply.usage == nil && reply.warnings.count == 1)
        #expect(console.shown.contains("Traceback …") && !console.shown.contains("Write a U-Net."))
        #expect(console.shown.contains("message 2 to Window"))
        #expect(try String(contentsOf: prompt, encoding: .utf8) == "Traceback …")
    }

    @Test("may answer by a file")
    func file() async throws {
        let file = try temporaryFolder().appending(path: "reply.md")
        try Data("from a file\n".utf8).write(to: file)
        let reply = try await ManualEndpoint(name: "Window", console: ScriptedConsole(["@\(file.path)"]))
            .complete(question, sink: CollectingSink())
        #expect(reply.content == "from a file\n")
        await #expect(throws: EndpointError.self) {
            try await ManualEndpoint(name: "Window", console: ScriptedConsole(["@/no/such/file"]))
                .complete(question, sink: CollectingSink())
        }
    }

    @Test("into which nothing was pasted is asked again")
    func nothingPasted() async throws {
        let console = ScriptedConsole([
            ManualEndpoint.marker, " ", ManualEndpoint.marker, "a reply", ManualEndpoint.marker,
        ])
        let reply = try await ManualEndpoint(name: "Window", console: console)
            .complete(question, sink: CollectingSink())
        #expect(reply.content == "a reply")
        #expect(console.shown.components(separatedBy: "nothing was pasted").count == 3)
        let empty = try temporaryFolder().appending(path: "empty.md")
        try Data("\n".utf8).write(to: empty)
        await #expect(throws: EndpointError.manualFileUnreadable(file: empty.path, reason: "it is empty")) {
            try await ManualEndpoint(name: "Window", console: ScriptedConsole(["@\(empty.path)"]))
                .complete(question, sink: CollectingSink())
        }
        let sink = CollectingSink()
        await #expect(throws: EndpointError.manualReplyUnfinished(marker: ManualEndpoint.marker)) {
            try await ManualEndpoint(name: "Window", console: ScriptedConsole([ManualEndpoint.marker]))
                .complete(question, sink: sink)
        }
        #expect(sink.content.isEmpty)
    }

    @Test("that stops in the middle gives no reply")
    func unfinished() async throws {
        await #expect(throws: EndpointError.manualReplyUnfinished(marker: ManualEndpoint.marker)) {
            try await ManualEndpoint(name: "Window", console: ScriptedConsole(["half of it"]))
                .complete(question, sink: CollectingSink())
        }
    }
}
