import Endpoints
import Foundation
import GenerationTestSupport
import ResultStore
import TestSupport
import Testing

@testable import Generation

@Suite("A run survives its process", .serialized)
struct ResumeTests {
    /// What a run must look like, however often it was broken off: everything but times and lost requests.
    struct Snapshot {
        var status: RunRecord.Status?
        var rounds: [String] = []
        var errors: [String] = []
        var interactions: [String] = []
        var completeRequests: [Int] = []
        var requestHashes: [String] = []
        var final: [[String]] = []
        var open = 0

        init(_ bench: Workbench) throws {
            let store = try bench.store()
            guard let run = try store.run(path: Workbench.key().path), let id = run.id else { return }
            status = run.status
            rounds = try store.rounds(run: id).map {
                "\($0.round) \($0.outcome) \($0.files.map(\.sha256)) \($0.codeLines) \($0.termination ?? "-")"
            }
            errors = try store.errors(run: id).map { "\($0.round) \($0.signature) \($0.sameAsPrevious)" }
            interactions = try store.interactions(run: id).map { "\($0.round) \($0.ordinal) \($0.kind) \($0.text)" }
            let exchanges = try store.exchanges(run: id)
            completeRequests = exchanges.filter { $0.status == .complete }.map(\.round)
            requestHashes = exchanges.filter { $0.status == .complete }.map(\.requestHash)
            open = exchanges.count { $0.status == .sent }
            let folder = bench.directory.final
            for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted() {
                final.append([name, try String(contentsOf: folder.appending(path: name), encoding: .utf8)])
            }
        }

        func differences(from other: Snapshot) -> [String] {
            let fields: [(String, PartialKeyPath<Snapshot> & Sendable)] = [
                ("status", \.status), ("rounds", \.rounds), ("errors", \.errors), ("interactions", \.interactions),
                ("requests", \.completeRequests), ("hashes", \.requestHashes), ("final", \.final), ("open", \.open),
            ]
            return fields.compactMap { name, field in
                let mine = "\(self[keyPath: field])"
                let theirs = "\(other[keyPath: field])"
                return mine == theirs ? nil : "\(name): \(mine)\ninstead of \(theirs)"
            }
        }
    }

    private func uninterrupted() async throws -> Snapshot {
        let bench = try Workbench()
        let ended = try await Probe.run(try Probe.executable(), [bench.workspace.root.path, "0"])
        #expect(ended.status == 0, "\(ended.errors)")
        return try Snapshot(bench)
    }

    @Test("killed at random moments, it ends like one that was left alone")
    func kills() async throws {
        let wanted = Trials.isVerifying ? 50 : 5
        let seed = Trials.seed("resume after \(wanted) kill -9")
        var random = SplitMix(state: seed)
        let reference = try await uninterrupted()
        #expect(reference.status == .succeeded)
        #expect(reference.rounds.count == 6)
        let probe = try Probe.executable()
        var kills = 0
        var lost = 0
        while kills < wanted {
            let bench = try Workbench()
            while true {
                let moment = kills < wanted ? Duration.milliseconds(Int(random.next() % 900)) : nil
                let ended = try await Probe.run(probe, [bench.workspace.root.path, "0.08"], killAfter: moment)
                if ended.wasKilled {
                    kills += 1
                    continue
                }
                #expect(ended.status == 0, "seed \(seed): \(ended.errors)")
                break
            }
            let snapshot = try Snapshot(bench)
            #expect(snapshot.differences(from: reference) == [], "seed \(seed)")
            let store = try bench.store()
            let id = try #require(try store.run(path: Workbench.key().path)?.id)
            for exchange in try store.exchanges(run: id) where exchange.status == .lost {
                lost += 1
                #expect(exchange.costIsEstimate)
                #expect((exchange.cost ?? 0) > 0)
            }
        }
        print("resume after kill -9: \(kills) kills, \(lost) replies lost and asked for again")
    }

    @Test("a reply that lies whole on disk is used and not paid for again")
    func adopted() async throws {
        let bench = try Workbench()
        let store = try bench.store()
        let endpoint = ScriptedEndpoint([TinyPrograms.reply(main: TinyPrograms.good)])
        await #expect(throws: (any Error).self) {
            try await bench.loop(endpoint, check: BrokenCheck(), store: store).run(bench.record())
        }
        let id = try #require(try store.run(path: Workbench.key().path)?.id)
        // As it stands when the process dies between the file and the row.
        var exchange = try #require(try store.exchanges(run: id).first)
        exchange.status = .sent
        exchange.inputTokens = nil
        try store.updateExchange(exchange)
        let run = try await bench.loop(ScriptedEndpoint([]), store: store).run(bench.record())
        #expect(run.status == .succeeded)
        let exchanges = try store.exchanges(run: id)
        #expect(exchanges.map(\.status) == [.complete])
        #expect(exchanges[0].inputTokens == 100)
    }

    @Test(
        "a reply that was cut is recorded as lost, with its bytes and its estimated cost, before it is asked for again")
    func lost() async throws {
        let bench = try Workbench()
        let store = try bench.store()
        let id = try #require(try store.beginRun(bench.record()).id)
        _ = try store.insertExchange(ExchangeRecord(runId: id, round: 0, ordinal: 0, requestHash: "h"))
        let round = bench.directory.round(0)
        try FileManager.default.createDirectory(at: round.url, withIntermediateDirectories: true)
        try String(repeating: "half a reply ", count: 100).write(
            to: round.reply.appendingPathExtension("partial"), atomically: true, encoding: .utf8)
        let settings = GenerationSettings(
            prompt: String(repeating: "p", count: 4000), prices: .init(input: 1000, output: 2000))
        let run = try await bench.loop(
            ScriptedEndpoint([TinyPrograms.reply(main: TinyPrograms.good)]), settings: settings, store: store
        ).run(bench.record())
        #expect(run.status == .succeeded)
        let exchanges = try store.exchanges(run: id)
        #expect(exchanges.map(\.status) == [.lost, .complete])
        #expect(exchanges[0].inputTokens == 1000)
        #expect(exchanges[0].outputTokens == 325)
        #expect(abs((exchanges[0].cost ?? 0) - (1 + 0.65)) < 1e-9)
        #expect(exchanges[0].costIsEstimate)
        #expect(!exchanges[1].costIsEstimate)
        #expect(try store.errorSummary(of: run).totals.lost == 1)
        let kept = round.reply.appendingPathExtension("lost-0")
        #expect(try String(contentsOf: kept, encoding: .utf8).hasPrefix("half a reply"))
    }

    @Test("two processes at once on one store finish their runs")
    func twoRuns() async throws {
        let bench = try Workbench()
        let probe = try Probe.executable()
        let root = bench.workspace.root.path
        async let first = Probe.run(probe, [root, "0.02", "1"])
        async let second = Probe.run(probe, [root, "0.02", "2"])
        let both = try await [first, second]
        #expect(both.map(\.status) == [0, 0], "\(both.map(\.errors))")
        let runs = try bench.store().runs()
        #expect(runs.map(\.status) == [.succeeded, .succeeded])
    }

    @Test("two processes at once on one run: one works, the other says so")
    func oneRun() async throws {
        let bench = try Workbench()
        let probe = try Probe.executable()
        let root = bench.workspace.root.path
        async let first = Probe.run(probe, [root, "0.2"])
        async let second = Probe.run(probe, [root, "0.2"])
        let both = try await [first, second].sorted { $0.status < $1.status }
        #expect(both.map(\.status) == [0, 3])
        #expect(both[1].errors.contains("another llmbench works on default/tiny/scripted/pytorch/00000000/run-01"))
        #expect(try Snapshot(bench).completeRequests == [0, 1, 2, 3, 4, 5])
    }

    @Test("a full disk stops it with one sentence, and it goes on once there is room")
    func diskFull() async throws {
        let reference = try await uninterrupted()
        #expect(reference.status == .succeeded)
        let bench = try Workbench()
        let probe = try Probe.executable()
        // A small file system that exists only inside; `room` is what is left when the run begins.
        let script = """
            set -u
            cd "$1"
            for room in 0 16 48 96 144 192 224 256 288 320 352 384 448; do
                mkdir w; head -c $((3000000 - room * 1024)) /dev/zero > filler
                said=$("$2" "$1/w" 0 2>&1); echo "$room first $? $said"
                rm filler
                said=$("$2" "$1/w" 0 2>&1); echo "$room second $? $said"
                rm -r w
            done
            """
        let ended = try await Probe.run(
            URL(filePath: "/usr/bin/env"),
            [
                "bwrap", "--dev-bind", "/", "/", "--size", "3145728", "--tmpfs", bench.workspace.root.path, "--", "sh",
                "-c",
                script, "sh", bench.workspace.root.path, probe.path,
            ])
        let lines = ended.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 26, "\(ended.output)\(ended.errors)")
        var full = 0
        for line in lines where line.contains(" first ") && !line.contains(" first 0") {
            full += 1
            #expect(line.contains(" first 3 no space left for "), "\(line)")
            #expect(line.hasSuffix(": free some and run the same command again"), "\(line)")
        }
        #expect(full >= 5, "\(ended.output)")
        for line in lines where line.contains(" second ") { #expect(line.hasSuffix(" second 0 succeeded"), "\(line)") }
    }
}

/// Vigna's SplitMix64: a seed gives the same numbers everywhere.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
