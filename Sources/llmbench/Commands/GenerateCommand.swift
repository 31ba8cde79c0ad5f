import ArgumentParser
import Capture
import Datasets
import Diagnosis
import Endpoints
import Foundation
import Generation
import Prompts
import ResultStore
import Sandbox
import Studies
import Training

/// `llmbench generate`: one prompt, a model, and its own errors until the code runs.
struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Ask a model for a segmentation pipeline, run it, and send its errors back until it runs.",
        discussion: """
            Broken off at any point, the same command goes on where it stopped. Exit status: 0 every run ended with code that \
            runs, 1 a model did not succeed, 2 usage, 3 the harness, the endpoint or the machine is at fault.

            EXAMPLES
              llmbench generate --model fixture-three-rounds
              llmbench generate --model gpt-4o --dataset mni152-white-matter --runs 10 --study cohorts
              llmbench generate --model fixture-swift --target swift
              llmbench generate --model smollm2-135m --base-url http://127.0.0.1:8711/v1 --max-rounds 6
              llmbench generate --model gpt-4o --record gpt-4o.jsonl
              llmbench generate --model gpt-4o --refine 3      three versions after the one that ran
            """)

    @Option(help: "The model's id, as `llmbench models list` shows it.")
    var model: String

    @Option(help: "The dataset, as `llmbench datasets list` shows it.")
    var dataset: String = "colin27-cerebellum"

    @Option(help: "What the code is written in: pytorch, tensorflow, or swift on TensorRuntime and PipelineKit.")
    var target: String = "pytorch"

    @Option(help: "How many independent runs.")
    var runs: Int = 1

    @Option(help: "How often something is sent back to the model at most.")
    var maxRounds: Int = 20

    @Option(help: "A hint follows an error that came this many times running.")
    var loopAfter: Int = 3

    @Option(
        help:
            "Another template than prompts/TARGET.md, with the same slots: its runs are compared as those of another prompt."
    )
    var prompt: String?

    @Option(help: "A file whose text stands before the conversation as the system's message.")
    var system: String?

    @Option(help: "Of sampling, from 0 to 2; left to the endpoint when not given.")
    var temperature: Double?

    @Option(help: "Of sampling, for the first run; each further run takes the next number.")
    var samplingSeed: Int?

    @Option(
        help:
            "Versions after a clean run: the model is told how the training went on the validation part and may improve its program this often."
    )
    var refine: Int = 0

    @Option(help: "What trains the versions: swift or emitted; swift where the target can be captured.")
    var refineEngine: RefineEngine?

    @Option(name: .customLong("base-url"), help: "Another server than the model card's.")
    var baseURL: String?

    @Option(help: "Append every exchange to this file; with several runs, NAME-02.jsonl and so on.")
    var record: String?

    @Option(help: "Answer from this recording instead of the model.")
    var replay: String?

    @OptionGroup var confinementOptions: ConfinementOptions

    @OptionGroup var workspaceOptions: WorkspaceOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        guard PipelineTarget(rawValue: target) != nil else {
            throw ValidationError("there is no target '\(target)': this version knows \(PipelineTarget.list)")
        }
        guard (1...99).contains(runs) else { throw ValidationError("--runs \(runs): give a number from 1 to 99") }
        guard (0...1000).contains(maxRounds) else {
            throw ValidationError("--max-rounds \(maxRounds): give a number from 0 to 1000")
        }
        guard (1...1000).contains(loopAfter) else {
            throw ValidationError("--loop-after \(loopAfter): give a number from 1 to 1000")
        }
        if let temperature, !(0...2).contains(temperature) {
            throw ValidationError("--temperature \(temperature): give a number from 0 to 2")
        }
        if let samplingSeed, !(0...Int(Int32.max) - 99).contains(samplingSeed) {
            throw ValidationError("--sampling-seed \(samplingSeed): give a whole number from 0 to \(Int32.max - 99)")
        }
        guard (0...20).contains(refine) else { throw ValidationError("--refine \(refine): give a number from 0 to 20") }
        if let refineEngine {
            guard refine > 0 else { throw ValidationError("--refine-engine trains versions: give --refine K too") }
            guard refineEngine == .emitted || PipelineTarget(rawValue: target)?.isCaptured == true else {
                throw ValidationError(
                    "--refine-engine swift: a pipeline of the target \(target) is measured by running it; use emitted")
            }
        }
        guard record == nil || replay == nil else {
            throw ValidationError("--record and --replay exclude each other: a replayed reply is recorded already")
        }
    }

    func run() async throws {
        let workspace = try workspaceOptions.resolve()
        let session: GenerationSession
        do {
            for index in 1...runs { try recordFile(index).map(RecordingEndpoint.check) }
            session = try GenerationSession(
                workspace: workspace, study: workspaceOptions.study, model: model, dataset: dataset,
                target: PipelineTarget(rawValue: target) ?? .pytorch,
                baseURL: baseURL, replay: replay.map { URL(filePath: $0) }, confinement: confinementOptions.confinement,
                template: prompt.map { URL(filePath: $0) },
                variation: PromptVariation(
                    system: try system.map { try PromptVariation.system(URL(filePath: $0)) }, temperature: temperature,
                    seed: samplingSeed))
        } catch {
            throw Self.failure(error)
        }
        confinementOptions.warn()
        var ended: [RunRecord] = []
        for index in 1...runs {
            do {
                ended.append(try await run(index, in: session))
            } catch let error as GenerationError where runs > 1 && Self.isLocked(error) {
                Terminal.note("llmbench: \(error)")
            } catch {
                throw Self.failure(error)
            }
        }
        let summaries = try ended.map { try session.store.errorSummary(of: $0) }
        var versions: [String: [RefinedVersion]] = [:]
        if refine > 0 {
            for run in ended where run.status == .succeeded { versions[run.path] = try await refined(run, in: session) }
        }
        try show(summaries, versions, session)
        guard ended.count == runs else {
            throw CommandFailure.environment(
                "\(runs - ended.count) of \(runs) runs are in the hands of another llmbench")
        }
        let failed = ended.filter { $0.status != .succeeded }
        guard failed.isEmpty else {
            throw CommandFailure.failed(
                "\(model) did not succeed in \(failed.count) of \(runs) run\(runs == 1 ? "" : "s"): "
                    + (failed.first?.endReason ?? ""))
        }
    }

    private func run(_ index: Int, in session: GenerationSession) async throws -> RunRecord {
        let progress = RoundProgress(title: runs > 1 ? "\(model) run \(index)/\(runs)" : model, maxRounds: maxRounds)
        defer { progress.close() }
        return try await session.run(
            index: index, maxRounds: maxRounds, loopAfter: loopAfter, record: recordFile(index)
        ) { progress.show($0) }
    }

    private func refined(_ run: RunRecord, in session: GenerationSession) async throws -> [RefinedVersion] {
        let captured = PipelineTarget(rawValue: target)?.isCaptured ?? true
        let options = Refinement.Options(
            versions: refine, engine: refineEngine?.engine ?? (captured ? .swift : .emitted), maxRounds: maxRounds,
            loopAfter: loopAfter)
        let progress = RefinementProgress(
            title: runs > 1 ? "\(model) run \(run.runIndex)" : model, maxRounds: maxRounds)
        defer { progress.close() }
        do {
            return try await Refinement(session, options).run(run, record: recordFile(run.runIndex)) {
                progress.show($0)
            }
        } catch {
            progress.abandon()
            throw Self.failure(error)
        }
    }

    /// A file holds one conversation.
    private func recordFile(_ index: Int) -> URL? {
        guard let record else { return nil }
        let url = URL(filePath: record)
        guard index > 1 else { return url }
        let stem = url.deletingPathExtension().lastPathComponent
        let number = index < 10 ? "0\(index)" : "\(index)"
        let suffix = url.pathExtension.isEmpty ? "" : ".\(url.pathExtension)"
        return url.deletingLastPathComponent().appending(path: "\(stem)-\(number)\(suffix)")
    }

    private func show(
        _ summaries: [ErrorSummary], _ versions: [String: [RefinedVersion]], _ session: GenerationSession
    ) throws {
        if jsonOption.json {
            return try JSONOption.print(
                summaries.map { summary in
                    var report = RunReport(summary)
                    report.versions = versions[summary.run.path]?.map(RefinedVersionReport.init)
                    return report
                })
        }
        var table = TextTable([
            ("run", .left), ("result", .left), ("feedbacks", .right), ("errors", .left), ("hints", .right),
            ("tokens in", .right), ("tokens out", .right), ("seconds", .right),
        ])
        for summary in summaries {
            let report = RunReport(summary)
            let errors = report.errors.sorted { $0.key < $1.key }.map {
                $0.value == 1 ? $0.key : "\($0.value) \($0.key)"
            }
            table.add([
                summary.run.path.split(separator: "/").last.map(String.init) ?? "", report.status,
                "\(report.feedbacks)", errors.joined(separator: ", "), "\(report.hints)",
                Self.tokens(report.inputTokens, report), Self.tokens(report.outputTokens, report),
                "\(Int(report.replySeconds.rounded()))",
            ])
        }
        print(table.render())
        for summary in summaries {
            guard let versions = versions[summary.run.path] else { continue }
            print("\nVersions of \(summary.run.path), the best by its validation Dice kept")
            print(RefinedVersionReport.table(versions).render())
        }
        if session.card.fixture {
            print("\(model) is a hand-written conversation: these figures say nothing about any language model.")
        }
        if let path = summaries.first?.run.path {
            print("files: generated/\(path)\(summaries.count > 1 ? " and beside it" : "")")
        }
    }

    /// With a mark where the endpoint counted nothing.
    private static func tokens(_ count: Int, _ report: RunReport) -> String {
        report.costIsEstimate ? "~\(count)" : "\(count)"
    }

    private static func isLocked(_ error: GenerationError) -> Bool {
        if case .locked = error { true } else { false }
    }

    /// What the user typed is exit 2, everything else here is the harness, the endpoint or the machine: exit 3.
    static func failure(_ error: any Error) -> any Error {
        switch error {
        case let error as CommandFailure: error
        case is ModelRegistryError, is SettingRefused, is PromptError: CommandFailure.usage("\(error)")
        case DatasetError.unknownDataset, EndpointError.addressInvalid, EndpointError.addressUnencrypted,
            EndpointError.recordingForeign:
            CommandFailure.usage("\(error)")
        case is CancellationError: CommandFailure.environment("stopped; the same command goes on from here")
        default: CommandFailure.environment(SystemSentence.of(error))
        }
    }
}

/// What may train the versions of a program.
enum RefineEngine: String, CaseIterable, ExpressibleByArgument {
    case swift, emitted

    var engine: TrainingRecord.Engine { self == .swift ? .swift : .emitted }
}

/// One run as `generate --json` prints it.
struct RunReport: Encodable {
    var run: String
    var status: String
    var reason: String?
    var replies: Int
    var feedbacks: Int
    /// Counts by class; contract violations and extraction errors included.
    var errors: [String: Int]
    var firstError: String?
    var hints: Int
    var clarifications: Int
    var inputTokens: Int
    var outputTokens: Int
    var reasoningTokens: Int
    var replySeconds: Double
    var cost: Double?
    var costIsEstimate: Bool
    var fixture: Bool
    var versions: [RefinedVersionReport]?

    init(_ summary: ErrorSummary) {
        run = summary.run.path
        status = summary.run.status.rawValue
        reason = summary.run.endReason
        replies = summary.replies
        feedbacks = summary.feedbacks
        errors = summary.errorsByClass
        if summary.contractViolations > 0 { errors["ContractViolation"] = summary.contractViolations }
        if summary.extractionErrors > 0 { errors["ExtractionError"] = summary.extractionErrors }
        firstError = summary.firstError.map { "\($0.errorClass): \($0.message)" }
        hints = summary.hints
        clarifications = summary.clarifications
        inputTokens = summary.totals.inputTokens
        outputTokens = summary.totals.outputTokens
        reasoningTokens = summary.totals.reasoningTokens
        replySeconds = summary.totals.seconds
        cost = summary.totals.cost
        costIsEstimate = summary.totals.costIsEstimate
        fixture = summary.run.fixture
    }

    enum CodingKeys: String, CodingKey {
        case run, status, reason, replies, feedbacks, errors
        case firstError = "first_error"
        case hints, clarifications
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
        case reasoningTokens = "reasoning_tokens"
        case replySeconds = "reply_s"
        case cost = "cost_usd"
        case costIsEstimate = "cost_is_estimate"
        case fixture, versions
    }
}
