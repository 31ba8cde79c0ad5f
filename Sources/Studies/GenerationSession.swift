import Capture
import Datasets
import Endpoints
import Foundation
import Generation
import Prompts
import ResultStore
import Sandbox

/// Everything that runs of one model on one dataset share: card, prompt, sandbox, check, store.
public struct GenerationSession: Sendable {
    public let workspace: Workspace
    public let store: ResultStore
    public let card: ModelCard
    public let prompt: RenderedPrompt
    public let check: SandboxedCheck
    private let study: String
    private let dataset: String
    private let target: String
    private let datasetHash: String
    private let isSandboxed: Bool
    private let baseURL: String?
    private let replay: URL?
    private let texts: FeedbackTemplates

    /// Finds out all that can be wrong before a request is paid for.
    ///
    /// - Throws: the errors of the parts, each with its sentence.
    public init(
        workspace: Workspace, study: String, model: String, dataset name: String, target: String, baseURL: String?,
        replay: URL?, isSandboxed: Bool
    ) throws {
        self.workspace = workspace
        self.study = study
        self.target = target
        self.baseURL = baseURL
        self.replay = replay
        self.isSandboxed = isSandboxed
        card = try ModelRegistry.load(workspace.models).card(model)
        let data = try DatasetCatalogue(root: workspace.datasets).load(name)
        dataset = data.name
        _ = try card.endpoint(workspace: workspace.root, baseURL: baseURL, replay: replay)
        datasetHash = try data.contentHash()
        let template = try PromptTemplate.load(
            workspace.prompts.appending(path: "\(target).md"), known: PipelinePromptValues.slots)
        let description = data.description
        prompt = try template.render(
            PipelinePromptValues(
                imageKind: description.imageKind, foreground: description.foreground,
                foregroundHint: description.foregroundHint, channels: description.channels,
                maskSuffix: description.maskSuffix, samples: data.split.training.count
            ).values)
        texts = try FeedbackTemplates(
            folder: workspace.prompts.appending(path: "feedback", directoryHint: .isDirectory))
        let python = try PythonEnvironment.locate(requirements: workspace.root.appending(path: "requirements.txt"))
        let runner: any SandboxRunner =
            isSandboxed ? try BubblewrapSandbox(python: python) : UnconfinedRunner(python: python)
        guard let helper = HelperFiles.url else {
            throw SandboxError.environmentBroken(
                reason: "the Python helper is not beside this executable: build it again with swift build")
        }
        check = SandboxedCheck(
            runner: runner, python: python, helper: helper,
            subset: try CheckSubset.stage(data, hash: datasetHash, in: workspace))
        store = try ResultStore(path: workspace.database(study: study))
    }

    /// One run, from where it stands to its end.
    public func run(
        index: Int, maxRounds: Int, loopAfter: Int, record: URL?,
        observe: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws -> RunRecord {
        let key = RunKey(
            study: study, dataset: dataset, model: card.slug, target: target, promptHash: prompt.shortHash,
            index: index)
        let manual = workspace.directory(of: key).url.appending(path: "message.md")
        var endpoint = try card.endpoint(
            workspace: workspace.root, baseURL: baseURL, replay: replay, promptFile: manual)
        if let record { endpoint = RecordingEndpoint(endpoint, file: record) }
        let prices = card.price.map {
            GenerationSettings.Prices(input: $0.inputPerMillion, output: $0.outputPerMillion)
        }
        let loop = GenerationLoop(
            endpoint: endpoint, check: check, store: store, workspace: workspace, texts: texts,
            settings: GenerationSettings(
                prompt: prompt.text, maxOutputTokens: card.maximumOutputTokens, contextTokens: card.contextTokens,
                prices: prices), observe: observe)
        return try await loop.run(
            RunRecord(
                key: key, provider: replay == nil ? card.provider.rawValue : "replay",
                endpointModel: card.requestModel, cohortYear: card.cohort, reasoning: card.reasoning,
                fixture: card.fixture, templateHash: prompt.templateSHA256, datasetHash: datasetHash,
                maxRounds: maxRounds, loopAfter: loopAfter, sandboxed: isSandboxed))
    }
}
