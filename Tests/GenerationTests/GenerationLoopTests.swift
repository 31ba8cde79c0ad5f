import Endpoints
import Files
import Foundation
import GenerationTestSupport
import ResultStore
import Sandbox
import Testing

@testable import Generation

@Suite("The loop")
struct GenerationLoopTests {
    let bench: Workbench

    init() throws {
        bench = try Workbench()
    }

    @Test("code that runs at once ends in round 0 with its files kept")
    func atOnce() async throws {
        let store = try bench.store()
        let run = try await bench.loop(ScriptedEndpoint([TinyPrograms.reply(main: TinyPrograms.good)]), store: store)
            .run(bench.record())
        #expect(run.status == .succeeded)
        let rounds = try store.rounds(run: try #require(run.id))
        #expect(rounds.map(\.outcome) == [.clean])
        #expect(rounds[0].codeLines > 5)
        let final = try FileManager.default.contentsOfDirectory(atPath: bench.directory.final.path).sorted()
        #expect(final == ["dataset.py", "main.py", "model.py", "train.py"])
        let round = bench.directory.round(0)
        #expect(FileManager.default.fileExists(atPath: round.output.appending(path: "config.json").path))
        for file in [round.request, round.reply, round.reasoning, round.replyFacts, round.outcome] {
            #expect(FileManager.default.fileExists(atPath: file.path), "\(file.lastPathComponent)")
        }
    }

    @Test("each error goes back verbatim, and the model sees its replies without its reasoning")
    func conversation() async throws {
        let store = try bench.store()
        let run = try await bench.loop(ScriptedEndpoint(TinyPrograms.eventful), store: store).run(bench.record())
        let id = try #require(run.id)
        #expect(run.status == .succeeded)
        #expect(
            try store.rounds(run: id).map(\.outcome)
                == [.error, .extraction, .error, .clarification, .error, .clean])
        #expect(
            try store.errors(run: id).map(\.errorClass)
                == ["NameError", "ExtractionError", "TypeError", "ValueError"])
        #expect(
            try store.interactions(run: id).map(\.kind)
                == [.error, .extraction, .error, .clarification, .error])
        let last = try JSONDecoder().decode(
            ChatRequest.self, from: Data(contentsOf: bench.directory.round(5).request))
        #expect(
            last.messages.map(\.role) == [.user] + (0..<5).flatMap { _ in [.assistant, .user] as [ChatMessage.Role] })
        #expect(last.messages[1].content == TinyPrograms.eventful[0])
        #expect(last.messages[2].content.hasPrefix("Traceback (most recent call last):"))
        #expect(last.messages[2].content.contains("NameError: name 'undefined_name' is not defined"))
        #expect(!last.messages.contains { $0.content.contains("I think about") })
        let summary = try store.errorSummary(of: run)
        #expect(summary.replies == 6)
        #expect(summary.feedbacks == 5)
        #expect(summary.clarifications == 1)
        #expect(summary.extractionErrors == 1)
        #expect(summary.errorsByClass == ["NameError": 1, "TypeError": 1, "ValueError": 1])
        #expect(summary.firstError?.errorClass == "NameError")
        #expect(summary.totals.inputTokens == 600)
    }

    @Test("the same error three times running brings a hint, and again after three more")
    func hint() async throws {
        let same =
            [TinyPrograms.reply(main: TinyPrograms.nameError)]
            + Array(repeating: TinyPrograms.mainOnly(TinyPrograms.nameError), count: 6)
        let store = try bench.store()
        let run = try await bench.loop(
            ScriptedEndpoint(same + [TinyPrograms.mainOnly(TinyPrograms.good)]), store: store
        )
        .run(bench.record())
        let id = try #require(run.id)
        let hints = try store.interactions(run: id).filter { $0.kind == .hint }
        #expect(hints.map(\.round) == [2, 5])
        #expect(hints.map(\.text) == ["[hint count=3]", "[hint count=6]"])
        #expect(try store.errors(run: id).map(\.sameAsPrevious) == [false] + Array(repeating: true, count: 6))
        let request = try JSONDecoder().decode(
            ChatRequest.self, from: Data(contentsOf: bench.directory.round(3).request))
        #expect(request.messages.last?.content.hasSuffix("\n\n[hint count=3]") == true)
        #expect(request.messages.last?.content.hasPrefix("Traceback") == true)
    }

    @Test("a different error between two equal ones is no series")
    func brokenSeries() async throws {
        let mains = [TinyPrograms.nameError, TinyPrograms.nameError, TinyPrograms.typeError, TinyPrograms.nameError]
        let replies =
            [TinyPrograms.reply(main: mains[0])]
            + (mains.dropFirst() + [TinyPrograms.good]).map { TinyPrograms.mainOnly($0) }
        let store = try bench.store()
        let run = try await bench.loop(ScriptedEndpoint(replies), store: store).run(bench.record())
        #expect(try store.errorSummary(of: run).hints == 0)
    }

    @Test("a model that never runs stops at its limit of feedbacks, and goes on with a higher one")
    func roundLimit() async throws {
        let wrong = [TinyPrograms.nameError, TinyPrograms.typeError, TinyPrograms.valueError, TinyPrograms.nameError]
        let replies =
            [TinyPrograms.reply(main: wrong[0])]
            + (wrong.dropFirst() + [TinyPrograms.good]).map { TinyPrograms.mainOnly($0) }
        let store = try bench.store()
        let loop = try bench.loop(ScriptedEndpoint(replies), store: store)
        let run = try await loop.run(bench.record(maxRounds: 2))
        let id = try #require(run.id)
        #expect(run.status == .roundLimit)
        #expect(try store.rounds(run: id).count == 3)
        #expect(Set(try store.interactions(run: id).map(\.round)) == [0, 1])
        #expect(try store.errors(run: id).count == 3)
        // The same command again changes nothing.
        #expect(try await loop.run(bench.record(maxRounds: 2)) == run)
        let further = try await loop.run(bench.record(maxRounds: 6))
        #expect(further.status == .succeeded)
        #expect(try store.rounds(run: id).map(\.outcome) == [.error, .error, .error, .error, .clean])
        #expect(try store.exchanges(run: id).count == 5)
    }

    @Test("a conversation that outgrows the context ends the run before it is asked")
    func contextExhausted() async throws {
        let store = try bench.store()
        let settings = GenerationSettings(prompt: "Write it.", contextTokens: 300)
        let usage = TokenUsage(input: 100, output: 150)
        let run = try await bench.loop(
            ScriptedEndpoint(TinyPrograms.eventful, usage: usage), settings: settings, store: store
        ).run(bench.record())
        #expect(run.status == .contextExhausted)
        #expect(try store.exchanges(run: try #require(run.id)).count == 1)
    }

    @Test("an endpoint that says the context is full ends the run as well")
    func contextExceeded() async throws {
        let store = try bench.store()
        let run = try await bench.loop(FailingEndpoint(error: .contextExceeded(model: "m", message: "")), store: store)
            .run(bench.record())
        #expect(run.status == .contextExhausted)
        #expect(try store.exchanges(run: try #require(run.id)).map(\.status) == [.failed])
    }

    @Test("an endpoint that is down stops the run with its sentence, and the run goes on later")
    func endpointDown() async throws {
        let store = try bench.store()
        let down = EndpointError.unreachable(address: "http://127.0.0.1:1", reason: "refused", attempts: 3)
        await #expect(throws: down) {
            try await bench.loop(FailingEndpoint(error: down), store: store).run(bench.record())
        }
        let run = try await bench.loop(ScriptedEndpoint([TinyPrograms.reply(main: TinyPrograms.good)]), store: store)
            .run(bench.record())
        #expect(run.status == .succeeded)
        let exchanges = try store.exchanges(run: try #require(run.id))
        #expect(exchanges.map(\.status) == [.failed, .complete])
        #expect(exchanges[0].cost == nil)
        #expect(try store.rounds(run: try #require(run.id)).count == 1)
    }

    @Test("a broken sandbox is never the model's error and is not counted")
    func oursNotTheirs() async throws {
        let store = try bench.store()
        let endpoint = ScriptedEndpoint([TinyPrograms.reply(main: TinyPrograms.good)])
        await #expect(throws: SandboxError.broken(reason: "gone")) {
            try await bench.loop(endpoint, check: BrokenCheck(), store: store).run(bench.record())
        }
        let stopped = try #require(try store.run(path: Workbench.key().path))
        #expect(stopped.status == .running)
        #expect(try store.rounds(run: try #require(stopped.id)).isEmpty)
        #expect(try store.errors(run: try #require(stopped.id)).isEmpty)
        let run = try await bench.loop(endpoint, store: store).run(bench.record())
        #expect(run.status == .succeeded)
        #expect(try store.exchanges(run: try #require(run.id)).count == 1)
    }

    @Test("a reply cut by the output limit is an extraction error with words of its own")
    func truncatedReply() async throws {
        let store = try bench.store()
        let endpoint = TruncatingEndpoint(then: TinyPrograms.reply(main: TinyPrograms.good))
        let run = try await bench.loop(endpoint, store: store).run(bench.record())
        let id = try #require(run.id)
        #expect(run.status == .succeeded)
        #expect(try store.interactions(run: id).map(\.text) == ["[output-truncated ]"])
        #expect(try store.errors(run: id).map(\.errorClass) == ["ExtractionError"])
        #expect(try store.exchanges(run: id).map(\.finishReason) == ["length", "stop"])
    }

    @Test("a run that somebody else works on is left alone")
    func locked() async throws {
        try FileManager.default.createDirectory(at: bench.directory.url, withIntermediateDirectories: true)
        let lock = try FileLock(trying: bench.directory.url.appending(path: ".lock"))
        await #expect(throws: GenerationError.locked(run: Workbench.key().path)) {
            try await bench.loop(ScriptedEndpoint([])).run(bench.record())
        }
        lock.release()
    }

    /// A copy of the descriptor stands for that of a child which was forked and has not begun its own program yet.
    @Test("a lock that is given up is free, whoever has a copy of its descriptor")
    func copied() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "lock-\(UUID().uuidString)")
            .resolvingSymlinksInPath()
        defer { try? FileManager.default.removeItem(at: file) }
        let lock = try FileLock(trying: file)
        let held = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }.first {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == file.path
        }
        let copy = dup(try #require(held))
        defer { close(copy) }
        #expect(throws: FileLock.Failure.held(path: file.path)) { try FileLock(trying: file) }
        lock.release()
        try FileLock(trying: file).release()
    }

    @Test("files of a settled round that were altered stop the run")
    func damagedRound() async throws {
        let store = try bench.store()
        let replies = [TinyPrograms.reply(main: TinyPrograms.nameError)]
        _ = try? await bench.loop(ScriptedEndpoint(replies), store: store).run(bench.record())
        try "tampered".write(
            to: bench.directory.round(0).files.appending(path: "main.py"), atomically: true, encoding: .utf8)
        let more = ScriptedEndpoint(replies + [TinyPrograms.mainOnly(TinyPrograms.good)])
        await #expect(throws: GenerationError.damagedRound(run: Workbench.key().path, round: 0, file: "files/main.py"))
        {
            try await bench.loop(more, store: store).run(bench.record())
        }
    }

    @Test("the files of a run that ended are made again where they were removed, and missed where they cannot be")
    func endedAndGone() async throws {
        let store = try bench.store()
        let endpoint = ScriptedEndpoint([TinyPrograms.reply(main: TinyPrograms.good)])
        #expect(try await bench.loop(endpoint, store: store).run(bench.record()).status == .succeeded)
        let final = bench.directory.final.appending(path: "main.py")
        let program = try Data(contentsOf: final)
        try FileManager.default.removeItem(at: bench.directory.final)
        let silent = ScriptedEndpoint([])
        #expect(try await bench.loop(silent, store: store).run(bench.record()).status == .succeeded)
        #expect(try Data(contentsOf: final) == program)
        try FileManager.default.removeItem(at: bench.directory.url)
        let error = await #expect(throws: GenerationError.self) {
            try await bench.loop(silent, store: store).run(bench.record())
        }
        #expect(error?.description.contains("is missing or damaged: restore it from a copy of generated/") == true)
    }

    @Test("what a program leaves behind is removed without following its links")
    func leavings() async throws {
        let outside = bench.workspace.root.appending(path: "precious.json")
        try "keep".write(to: outside, atomically: true, encoding: .utf8)
        let hostile = """
            import os
            out = sys.argv[1]
            os.symlink(\(String(reflecting: outside.path)), out + '/config.json')
            os.mkfifo(out + '/fifo.png')
            open(out + '/kept.json', 'w').write('{}')
            open(out + '/large.pth', 'wb').write(b'0' * 100000)
            os.chdir(out)
            for _ in range(3000):
                os.mkdir('deep')
                os.chdir('deep')
            open('x', 'w').write('x')
            """
        let store = try bench.store()
        let run = try await bench.loop(ScriptedEndpoint([TinyPrograms.reply(main: hostile)]), store: store)
            .run(bench.record())
        #expect(run.status == .succeeded)
        let left = try FileManager.default.contentsOfDirectory(atPath: bench.directory.round(0).output.path)
        #expect(left == ["kept.json"])
        #expect(try String(contentsOf: outside, encoding: .utf8) == "keep")
    }
}

/// Fails each request.
struct FailingEndpoint: ChatEndpoint {
    let error: EndpointError

    func complete(_ request: ChatRequest, sink: any ReplySink) async throws -> ChatReply {
        try sink.begin(attempt: 1)
        throw error
    }
}

/// Reaches its output limit the first time.
struct TruncatingEndpoint: ChatEndpoint {
    let then: String

    func complete(_ request: ChatRequest, sink: any ReplySink) async throws -> ChatReply {
        try sink.begin(attempt: 1)
        if request.exchangeIndex > 0 { return ChatReply(content: then) }
        return ChatReply(content: String(then.prefix(100)), finishReason: .length)
    }
}

/// A machine whose sandbox died.
struct BrokenCheck: PipelineCheck {
    func run(files: URL, in round: RoundDirectory) async throws -> CheckVerdict {
        throw SandboxError.broken(reason: "gone")
    }
}
