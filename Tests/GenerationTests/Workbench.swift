import Endpoints
import Foundation
import Generation
import GenerationTestSupport
import ResultStore
import Sandbox
import Testing

/// A workspace in a temporary folder, removed at the end.
final class Workbench: Sendable {
    let workspace: Workspace

    init() throws {
        let name = "llmbench-test-\(UInt64.random(in: 0 ... .max))"
        workspace = Workspace(root: FileManager.default.temporaryDirectory.appending(path: name))
        try FileManager.default.createDirectory(at: workspace.root, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: workspace.root)
    }

    func store() throws -> ResultStore {
        try ResultStore(path: workspace.database(study: "default"))
    }

    static func key(_ index: Int = 1) -> RunKey {
        RunKey(
            study: "default", dataset: "tiny", model: "scripted", target: "pytorch", promptHash: "00000000",
            index: index)
    }

    func record(maxRounds: Int = 20, loopAfter: Int = 3) -> RunRecord {
        RunRecord(
            key: Self.key(), provider: "scripted", endpointModel: "scripted", maxRounds: maxRounds,
            loopAfter: loopAfter)
    }

    func loop(
        _ endpoint: any ChatEndpoint, check: any PipelineCheck = PlainPythonCheck(),
        settings: GenerationSettings = GenerationSettings(prompt: "Write it."), store: ResultStore? = nil
    ) throws -> GenerationLoop {
        GenerationLoop(
            endpoint: endpoint, check: check, store: try store ?? self.store(), workspace: workspace,
            texts: PlainTexts(), settings: settings)
    }

    var directory: RunDirectory { workspace.directory(of: Self.key()) }
}

enum Fixtures {
    /// `Tests/Fixtures/`
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures", directoryHint: .isDirectory)
    static let repository = root.deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static func names(in folder: String, suffix: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)) ?? []
        return names.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }.sorted()
    }

    /// The tiny program that the reply fixtures hold.
    static func program() throws -> [String: String] {
        var files: [String: String] = [:]
        for name in ["dataset.py", "model.py", "train.py", "main.py"] {
            files[name] = try text("replies/program/\(name)")
        }
        return files
    }
}
