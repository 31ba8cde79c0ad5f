import Capture
import Datasets
import Diagnosis
import Endpoints
import Foundation
import Generation
import Prompts
import ResultStore
import Sandbox
import Training

/// Everything that runs of one model on one dataset share: card, prompt, sandbox, check, store.
public struct GenerationSession: Sendable {
    public let workspace: Workspace
    public let store: ResultStore
    public let card: ModelCard
    public let prompt: RenderedPrompt
    /// What of the variation asked for the card takes.
    public let variation: PromptVariation
    public let check: any PipelineCheck
    /// What captures and trains Python pipelines in the same sandbox; nil for a target without Python.
    public let helper: HelperProgram?
    /// What compiles and runs Swift pipelines in the same sandbox; nil for other targets.
    public let swift: SwiftPrograms?
    private let python: PythonEnvironment?
    public let datasetHash: String
    private let study: String
    private let promptName: String?
    private let dataset: String
    private let target: PipelineTarget
    private let confinement: Confinement
    private let threads: Int?
    private let baseURL: String?
    private let replay: URL?
    private let texts: FeedbackTemplates

    /// What a run waits for before it asks and before it computes, where several runs share a machine.
    public struct Gates: Sendable {
        public var request: @Sendable () async throws -> Void
        public var checkBegins: @Sendable () async throws -> Void
        public var checkEnds: @Sendable () -> Void
        /// Asked with the estimated tokens of a conversation before anything is written down of the request that sends it; gives what
        /// is called when the request is at its end.
        public var admit: GenerationLoop.Admission
        /// Asked before a version of a program is begun or gone on with.
        public var version: @Sendable () throws -> Void

        public init(
            request: @escaping @Sendable () async throws -> Void,
            checkBegins: @escaping @Sendable () async throws -> Void, checkEnds: @escaping @Sendable () -> Void,
            admit: @escaping GenerationLoop.Admission = GenerationLoop.everything,
            version: @escaping @Sendable () throws -> Void = {}
        ) {
            self.request = request
            self.checkBegins = checkBegins
            self.checkEnds = checkEnds
            self.admit = admit
            self.version = version
        }
    }

    /// Finds out all that can be wrong before a request is paid for.
    ///
    /// - Throws: the errors of the parts, each with its sentence.
    public init(
        workspace: Workspace, study: String, model: String, dataset: String, target: PipelineTarget, baseURL: String?,
        replay: URL?, confinement: Confinement, template: URL? = nil, variation: PromptVariation = PromptVariation()
    ) throws {
        let card = try ModelRegistry.load(workspace.models).card(model)
        if let refusal = variation.refusal(by: card) { throw refusal }
        try self.init(
            workspace: workspace, study: study, card: card,
            dataset: dataset, target: target, baseURL: baseURL, replay: replay, confinement: confinement,
            template: try template.map { try PromptTemplate.pipeline($0) },
            variation: variation)
    }

    /// - Parameters:
    ///   - threads: of the programs in the sandbox; nil for the sandbox's own choice.
    ///   - store: the study's, where the caller has it open.
    ///   - needsEndpoint: false where no model will be asked, so that its key may be missing.
    ///   - template: in place of what `prompts/<target>.md` holds now.
    ///   - variation: what the card does not take is left out.
    ///   - promptName: what a study that compares several prompts calls this one.
    /// - Throws: the errors of the parts, each with its sentence.
    public init(
        workspace: Workspace, study: String, card: ModelCard, dataset name: String, target: PipelineTarget,
        baseURL: String?,
        replay: URL?, confinement: Confinement, threads: Int? = nil, store: ResultStore? = nil,
        needsEndpoint: Bool = true, template: PromptTemplate? = nil, variation: PromptVariation = PromptVariation(),
        promptName: String? = nil
    ) throws {
        self.workspace = workspace
        self.study = study
        self.promptName = promptName
        self.card = card
        self.target = target
        self.baseURL = baseURL
        self.replay = replay
        self.confinement = confinement
        self.threads = threads
        let data = try DatasetCatalogue(root: workspace.datasets).load(name)
        dataset = data.name
        if needsEndpoint { _ = try card.endpoint(workspace: workspace.root, baseURL: baseURL, replay: replay) }
        datasetHash = try data.contentHash()
        let template =
            try template
            ?? PromptTemplate.pipeline(workspace.prompts.appending(path: "\(target.rawValue).md"))
        self.variation = variation.taken(by: card)
        prompt = try RenderedPrompt.pipeline(template, data).asked(with: self.variation)
        texts = try FeedbackTemplates(
            folder: workspace.prompts.appending(path: "feedback", directoryHint: .isDirectory))
        let machinery = try Machinery(target, workspace: workspace, confinement: confinement, threads: threads)
        (helper, swift, python) = (machinery.helper, machinery.swift, machinery.python)
        check = try machinery.check(on: CheckSubset.stage(data, hash: datasetHash, in: workspace))
        self.store = try store ?? ResultStore(path: workspace.database(study: study))
    }

    /// Tries what a run needs and no path alone can tell: that the compiler takes the prebuilt modules (seconds once a build), that the
    /// interpreter runs Python (a tenth of a second).
    ///
    /// - Throws: `SandboxError`.
    public func verify() async throws {
        if let swift { try await swift.swift.verify(in: swift.runner) }
        if let helper, let python { try await python.requirePython(in: helper.runner) }
    }

    /// One run, from where it stands to its end.
    ///
    /// - Parameter replay: the recording of this run, in place of the session's.
    public func run(
        index: Int, maxRounds: Int, loopAfter: Int, record: URL?, replay other: URL? = nil, gates: Gates? = nil,
        observe: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws -> RunRecord {
        let ask = Ask(index: index, study: study, prompt: prompt, text: prompt.text)
        return try await converse(
            ask, maxRounds: maxRounds, loopAfter: loopAfter, record: record, replay: other, gates: gates,
            observe: observe)
    }

    /// One version of a run's program, from where it stands to its end.
    ///
    /// - Returns: the version, and what its first request ended with: what an earlier call began it with, where there was one.
    func refine(
        _ step: RefinementStep, maxRounds: Int, loopAfter: Int, record: URL?, replay: URL?, gates: Gates?,
        observe: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws -> (RunRecord, opening: String) {
        var ask = Ask(
            index: step.base.runIndex, study: RefinedVersion.study(of: study),
            prompt: prompt.refined(version: step.version),
            text: step.opening)
        (ask.continuation, ask.refines, ask.refinement) = (step.continuation, step.base.path, step.version)
        ask.text = try Continuation.opening(step.opening, of: workspace.directory(of: key(of: ask)))
        let run = try await converse(
            ask, maxRounds: maxRounds, loopAfter: loopAfter, record: record, replay: replay, gates: gates,
            observe: observe)
        return (run, ask.text)
    }

    /// A sentence of the harness.
    func text(_ template: FeedbackTemplate, _ slots: [String: String]) throws -> String {
        try texts.feedback(template, slots: slots).text
    }

    /// What is asked for: a run, or a version of one.
    private struct Ask {
        var index: Int
        var study: String
        var prompt: RenderedPrompt
        var text: String
        var continuation: Continuation?
        var refines: String?
        var refinement: Int?
    }

    private func key(of ask: Ask) -> RunKey {
        RunKey(
            study: ask.study, dataset: dataset, model: card.slug, target: target.rawValue,
            promptHash: ask.prompt.shortHash, index: ask.index)
    }

    private func converse(
        _ ask: Ask, maxRounds: Int, loopAfter: Int, record: URL?, replay other: URL?, gates: Gates?,
        observe: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws -> RunRecord {
        try await verify()
        let (key, index) = (key(of: ask), ask.index)
        let replay = other ?? replay
        let manual = workspace.directory(of: key).url.appending(path: "message.md")
        var endpoint = try card.endpoint(
            workspace: workspace.root, baseURL: baseURL, replay: replay, promptFile: manual)
        let recorder = try record.map { try RecordingEndpoint(endpoint, file: $0) }
        if let recorder { endpoint = recorder }
        if let gates { endpoint = GatedEndpoint(base: endpoint, gates: gates) }
        let prices = card.price.map {
            GenerationSettings.Prices(input: $0.inputPerMillion, output: $0.outputPerMillion)
        }
        let loop = GenerationLoop(
            endpoint: endpoint, check: gates.map { GatedCheck(base: check, gates: $0) } ?? check, store: store,
            workspace: workspace, texts: texts,
            settings: GenerationSettings(
                prompt: ask.text, continuation: ask.continuation, systemPrompt: variation.system?.text,
                temperature: variation.temperature,
                maxOutputTokens: card.maximumOutputTokens, seed: variation.seed.map { $0 + index - 1 },
                contextTokens: card.contextTokens, prices: prices, expectedFiles: target.files),
            admit: gates?.admit ?? GenerationLoop.everything, observe: observe)
        let run = try await loop.run(
            RunRecord(
                key: key, provider: replay == nil ? card.provider.rawValue : "replay",
                endpointModel: card.requestModel, cohortYear: card.cohort, reasoning: card.reasoning,
                vendor: card.vendor, openWeights: card.openWeights, fixture: card.fixture,
                templateHash: prompt.templateSHA256, systemHash: variation.system?.sha256,
                temperature: variation.temperature, samplingSeed: variation.seed.map { $0 + index - 1 },
                promptName: promptName, refines: ask.refines, refinement: ask.refinement, datasetHash: datasetHash,
                maxRounds: maxRounds, loopAfter: loopAfter, sandboxed: confinement.isSandboxed))
        try recorder?.requireWhole()
        return run
    }
}

/// Asks when it may.
private struct GatedEndpoint: ChatEndpoint {
    let base: any ChatEndpoint
    let gates: GenerationSession.Gates

    func complete(_ request: ChatRequest, sink: any ReplySink) async throws -> ChatReply {
        try await gates.request()
        return try await base.complete(request, sink: sink)
    }
}

/// Runs when there is a core for it.
private struct GatedCheck: PipelineCheck {
    let base: any PipelineCheck
    let gates: GenerationSession.Gates

    func run(files: URL, in round: RoundDirectory) async throws -> CheckVerdict {
        try await gates.checkBegins()
        defer { gates.checkEnds() }
        return try await base.run(files: files, in: round)
    }
}

/// What a target's programs are checked and run by.
private enum Machinery {
    case python(PythonEnvironment, HelperProgram)
    case swift(SwiftPrograms)

    init(_ target: PipelineTarget, workspace: Workspace, confinement: Confinement, threads: Int?) throws {
        if let stack = target.pythonStack {
            let python = try PythonEnvironment.locate(stack, root: workspace.root)
            guard let folder = HelperFiles.url else {
                throw SandboxError.environmentBroken(
                    reason: "the Python helper is not beside this executable: build it again with swift build")
            }
            let helper = HelperProgram(
                runner: try confinement.runner(python: python, threads: threads),
                interpreter: python.interpreterInside, folder: folder, threads: threads ?? 2, stack: stack)
            self = .python(python, helper)
        } else {
            let environment = try SwiftEnvironment.locate(cache: workspace.cache)
            let runner = try confinement.runner(python: nil, threads: threads)
            self = .swift(SwiftPrograms(runner: runner, swift: environment))
        }
    }

    var python: PythonEnvironment? { if case .python(let python, _) = self { python } else { nil } }

    var helper: HelperProgram? { if case .python(_, let helper) = self { helper } else { nil } }

    var swift: SwiftPrograms? { if case .swift(let programs) = self { programs } else { nil } }

    func check(on subset: CheckSubset) -> any PipelineCheck {
        switch self {
        case .python(let python, let helper):
            SandboxedCheck(runner: helper.runner, python: python, helper: helper.folder, subset: subset)
        case .swift(let programs): SwiftCheck(runner: programs.runner, swift: programs.swift, subset: subset)
        }
    }
}
