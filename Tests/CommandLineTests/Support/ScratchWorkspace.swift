import Datasets
import Foundation

/// A workspace of its own for a test: the checkout's prompts, requirements and recordings, a few models, a dataset of discs.
struct ScratchWorkspace {
    /// Holds the workspace in `root`, and beside it whatever a test needs.
    let scratch: Scratch
    let root: URL

    /// - Parameters:
    ///   - baseURL: Where the model `remote` is served, which wants a key in `SCRATCH_KEY`.
    ///   - hasDataset: Whether the dataset `disc` is there.
    init(baseURL: String = "http://127.0.0.1:9/v1", hasDataset: Bool = true) throws {
        scratch = try Scratch()
        root = scratch.url.appending(path: "workspace", directoryHint: .isDirectory)
        let files = FileManager.default
        try files.createDirectory(at: root.appending(path: "datasets"), withIntermediateDirectories: true)
        for name in ["prompts", "recordings", "requirements.txt", "requirements-tensorflow.txt"] {
            try files.copyItem(at: Checkout.root.appending(path: name), to: root.appending(path: name))
        }
        try """
        schema: 1
        models:
          - {id: fixture-steady, name: Steady, vendor: llmbench, provider: replay, recording: recordings/fixture-steady.jsonl, fixture: true}
          - {id: fixture-never, name: Never, vendor: llmbench, provider: replay, recording: recordings/fixture-never.jsonl, fixture: true}
          - {id: fixture-swift, name: Swift, vendor: llmbench, provider: replay, recording: recordings/fixture-swift.jsonl, fixture: true}
          - {id: fixture-prose, name: Prose, vendor: llmbench, provider: replay, recording: recordings/prose.jsonl, fixture: true}
          - {id: fixture-lost, name: Lost, vendor: llmbench, provider: replay, recording: recordings/lost.jsonl, fixture: true}
          - {id: remote, name: Remote, vendor: nobody, provider: openai, base_url: "\(baseURL)", api_key_env: SCRATCH_KEY}
          - {id: keyless, name: Keyless, vendor: nobody, provider: openai, base_url: "\(baseURL)"}
          - {id: fixture-tracer, name: Tracer, vendor: llmbench, provider: replay, recording: recordings/fixture-tracer.jsonl, fixture: true, images: true}
          - {id: seer, name: Seer, vendor: nobody, provider: openai, base_url: "\(baseURL)", images: true, price: {input_per_million: 10, output_per_million: 100, date: "2026-01", source: a test}}

        """.write(to: root.appending(path: "models.yaml"), atomically: true, encoding: .utf8)
        // A reply without any code: a run that ends at once.
        try #"{"schema":1,"model":"prose","reply":"I would use a U-Net.","finish_reason":"stop"}"#
            .write(to: root.appending(path: "recordings/prose.jsonl"), atomically: true, encoding: .utf8)
        try "import torch\n".write(to: root.appending(path: "net.py"), atomically: true, encoding: .utf8)
        try Data("\n \n".utf8).write(to: root.appending(path: "empty.md"))
        if hasDataset { try addDiscs() }
    }

    /// The program, started inside the workspace.
    func program(_ variables: [String: String] = [:]) throws -> Program {
        try Program.llmbench(in: root, variables: variables)
    }

    func llmbench(_ arguments: String..., variables: [String: String] = [:]) async throws -> Program.Outcome {
        try await program(variables).run(arguments)
    }

    /// A script of `sh` in which `$0` is the program.
    func shell(_ script: String, _ arguments: [String], variables: [String: String] = [:]) async throws
        -> Program.Outcome
    {
        var shell = try program(variables)
        let llmbench = shell.executable.path
        shell.executable = URL(filePath: "/bin/sh")
        return try await shell.run(["-c", script, llmbench] + arguments)
    }

    /// Two runs that ended without code, in no time: a study to report.
    func makeStudy() async throws -> Program.Outcome {
        try await llmbench(
            "generate", "--model", "fixture-prose", "--dataset", "disc", "--runs", "2", "--max-rounds", "0")
    }

    /// A folder with `images/` and `masks/` of discs, 64×64, one further to the right than the other.
    func makeScans(_ name: String = "scans", count: Int = 12) throws -> URL {
        let folder = scratch.url.appending(path: name, directoryHint: .isDirectory)
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: part), withIntermediateDirectories: true)
        }
        for index in 0..<count {
            let file = index < 10 ? "p0\(index).png" : "p\(index).png"
            try Self.disc(index, from: 20, to: 200).write(to: folder.appending(path: "images/\(file)"))
            try Self.disc(index, from: 0, to: 255).write(to: folder.appending(path: "masks/\(file)"))
        }
        return folder
    }

    /// Every regular file of the workspace.
    func files() -> [URL] {
        let all = FileManager.default.enumerator(at: root, includingPropertiesForKeys: [.isRegularFileKey])
        return (all?.allObjects as? [URL] ?? []).filter {
            (try? $0.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true
        }
    }

    private func addDiscs() throws {
        _ = try DatasetPreparer(
            .init(name: "disc", imageKind: "discs", foreground: "the disc", heldOut: 0.25)
        ).prepare(try makeScans("discs"), into: DatasetCatalogue(root: root.appending(path: "datasets")))
    }

    static func disc(_ index: Int, from background: UInt8, to foreground: UInt8, size: Int = 64)
        throws -> Data
    {
        let pixels = (0..<size * size).map { pixel in
            let (x, y) = (pixel % size - 24 - index % 16, pixel / size - 24)
            return x * x + y * y < 225 ? foreground : background
        }
        return Data(try PNG.encode(Image(width: size, height: size, channels: 1, bytes: pixels)))
    }
}
