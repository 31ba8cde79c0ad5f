import Foundation
import ResultStore
import Synchronization
import Testing

@testable import Studies

@Suite("A study that runs")
struct SchedulerTests {
    let place: StudyPlace
    static let one = "/small/disc/pytorch/1"
    static let other = "/prose/disc/pytorch/1"

    init() throws { place = try StudyPlace() }

    /// One `study run` with scripted stages.
    private func run(
        _ script: [String: ScriptedExecutor.Script] = [:], yaml: String = StudyPlace.small, places: Int = 1,
        retry: Set<String> = [], stopAt: String? = nil,
        observe: @escaping @Sendable (StudyEvent) -> Void = { _ in }
    ) async throws -> (outcome: StudyOutcome, executor: ScriptedExecutor) {
        let made = Mutex<ScriptedExecutor?>(nil)
        let running = Mutex<StudySession?>(nil)
        let session = try StudySession(
            try place.study(yaml), workspace: place.workspace, retry: retry,
            executor: { [workspace = place.workspace] study, store in
                let executor = ScriptedExecutor(study, workspace, store, places: places, script: script)
                made.withLock { $0 = executor }
                return executor
            },
            observe: { event in
                observe(event)
                if case .began(let job) = event, job.id == stopAt { running.withLock { $0 }?.stop() }
            })
        running.withLock { $0 = session }
        defer { running.withLock { $0 = nil } }
        let outcome = try await session.run()
        return (outcome, try #require(made.withLock { $0 }))
    }

    private func states() throws -> [String: JobRecord.State] {
        Dictionary(uniqueKeysWithValues: try place.store().jobs().map { ($0.id, $0.state) })
    }

    @Test("does every job once, and nothing again")
    func once() async throws {
        let (first, executor) = try await run()
        #expect(first.tally.done == 8 && first.tally.total == 8)
        #expect(executor.begun.count == 8 && Set(executor.begun).count == 8)
        #expect(try states().values.allSatisfy { $0 == .done })
        let (second, idle) = try await run()
        #expect(idle.begun.isEmpty && second.tally.done == 8)
        // The job table is for people: what is done stands in the stages' records.
        try place.store().storeJobs([])
        #expect(try await run().executor.begun.isEmpty)
    }

    @Test("makes a baseline once, and another where the budget is another")
    func baseline() async throws {
        let yaml = StudyPlace.small + "\nbaseline: {epochs: 2}\n"
        let (first, executor) = try await run(yaml: yaml)
        #expect(first.tally.done == 9 && executor.begun.last == "baseline/nnunet/disc/nnunetv2/1/seed-0")
        #expect(try await run(yaml: yaml).executor.begun.isEmpty)
        let (_, other) = try await run(yaml: StudyPlace.small + "\nbaseline: {epochs: 3}\n")
        #expect(other.begun == ["baseline/nnunet/disc/nnunetv2/1/seed-0"])
        #expect(try place.store().baselines().map(\.budget) == ["2x250", "3x250"])
    }

    @Test("does as many jobs at once as there are places, and no more", arguments: [1, 2, 3])
    func places(_ count: Int) async throws {
        let (outcome, executor) = try await run(
            yaml: StudyPlace.small + "seeds: [0, 1, 2, 3]\n", places: count)
        #expect(outcome.tally.done == outcome.tally.total)
        #expect(executor.mostAtOnce <= count)
    }

    @Test("goes on past a job that fails, skips what needs it, and says both")
    func isolation() async throws {
        let events = Mutex<[String]>([])
        let (outcome, executor) = try await run(
            ["capture\(Self.one)/seed-0": .outcome(.broken(reason: "the machine hiccuped"))]
        ) { event in
            if case .failed(let job, let reason) = event { events.withLock { $0.append("\(job.id): \(reason)") } }
        }
        #expect(outcome.failed.map(\.job.id) == ["capture\(Self.one)/seed-0"])
        #expect(events.withLock { $0 } == ["capture\(Self.one)/seed-0: the machine hiccuped"])
        #expect(outcome.tally.done == 5 && outcome.tally.skipped == 2)
        #expect(executor.begun.contains("evaluate\(Self.other)/swift-0"))
        let rows = try place.store().jobs()
        let skipped = rows.filter { $0.state == .skipped }
        #expect(skipped.map(\.id) == ["train\(Self.one)/swift-0", "evaluate\(Self.one)/swift-0"])
        #expect(skipped[0].reason == "it needs capture\(Self.one)/seed-0, which failed")
        #expect(rows.first { $0.state == .failed }?.fault == .harness)
        // Ours: the next call tries again, and what was skipped follows.
        let (again, second) = try await run()
        #expect(again.tally.done == 8)
        #expect(
            second.begun == ["capture\(Self.one)/seed-0", "train\(Self.one)/swift-0", "evaluate\(Self.one)/swift-0"])
    }

    @Test("keeps a pipeline's own failure until a retry is asked for")
    func retry() async throws {
        let id = "train\(Self.one)/swift-0"
        let script: [String: ScriptedExecutor.Script] = [id: .outcome(.failed(reason: "its loss is not finite"))]
        _ = try await run(script)
        let (kept, idle) = try await run()
        #expect(idle.begun.isEmpty)
        #expect(
            kept.failed == [
                StudyOutcome.Left(job: try #require(kept.failed.first).job, reason: "its loss is not finite")
            ])
        let (done, executor) = try await run(retry: [id])
        #expect(executor.begun == [id, "evaluate\(Self.one)/swift-0"])
        #expect(executor.doneAgain == [id])
        #expect(done.tally.done == 8 && done.failed.isEmpty)
        do {
            _ = try await run(retry: ["swift-0"])
            Issue.record("an unknown job was retried")
        } catch let error as StudyError {
            #expect("\(error)".contains("the study has no job 'swift-0'; did you mean train\(Self.one)/swift-0"))
        }
    }

    @Test("refuses to retry what did not fail, before anything is begun")
    func notFailed() async throws {
        let (train, evaluate) = ("train\(Self.one)/swift-0", "evaluate\(Self.one)/swift-0")
        let script: [String: ScriptedExecutor.Script] = [train: .outcome(.failed(reason: "its loss is not finite"))]
        _ = try await run(script)
        func refusal(_ ids: Set<String>) async throws -> String {
            let begun = Mutex<[String]>([])
            do {
                _ = try await run(retry: ids) { event in
                    if case .began(let job) = event { begun.withLock { $0.append(job.id) } }
                }
                return "none"
            } catch let error as StudyError {
                #expect(begun.withLock { $0 }.isEmpty)
                return "\(error)"
            }
        }
        #expect(
            try await refusal(["generate\(Self.one)"])
                == "generate\(Self.one) is done: only a job that failed can be retried; leave its --retry out")
        let skipped = try await refusal([evaluate])
        #expect(skipped.hasPrefix("\(evaluate) is skipped ("))
        #expect(skipped.contains("): only a job that failed can be retried"))
        // With what it needs it is planned: nothing is refused.
        let (done, executor) = try await run(retry: [train, evaluate])
        #expect(executor.begun == [train, evaluate] && done.tally.done == 8)
    }

    @Test("skips what a result leaves nothing to do for")
    func results() async throws {
        let (outcome, _) = try await run(
            ["generate\(Self.other)": .roundLimit, "capture\(Self.one)/seed-0": .refusedCapture],
            yaml: StudyPlace.small.replacing("engines: [swift]", with: "engines: [swift, emitted]"))
        #expect(outcome.failed.isEmpty)
        let rows = Dictionary(uniqueKeysWithValues: try place.store().jobs().map { ($0.id, $0) })
        #expect(rows["generate\(Self.other)"]?.state == .done)
        #expect(rows["generate\(Self.other)"]?.reason == "the code does not run: round limit")
        #expect(rows["capture\(Self.other)/seed-0"]?.reason == "the code did not run: round limit")
        #expect(rows["evaluate\(Self.other)/emitted-0"]?.state == .skipped)
        // A refusal is the capture's result; the pipeline's own program still runs.
        #expect(rows["capture\(Self.one)/seed-0"]?.reason == "refused: its loop was not seen")
        #expect(rows["train\(Self.one)/swift-0"]?.state == .skipped)
        #expect(rows["train\(Self.one)/swift-0"]?.reason == "the capture was refused: its loop was not seen")
        #expect(rows["evaluate\(Self.one)/emitted-0"]?.state == .done)
    }

    @Test("opens a run again whose limit of rounds was raised")
    func raisedLimit() async throws {
        let id = "generate\(Self.other)"
        _ = try await run([id: .roundLimit])
        #expect(try await run().executor.begun.isEmpty)
        let raised = StudyPlace.small.replacing("max: 3", with: "max: 30")
        #expect(try await run(yaml: raised).executor.begun.contains(id))
    }

    @Test("does not begin what would exceed the budget of money, and says so")
    func money() async throws {
        // Expected: 1.92 and a little a conversation.
        let yaml = """
            name: small
            models: [priced, prose]
            datasets: [disc]
            runs: 3
            engines: [swift]
            parity: 0
            budget: {money: 5}
            """
        let (outcome, executor) = try await run(
            (1...3).reduce(into: [:]) { $0["generate/priced/disc/pytorch/\($1)"] = .costs(2.5) }, yaml: yaml, places: 1)
        #expect(
            executor.begun.filter { $0.hasPrefix("generate/priced") } == [
                "generate/priced/disc/pytorch/1", "generate/priced/disc/pytorch/2",
            ])
        #expect(executor.begun.count { $0.hasPrefix("generate/prose") } == 3)
        #expect(outcome.tally.spent == 5)
        let held = outcome.held.first
        #expect(held?.job.id == "generate/priced/disc/pytorch/3")
        #expect(
            held?.reason.hasPrefix("the budget of $5.00 would be exceeded: $5.00 are spent") == true,
            "\(held?.reason ?? "")")
        #expect(outcome.held.count == 4 && outcome.failed.isEmpty)
        // What runs at the same time is counted as spent.
        let fresh = try StudyPlace()
        let tight = try fresh.study(yaml.replacing("money: 5", with: "money: 3"))
        let session = try StudySession(
            tight, workspace: fresh.workspace,
            executor: { [workspace = fresh.workspace] in ScriptedExecutor($0, workspace, $1, places: 4) })
        let second = try await session.run()
        #expect(second.held.count { $0.job.kind == .generate } == 2)
        // More money, and the same command goes on.
        #expect(try await run(yaml: yaml.replacing("money: 5", with: "money: 50")).outcome.held.isEmpty)
    }

    @Test("does not begin what would exceed the budget of time, earlier processes counted in")
    func hours() async throws {
        // A conversation from a recording is expected to take 96 s, a capture 15 s, a training of 1000 epochs of 32 images 6400 s.
        let yaml = StudyPlace.small + "epochs: 1000\nbudget: {hours: 0.5}\n"
        let (outcome, executor) = try await run(yaml: yaml)
        #expect(Set(executor.begun.map { $0.split(separator: "/")[0] }) == ["generate", "capture"])
        #expect(outcome.held.first?.reason.contains("the budget of 0.5 h would be exceeded") == true)
        let store = try place.store()
        var study = try #require(try store.study())
        study.earlierSeconds = 1795
        study.ending = nil
        try store.storeStudy(study)
        try store.storeJobs([])
        let clean = try place.study(
            StudyPlace.small.replacing("name: small", with: "name: small\nruns: 2") + "budget: {hours: 0.5}\n")
        let session = try StudySession(
            clean, workspace: place.workspace,
            executor: { [workspace = place.workspace] in ScriptedExecutor($0, workspace, $1) })
        let second = try await session.run()
        #expect(second.held.contains { $0.job.id == "capture/small/disc/pytorch/2/seed-0" }, "\(second.held)")
        #expect(second.tally.elapsedSeconds >= 1795)
    }

    @Test("holds a job that met the budget while it ran, with what needs it, and goes on with it in the next call")
    func heldMeanwhile() async throws {
        let sentence = "the budget of $1.00 would be exceeded"
        let events = Mutex<[String]>([])
        let (outcome, _) = try await run(["generate\(Self.one)": .outcome(.held(reason: sentence))]) { event in
            if case .left(let job, .held, let reason) = event { events.withLock { $0.append("\(job.id): \(reason)") } }
        }
        #expect(events.withLock { $0 } == ["generate\(Self.one): \(sentence)"])
        #expect(outcome.held.map(\.job.kind) == [.generate, .capture, .train, .evaluate] && outcome.failed.isEmpty)
        #expect(outcome.held.map(\.reason).prefix(2) == [sentence, "it needs generate\(Self.one), which is held"])
        #expect(outcome.tally.done == 4)
        let (next, executor) = try await run()
        #expect(next.tally.done == 8 && executor.begun.first == "generate\(Self.one)")
    }

    @Test("holds what is not ready, and does the rest")
    func partial() async throws {
        let (outcome, executor) = try await run(
            yaml: "name: small\nmodels: [keyed, small]\ndatasets: [disc, bagls]\nengines: [swift]\nparity: 0\n")
        #expect(Set(executor.begun.map { $0.split(separator: "/")[1...2].joined(separator: "/") }) == ["small/disc"])
        #expect(outcome.held.count == 12)
        #expect(
            outcome.held.first { $0.job.id == "generate/keyed/disc/pytorch/1" }?.reason
                == "the environment variable STUDY_TEST_KEY is not set")
        #expect(
            outcome.held.first { $0.job.id == "generate/small/bagls/pytorch/1" }?.reason
                == "the dataset 'bagls' is not prepared")
    }

    @Test("that is stopped puts back what ran, and goes on")
    func stopped() async throws {
        let id = "train\(Self.one)/swift-0"
        let (outcome, _) = try await run([id: .hang], stopAt: id)
        #expect(outcome.isStopped && outcome.fatal == nil)
        #expect(try states()[id] == .planned)
        #expect(try place.store().study()?.ending == "stopped")
        #expect(try await run().outcome.tally.done == 8)
    }

    @Test("ends where every job would fail, with the others put back")
    func fatal() async throws {
        let (outcome, executor) = try await run(
            [
                "generate\(Self.one)": .hang,
                "generate\(Self.other)": .outcome(.fatal(reason: "no space left for /x: free some")),
            ], places: 2)
        #expect(outcome.fatal == "no space left for /x: free some" && outcome.failed.isEmpty)
        #expect(executor.begun.count == 2)
        #expect(try states().values.allSatisfy { $0 == .planned })
        #expect(try await run().outcome.tally.done == 8)
    }

    @Test("belongs to one process at a time")
    func locked() async throws {
        let study = try place.study()
        let first = try StudySession(
            study, workspace: place.workspace,
            executor: { [workspace = place.workspace] in ScriptedExecutor($0, workspace, $1) })
        do {
            _ = try StudySession(study, workspace: place.workspace)
            Issue.record("two held the study")
        } catch let error as StudyError {
            #expect(error == .locked(study: "small", pid: getpid()))
            #expect("\(error)".hasPrefix("study 'small' is being run by process \(getpid()): wait for it"))
        }
        _ = try await first.run()
        #expect(try await run().outcome.tally.done == 8)
    }

    @Test("is seen from a second connection: what runs, on which process, and what a dead one left")
    func status() async throws {
        let id = "train\(Self.one)/swift-0"
        let seen = Mutex<StudyStatus?>(nil)
        let workspace = place.workspace
        let (_, _) = try await run([id: .hang], stopAt: id) { event in
            guard case .began(let job) = event, job.id == id else { return }
            let status = try? StudyStatus("small", in: workspace)
            seen.withLock { $0 = status }
        }
        let running = try #require(seen.withLock { $0 })
        #expect(running.process == .current && !running.isBrokenOff)
        #expect(running.jobs.filter { $0.state == .running }.map(\.id) == [id])
        #expect(running.jobs.first { $0.id == id }?.startedAt != nil)
        #expect(running.tally.total == 8 && running.tally.running == 1)

        let stopped = try StudyStatus("small", in: workspace)
        #expect(stopped.process == nil && !stopped.isBrokenOff && stopped.study.ending == "stopped")

        // As a kill leaves it: no ending, a row that still runs, a process that is no more.
        let store = try place.store()
        var study = try #require(try store.study())
        study.ending = nil
        study.process = ProcessIdentity(pid: getpid(), boot: ProcessIdentity.current.boot, start: 1).description
        try store.storeStudy(study)
        var row = try #require(try store.jobs().first { $0.id == id })
        row.state = .running
        try store.updateJobs([row])
        let dead = try StudyStatus("small", in: workspace)
        #expect(dead.process == nil && dead.isBrokenOff)
        #expect(!dead.jobs.contains { $0.state == .running })
        #expect(throws: StudyError.notBegun(study: "nothing")) { try StudyStatus("nothing", in: workspace) }
    }

    @Test("tells a living process from one of another start or boot")
    func processes() throws {
        let me = ProcessIdentity.current
        #expect(me.isAlive && ProcessIdentity(me.description) == me)
        #expect(!ProcessIdentity(pid: me.pid, boot: me.boot, start: me.start + 1).isAlive)
        #expect(!ProcessIdentity(pid: me.pid, boot: "another", start: me.start).isAlive)
        #expect(!ProcessIdentity(pid: 4_194_303, boot: me.boot, start: me.start).isAlive)
        for text in ["", "x", "1:2", "-1:2:b", "1:x:b"] { #expect(ProcessIdentity(text) == nil) }
    }

    @Test("serves who waits before who asks, and lets a waiting one give up")
    func slots() async throws {
        let pool = SlotPool(1)
        #expect(pool.tryTake() && !pool.tryTake() && !pool.hasRoom)
        let order = Mutex<[Int]>([])
        let first = Task {
            try await pool.take()
            order.withLock { $0.append(1) }
        }
        let second = Task { try await pool.take() }
        try await Task.sleep(for: .milliseconds(50))
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        pool.give()
        try await first.value
        #expect(order.withLock { $0 } == [1])
        #expect(!pool.tryTake())
        pool.give()
        #expect(pool.tryTake())
    }
}
