import Diagnosis
import Endpoints
import Exchanges
import Files
import Foundation
import Hashing
import ResultStore

/// From a prompt to code that runs: reply, files, check run, error, and again.
///
/// ```swift
/// let loop = GenerationLoop(
///     endpoint: endpoint, check: check, store: store, workspace: workspace, texts: texts, settings: settings)
/// let run = try await loop.run(RunRecord(key: key, provider: "openai"))
/// ```
///
/// Everything is written down before it matters, so that a process that is killed at any point loses nothing and counts
/// nothing twice: the next call with the same record finds out from the store and the run's folder how far it came.
/// `round-00` holds the first reply; `maxRounds` counts what is said back.
public struct GenerationLoop: Sendable {
    /// Whether a request may leave, by the estimated tokens of its conversation: throws where it may not, and then nothing is written
    /// down of it. What it gives is called when the request is at its end, its cost stored.
    public typealias Admission = @Sendable (_ tokens: Int) throws -> @Sendable () -> Void

    /// Lets every request out.
    public static let everything: Admission = { _ in {} }

    let endpoint: any ChatEndpoint
    let check: any PipelineCheck
    let store: ResultStore
    let workspace: Workspace
    let texts: any FeedbackTexts
    let settings: GenerationSettings
    let admit: Admission
    let observe: @Sendable (GenerationEvent) -> Void

    public init(
        endpoint: any ChatEndpoint, check: any PipelineCheck, store: ResultStore, workspace: Workspace,
        texts: any FeedbackTexts, settings: GenerationSettings, admit: @escaping Admission = everything,
        observe: @escaping @Sendable (GenerationEvent) -> Void = { _ in }
    ) {
        self.endpoint = endpoint
        self.check = check
        self.store = store
        self.workspace = workspace
        self.texts = texts
        self.settings = settings
        self.admit = admit
        self.observe = observe
    }

    /// Begins a run, or goes on with it, to its end.
    ///
    /// A run that ended at its round limit goes on when `record` has a higher one.
    ///
    /// - Returns: the run with its final status.
    /// - Throws: `GenerationError` (also for a run that ended and whose files are gone), `EndpointError`, `SandboxError`, `StoreError`,
    ///   what `admit` throws: failures that are not the model's. The run stays where it is.
    public func run(_ record: RunRecord) async throws -> RunRecord {
        let directory = workspace.directory(of: record.key)
        try ExchangeFiles.makeFolder(directory.url)
        let lock: FileLock
        do {
            lock = try FileLock(trying: directory.url.appending(path: ".lock"))
        } catch FileLock.Failure.held {
            throw GenerationError.locked(run: record.path)
        }
        defer { lock.release() }
        var run = try store.beginRun(record)
        if run.status == .roundLimit, record.maxRounds > run.maxRounds {
            run = try store.setMaxRounds(record.maxRounds, of: run)
            run = try store.setStatus(.running, reason: nil, of: run)
        }
        let loop = try RunningLoop(loop: self, run: run, directory: directory)
        guard !run.status.isEnd else {
            // Whoever asks for it again means to go on with its files.
            if run.status == .succeeded { try loop.restoreFinal() }
            observe(.alreadyEnded(run))
            return run
        }
        return try await loop.toTheEnd()
    }
}

/// One run that goes on.
struct RunningLoop {
    let loop: GenerationLoop
    let run: RunRecord
    let directory: RunDirectory
    private let id: Int64

    init(loop: GenerationLoop, run: RunRecord, directory: RunDirectory) throws {
        guard let id = run.id else { throw StoreError.noSuchRun(name: run.path, study: run.study) }
        self.loop = loop
        self.run = run
        self.directory = directory
        self.id = id
    }

    func toTheEnd() async throws -> RunRecord {
        while true {
            let rounds = try loop.store.rounds(run: id)
            let answered = Set(try loop.store.interactions(run: id).map(\.round))
            // A round is settled once something was said back to it; one that the limit kept unanswered is not.
            let next = rounds.prefix { answered.contains($0.round) }.count
            if let last = rounds.last, last.outcome == .clean {
                try keepFinal(of: last.round)
                return try end(.succeeded, "it ran in round \(last.round) and kept the contract")
            }
            if next < rounds.count, next >= run.maxRounds {
                return try end(.roundLimit, "it did not run after \(run.maxRounds) rounds of feedback")
            }
            let conversation = try Conversation(loop: loop, run: run, directory: directory, upTo: next)
            guard let reply = try await reply(for: next, conversation) else {
                return try end(
                    .contextExhausted, "the conversation no longer fits the model's context in round \(next)")
            }
            try await settle(round: next, reply: reply)
        }
    }

    private func end(_ status: RunRecord.Status, _ reason: String) throws -> RunRecord {
        let ended = try loop.store.setStatus(status, reason: reason, of: run)
        loop.observe(.ended(ended))
        return ended
    }

    /// From a reply to its round's row. Repeating it changes nothing.
    private func settle(round: Int, reply: ChatReply) async throws {
        let folder = directory.round(round)
        let extractor = ReplyExtractor(expected: loop.settings.expectedFiles)
        let before = round > 0 ? try files(of: round - 1) : loop.settings.continuation?.files ?? [:]
        let extraction = extractor.extract(
            reply: reply.content, isTruncated: reply.finishReason == .length, current: before)
        try ExchangeFiles.replaceFolder(folder.files, with: extraction.files)
        let composer = FeedbackComposer(texts: loop.texts, run: id)
        guard extraction.verdict == .complete else {
            try finish(
                round, extraction: extraction, verdict: nil,
                answer: try composer.answer(to: extraction.verdict, round: round))
            return
        }
        let verdict = try await verdict(for: round, extraction)
        try finish(
            round, extraction: extraction, verdict: verdict, answer: try composer.answer(to: verdict, round: round))
        try CheckLeavings.prune(folder, keep: verdict.kind == .clean)
    }

    /// The verdict on disk, or that of a new check run. One that was cut is run again from the beginning.
    private func verdict(for round: Int, _ extraction: Extraction) async throws -> CheckVerdict {
        let folder = directory.round(round)
        if let data = try? Data(contentsOf: folder.outcome),
            let known = try? JSONDecoder().decode(CheckVerdict.self, from: data)
        {
            return known
        }
        try HostileTree.remove(folder.check)
        try ExchangeFiles.makeFolder(folder.output)
        loop.observe(.checking(round: round, changed: extraction.changed.sorted()))
        let verdict = try await loop.check.run(files: folder.files, in: folder)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try ExchangeFiles.write(try encoder.encode(verdict), to: folder.outcome)
        return verdict
    }

    private func finish(
        _ round: Int, extraction: Extraction, verdict: CheckVerdict?, answer: InteractionRecord?
    ) throws {
        var error = Self.report(extraction.verdict, verdict).map { record($0, round: round) }
        var interactions = answer.map { [$0] } ?? []
        var hinted = false
        if let signature = error?.signature {
            // Rounds that only asked for a file in whole had no error; they do not break a series.
            let earlier = try loop.store.errors(run: id).filter { $0.round < round }
            let same = earlier.reversed().prefix { $0.signature == signature }.count + 1
            error?.sameAsPrevious = same > 1
            if same.isMultiple(of: max(1, run.loopAfter)), same > 1 || run.loopAfter == 1 {
                interactions.append(try FeedbackComposer(texts: loop.texts, run: id).hint(count: same, round: round))
                hinted = true
            }
        }
        // At the limit nothing is said back.
        if round >= run.maxRounds {
            interactions = []
            hinted = false
        }
        let row = RoundRecord(
            runId: id, round: round, outcome: Self.outcome(extraction.verdict, verdict),
            files: Self.describe(extraction), codeLines: Self.codeLines(extraction),
            termination: verdict?.outcome.terminationText, checkSeconds: verdict?.outcome.wallSeconds,
            checkCpuSeconds: verdict?.outcome.cpuSeconds, checkPeakBytes: verdict?.outcome.peakMemoryBytes)
        try loop.store.finishRound(row, error: error, interactions: interactions)
        loop.observe(.finished(row, error, hint: hinted))
    }

    private func record(_ report: ErrorReport, round: Int) -> ErrorRecord {
        ErrorRecord(
            runId: id, round: round, errorClass: report.errorClass, subcategory: report.subcategory.rawValue,
            message: report.message, file: report.frame?.file, line: report.frame?.line,
            function: report.frame?.function, signature: report.signature)
    }

    /// The files that ran, under a name of their own.
    /// Makes `final/` again from the round that ran, where somebody has removed it.
    ///
    /// - Throws: `GenerationError.damagedRound` where that is gone, too.
    func restoreFinal() throws {
        guard let ran = try loop.store.rounds(run: id).last(where: { $0.outcome == .clean }) else { return }
        try keepFinal(of: ran.round)
    }

    private func keepFinal(of round: Int) throws {
        guard !ExchangeFiles.exists(directory.final) else { return }
        try ExchangeFiles.replaceFolder(directory.final, with: try files(of: round))
    }

    private func files(of round: Int) throws -> [String: String] {
        try SettledFiles(of: run, in: loop.store, directory).files(of: round)
    }
}

extension RunningLoop {
    /// The error of a round, whether it came from the extraction or from the check run.
    private static func report(_ extraction: Extraction.Verdict, _ check: CheckVerdict?) -> ErrorReport? {
        func extractionError(_ message: String) -> ErrorReport {
            ErrorReport(
                errorClass: "ExtractionError", subcategory: .extraction, message: message, frame: nil,
                signature: "ExtractionError: \(message)")
        }
        switch extraction {
        case .complete: return check?.error
        case .unclear: return nil
        case .truncated: return extractionError("the reply was cut off by the output limit")
        case .missing(let files): return extractionError("no files: \(files.joined(separator: ", "))")
        }
    }

    private static func outcome(_ extraction: Extraction.Verdict, _ check: CheckVerdict?) -> RoundRecord.Outcome {
        switch extraction {
        case .unclear: .clarification
        case .missing, .truncated: .extraction
        case .complete:
            switch check?.kind {
            case .clean: .clean
            case .contract: .contract
            default: .error
            }
        }
    }

    private static func describe(_ extraction: Extraction) -> [RoundRecord.File] {
        extraction.files.sorted { $0.key < $1.key }.map { name, text in
            RoundRecord.File(
                name: name, sha256: SHA256.hexadecimal(Data(text.utf8)), bytes: text.utf8.count,
                changed: extraction.changed.contains(name))
        }
    }

    /// Lines that are neither blank nor comments.
    private static func codeLines(_ extraction: Extraction) -> Int {
        extraction.files.values.reduce(0) { sum, text in
            sum
                + text.split(separator: "\n").count { line in
                    let text = line.drop { $0 == " " || $0 == "\t" }
                    return !text.isEmpty && text.first != "#"
                }
        }
    }
}
