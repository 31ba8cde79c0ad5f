import Datasets
import Foundation
import ResultStore
import Studies
import Testing

/// A workspace of its own: the checkout's prompts, a few cards, a dataset of 32×32 discs, recorded conversations.
final class StudyPlace: Sendable {
    let root: URL
    let workspace: Workspace

    static let checkout = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    init() throws {
        root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(
            path: "llmbench-study-\(UUID().uuidString)", directoryHint: .isDirectory)
        workspace = Workspace(root: root)
        let files = FileManager.default
        for folder in ["datasets", "recordings"] {
            try files.createDirectory(at: root.appending(path: folder), withIntermediateDirectories: true)
        }
        for name in ["prompts", "requirements.txt", "requirements-tensorflow.txt"] {
            try files.copyItem(at: Self.checkout.appending(path: name), to: root.appending(path: name))
        }
        try write("models.yaml", Self.cards)
        try write("recordings/prose.jsonl", Self.recording([String](repeating: "I would use a U-Net.", count: 4)))
        try write("recordings/small.jsonl", Self.recording(try Self.smallConversation()))
        try write("recordings/small-02.jsonl", Self.recording(try Self.smallConversation()))
        try makeDiscs()
    }

    /// A place with everything that another one holds.
    init(copyOf other: StudyPlace) throws {
        root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(
            path: "llmbench-study-\(UUID().uuidString)", directoryHint: .isDirectory)
        workspace = Workspace(root: root)
        try FileManager.default.copyItem(at: other.root, to: root)
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func write(_ path: String, _ text: String) throws {
        try text.write(to: root.appending(path: path), atomically: true, encoding: .utf8)
    }

    func store(_ study: String = "small") throws -> ResultStore {
        try ResultStore(path: workspace.database(study: study))
    }

    /// Adds a model card.
    func add(card: String) throws {
        let cards = try String(contentsOf: root.appending(path: "models.yaml"), encoding: .utf8)
        try write("models.yaml", cards + "  - \(card)\n")
    }

    private static let cards = """
        schema: 1
        models:
          - {id: small, name: Small, vendor: llmbench, provider: replay, recording: recordings/small.jsonl, fixture: true, tags: [scripted]}
          - {id: prose, name: Prose, vendor: llmbench, provider: replay, recording: recordings/prose.jsonl, fixture: true, tags: [scripted]}
          - {id: lost, name: Lost, vendor: llmbench, provider: replay, recording: recordings/lost.jsonl, fixture: true}
          - {id: by-hand, name: By hand, vendor: Acme, provider: manual, cohort: 2024, reasoning: false, open_weights: false}
          - id: priced
            name: Priced
            vendor: Acme
            provider: openai
            base_url: "http://127.0.0.1:9/v1"
            cohort: 2025
            reasoning: true
            open_weights: false
            price: {input_per_million: 1, output_per_million: 100, date: "2025-01", source: this test}
          - {id: keyed, name: Keyed, vendor: Acme, provider: openai, base_url: "https://127.0.0.1:9/v1", api_key_env: STUDY_TEST_KEY, cohort: 2025}

        """

    static func recording(_ replies: [String]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return try replies.map { reply in
            let text = String(decoding: try encoder.encode([reply]), as: UTF8.self).dropFirst().dropLast()
            return #"{"schema":1,"model":"small","reply":\#(text),"finish_reason":"stop"}"# + "\n"
        }.joined()
    }

    /// The hand-written conversation that runs at once, made small: 32×32 pixels, two stages, two epochs; and a first reply
    /// that fails before it imports anything.
    static func smallConversation() throws -> [String] {
        var reply = try String(
            contentsOf: checkout.appending(path: "recordings/sources/fixture-steady/reply-00.md"), encoding: .utf8)
        for (old, new) in [
            ("size=96", "size=32"), ("IMAGE_SIZE = 96", "IMAGE_SIZE = 32"), ("default=12", "default=2"),
            ("features=(8, 16, 32)", "features=(4, 8)"),
        ] {
            try #require(reply.contains(old), "the source of the small conversation has no '\(old)' any more")
            reply = reply.replacing(old, with: new)
        }
        let docstring = #""""Runs the whole experiment: split, training, testing, artefacts.""""#
        try #require(reply.contains(docstring))
        return [reply.replacing(docstring, with: docstring + "\nprint(undefined_name)"), reply]
    }

    private func makeDiscs() throws {
        let scans = root.appending(path: "scans", directoryHint: .isDirectory)
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(
                at: scans.appending(path: part), withIntermediateDirectories: true)
        }
        for index in 0..<40 {
            let name = index < 10 ? "d0\(index).png" : "d\(index).png"
            try Self.disc(index, 40, 200).write(to: scans.appending(path: "images/\(name)"))
            try Self.disc(index, 0, 255).write(to: scans.appending(path: "masks/\(name)"))
        }
        _ = try DatasetPreparer(.init(name: "disc", imageKind: "discs", foreground: "the disc", heldOut: 0.2))
            .prepare(scans, into: DatasetCatalogue(root: workspace.datasets))
        try FileManager.default.removeItem(at: scans)
    }

    private static func disc(_ index: Int, _ background: UInt8, _ foreground: UInt8) throws -> Data {
        let size = 32
        let pixels = (0..<size * size).map { pixel -> UInt8 in
            let (x, y) = (pixel % size - 9 - index % 13, pixel / size - 12 - index % 7)
            return x * x + y * y < 40 ? foreground : background
        }
        return Data(try PNG.encode(Image(width: size, height: size, channels: 1, bytes: pixels)))
    }
}

extension StudyPlace {
    /// A study of what is there.
    static let small = """
        name: small
        models:
          - card: small
          - card: prose
        datasets: [disc]
        rounds: {max: 3, loop_after: 3}
        engines: [swift]
        parity: 0
        parallel: {cpu_jobs: 1, threads: 1}

        """

    func study(
        _ yaml: String = StudyPlace.small, environment: [String: String] = [:]
    ) throws -> Study {
        try StudyLoader(workspace: workspace, environment: environment).study(yaml: yaml, file: "small.yaml")
    }
}
