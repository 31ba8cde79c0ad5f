import Datasets
import Endpoints
import Exchanges
import Foundation
import Hashing
import Metrics
import Polygons
import Prompts
import ResultStore

/// Drawings of one drawer on one dataset, asked for in one way: from the pictures to scores in the store.
///
/// ```swift
/// let session = try DrawingSession(
///     workspace: workspace, study: "default", drawer: "control-ellipse", dataset: "colin27-cerebellum",
///     settings: DrawingSettings())
/// let summary = try await session.run()
/// ```
///
/// Broken off at any point, the same call goes on where it stopped, and nothing is asked for twice: the row of a request stands before
/// it leaves, a reply that is whole on disk is adopted, and one that was cut is recorded as lost.
public struct DrawingSession: Sendable {
    public let workspace: Workspace
    public let store: ResultStore
    public let dataset: Dataset
    public let settings: DrawingSettings
    /// The set that drawings go to, as it was when the session was opened.
    public let set: DrawingSetRecord
    let drawer: Drawer
    /// Whether a person carries the questions: one at a time.
    let isManual: Bool

    /// Who draws.
    enum Drawer: Sendable {
        case model(ModelCard, any ChatEndpoint, DrawingPrompt, followUp: RenderedPrompt?)
        case control(Control)
    }

    /// How a model is reached.
    public struct Reach: Sendable {
        public var baseURL: String?
        public var replay: URL?
        public var record: URL?
        public var retry: RetryPolicy
        public var limits: TransferLimits
        public var console: any ManualConsole

        public init(
            baseURL: String? = nil, replay: URL? = nil, record: URL? = nil, retry: RetryPolicy = RetryPolicy(),
            limits: TransferLimits = TransferLimits(), console: any ManualConsole = StandardConsole()
        ) {
            self.baseURL = baseURL
            self.replay = replay
            self.record = record
            self.retry = retry
            self.limits = limits
            self.console = console
        }
    }

    /// Finds out all that can be wrong before a request is paid for, and begins the set.
    ///
    /// - Parameter store: the study's, where the caller has it open.
    /// - Throws: the errors of the parts, each with its sentence.
    public init(
        workspace: Workspace, study: String, drawer name: String, dataset: String, settings: DrawingSettings,
        reach: Reach = Reach(), store: ResultStore? = nil
    ) throws {
        try settings.check()
        let drawer: (ModelCard?, Control?) =
            Control.isMeant(by: name)
            ? (nil, try Control(named: name)) : (try ModelRegistry.load(workspace.models).card(name), nil)
        let dataset = try DatasetCatalogue(root: workspace.datasets).load(dataset)
        if let card = drawer.0 {
            try Self.check(card, settings)
            let prompt = try DrawingPrompt(
                for: dataset.description, settings,
                folder: workspace.prompts.appending(path: "polygon", directoryHint: .isDirectory))
            let manual = workspace.generated.appending(path: "\(study)/\(dataset.name)/\(card.slug)/message.md")
            if card.provider == .manual, reach.baseURL == nil {
                try ExchangeFiles.makeFolder(manual.deletingLastPathComponent())
            }
            var endpoint = try card.endpoint(
                workspace: workspace.root, baseURL: reach.baseURL, replay: reach.replay, promptFile: manual,
                limits: reach.limits, retry: reach.retry, console: reach.console)
            if let record = reach.record { endpoint = try RecordingEndpoint(endpoint, file: record) }
            if settings.skill?.look == .crossSlice, dataset.volumes(of: dataset.samples).isEmpty {
                throw DrawingError.noVolumes(dataset: dataset.name)
            }
            let followUp = try settings.followUp.map {
                try PromptTemplate.load(workspace.prompts.appending(path: "polygon/\($0)"), known: []).render()
            }
            self.drawer = .model(card, endpoint, prompt, followUp: followUp)
        } else if let control = drawer.1 {
            try Self.check(control, settings)
            self.drawer = .control(control)
        } else {
            throw DrawingError.unknownControl(name: name, known: Control.all.map(\.name))
        }
        isManual = drawer.0?.provider == .manual && reach.baseURL == nil
        self.workspace = workspace
        self.dataset = dataset
        self.settings = settings
        let record = try Self.record(self.drawer, dataset, settings, study: study, replays: reach.replay != nil)
        self.store = try store ?? ResultStore(path: workspace.database(study: study))
        set = try self.store.beginDrawingSet(record)
    }

    private static func check(_ card: ModelCard, _ settings: DrawingSettings) throws(DrawingError) {
        guard card.imagesSupported else { throw .blindModel(model: card.id) }
        if settings.temperature != nil, !card.temperatureSupported {
            throw .settingRefused(setting: "--temperature", drawer: card.id)
        }
        if settings.samplingSeed != nil, !card.seedSupported {
            throw .settingRefused(setting: "--sampling-seed", drawer: card.id)
        }
    }

    private static func check(_ control: Control, _ settings: DrawingSettings) throws(DrawingError) {
        let plain = DrawingSettings()
        let refused: [(String, Bool)] = [
            ("--shape but polygon", settings.shape != .polygon), ("--grid", settings.grid),
            ("--skill", settings.skill != nil), ("--turns but 1", settings.turns > 1),
            ("--temperature", settings.temperature != nil),
            ("--size", settings.size != plain.size), ("--coordinates", settings.convention != plain.convention),
            ("--draws but 1", settings.draws > 1 && control != .random),
            ("--sampling-seed", settings.samplingSeed != nil && control != .random),
        ]
        if let (setting, _) = refused.first(where: { $0.1 }) {
            throw .settingRefused(setting: setting, drawer: control.name)
        }
    }

    /// The row of the set; its path ends in a hash of everything that makes drawings comparable.
    private static func record(
        _ drawer: Drawer, _ dataset: Dataset, _ settings: DrawingSettings, study: String, replays: Bool
    ) throws -> DrawingSetRecord {
        let datasetHash = try dataset.contentHash()
        let (name, kind): (String, DrawingSetRecord.Kind) =
            switch drawer {
            case .model(let card, _, _, _): (card.slug, .model)
            case .control(let control): (control.name, control.isCeiling ? .ceiling : .control)
            }
        var record = DrawingSetRecord(
            path: "", study: study, dataset: dataset.name, datasetHash: datasetHash, drawer: name, kind: kind,
            shape: settings.shape.rawValue, draws: settings.draws)
        record.samplingSeed = settings.samplingSeed
        if case .model(let card, _, let prompt, let followUp) = drawer {
            record.promptHash =
                followUp.map { SHA256.hexadecimal(Data("\(prompt.sha256)\n\($0.sha256)".utf8)) } ?? prompt.sha256
            record.templateHash = prompt.templateSHA256
            record.imageSize = settings.size
            record.grid = settings.grid
            record.convention = settings.convention.rawValue
            record.skill = settings.chain
            record.temperature = settings.temperature
            record.provider = replays ? "replay" : card.provider.rawValue
            record.endpointModel = card.requestModel
            record.vendor = card.vendor
            record.cohortYear = card.cohort
            record.reasoning = card.reasoning
            record.openWeights = card.openWeights
            record.fixture = card.fixture
        }
        let parts = [
            datasetHash, record.promptHash ?? "", record.imageSize.map(String.init) ?? "", "\(record.grid)",
            record.convention ?? "", record.skill ?? "", record.temperature.map { "\($0)" } ?? "",
            record.samplingSeed.map(String.init) ?? "", record.endpointModel ?? "",
        ]
        let hash = SHA256.hexadecimal(Data(parts.joined(separator: "\n").utf8)).prefix(8)
        record.path = "\(study)/\(dataset.name)/\(name)/\(settings.shape.rawValue)/\(hash)"
        return record
    }

    /// The folder of the set.
    var folder: URL { workspace.generated.appending(path: set.path, directoryHint: .isDirectory) }
}
