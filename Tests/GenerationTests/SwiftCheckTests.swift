import Datasets
import Diagnosis
import Endpoints
import Foundation
import GenerationTestSupport
import ResultStore
import Sandbox
import Testing

@testable import Generation

/// Real bubblewrap, the real compiler, the real libraries as this build made them.
@Suite("The check run of the target swift", .serialized)
struct SwiftCheckTests {
    let bench: Workbench
    let sandbox: BubblewrapSandbox
    let swift: SwiftEnvironment

    init() throws {
        bench = try Workbench()
        sandbox = try BubblewrapSandbox()
        swift = try SwiftEnvironment.locate(cache: Fixtures.repository.appending(path: "cache"))
    }

    /// A subset of drawn pairs.
    private func subset() throws -> CheckSubset {
        let folder = bench.workspace.root.appending(path: "data", directoryHint: .isDirectory)
        let names = (10..<42).map { "pair-\($0)" }
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: part), withIntermediateDirectories: true)
            for (index, name) in names.enumerated() {
                var image = try Image(width: 16, height: 16, channels: 1, fill: part == "images" ? 40 : 0)
                for y in 4..<10 { for x in 2..<(6 + index % 6) { image[x: x, y: y] = part == "images" ? 200 : 255 } }
                try PNG.write(image, to: folder.appending(path: "\(part)/\(name).png"))
            }
        }
        return CheckSubset(folder: folder, samples: names)
    }

    private func check(
        _ files: [String: String], compilerLimits: SandboxLimits = SwiftPrograms.compilerLimits,
        limits: SandboxLimits = SandboxLimits(wallSeconds: 120), swift other: SwiftEnvironment? = nil
    ) async throws -> CheckVerdict {
        let code = bench.workspace.root.appending(path: "files", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: code, withIntermediateDirectories: true)
        for (name, text) in files { try Data(text.utf8).write(to: code.appending(path: name)) }
        let round = bench.directory.round(0)
        try FileManager.default.createDirectory(at: round.output, withIntermediateDirectories: true)
        let check = SwiftCheck(
            runner: sandbox, swift: other ?? swift, subset: try subset(), limits: limits, compilerLimits: compilerLimits
        )
        return try await check.run(files: code, in: round)
    }

    private func example() throws -> [String: String] {
        var files: [String: String] = [:]
        for name in PipelineTarget.swift.files { files[name] = try Fixtures.text("swift-example/\(name)") }
        return files
    }

    @Test("the worked example of the prompt is compiled, runs, and keeps the contract")
    func example() async throws {
        let verdict = try await check(try example())
        #expect(verdict.kind == .clean, "\(verdict.detail)")
        #expect(verdict.error == nil && verdict.samples == 32)
        let files = try FileManager.default.contentsOfDirectory(atPath: bench.directory.round(0).check.path)
        #expect(files.sorted() == ["out", "stderr", "stdout"], "what the compiler wrote is gone")
    }

    @Test("the compiler's messages go back as they were printed")
    func refused() async throws {
        let verdict = try await check(["main.swift": "import TensorRuntime\n\nlet layer = Conv2D(1, 2, kernel: 3)\n"])
        #expect(verdict.kind == .error && verdict.error?.errorClass == "CompileError")
        #expect(verdict.error?.frame == ErrorReport.Frame(file: "main.swift", line: 3))
        #expect(verdict.detail.hasPrefix("/code/main.swift:3:13: error: cannot find 'Conv2D' in scope"))
        #expect(verdict.detail.contains("3 | let layer = Conv2D(1, 2, kernel: 3)"))
    }

    @Test("a trap goes back with its message and the frames of the program")
    func trap() async throws {
        let verdict = try await check([
            "main.swift": "print(second([1]))\n", "Train.swift": "func second(_ x: [Int]) -> Int { x[1] }\n",
        ])
        #expect(verdict.kind == .error && verdict.error?.errorClass == "RuntimeTrap")
        #expect(
            verdict.error?.frame == ErrorReport.Frame(file: "Train.swift", line: 1, function: "second(_:)"),
            "\(verdict.detail)")
        #expect(verdict.detail.hasPrefix("Swift/") && verdict.detail.contains("Fatal error: Index out of range"))
        #expect(verdict.detail.contains("at /code/main.swift:1:"))
    }

    @Test("files that are missing are a breach of the contract, in the words of this target")
    func contract() async throws {
        let verdict = try await check(["main.swift": "print(1)\n"])
        #expect(verdict.kind == .contract && verdict.error?.errorClass == "ContractViolation")
        #expect(verdict.detail.contains("the file 'model.safetensors' is missing"))
        #expect(verdict.detail.contains("PipelineArguments(defaultEpochs: N)") && !verdict.detail.contains(".pth"))
    }

    @Test("a compiler that does not come to an end is the program's own failure, and is told so")
    func endlessCompiler() async throws {
        let verdict = try await check(
            ["main.swift": "print(1)\n"], compilerLimits: SandboxLimits(wallSeconds: 0.05))
        #expect(verdict.kind == .killed && verdict.error?.errorClass == "Timeout")
        #expect(verdict.detail.hasPrefix("could not be compiled: the compiler ran for more than"))
    }

    @Test("a program that does not come to an end is stopped")
    func endless() async throws {
        let verdict = try await check(
            ["main.swift": "while true {}\n"], limits: SandboxLimits(wallSeconds: 1))
        #expect(verdict.kind == .timeout && verdict.error?.errorClass == "Timeout")
    }

    @Test("damaged libraries are the harness's failure, not the program's")
    func damagedLibraries() async throws {
        let products = bench.workspace.root.appending(path: "products", directoryHint: .isDirectory)
        let own = try #require(Bundle.main.executableURL).resolvingSymlinksInPath().deletingLastPathComponent()
        try FileManager.default.createDirectory(
            at: products.appending(path: "Modules"), withIntermediateDirectories: true)
        for name in SwiftEnvironmentNames.modules {
            try FileManager.default.copyItem(
                at: own.appending(path: "Modules/\(name).swiftmodule"),
                to: products.appending(path: "Modules/\(name).swiftmodule"))
        }
        try FileManager.default.copyItem(
            at: own.appending(path: "libPipelineKit.so"), to: products.appending(path: "libPipelineKit.so"))
        try Data("no module".utf8).write(to: products.appending(path: "Modules/PipelineKit.swiftmodule"))
        let damaged = try SwiftEnvironment.locate(
            cache: bench.workspace.root.appending(path: "cache"), products: products)
        do {
            _ = try await check(["main.swift": "import PipelineKit\n"], swift: damaged)
            Issue.record("the compiler took a damaged module")
        } catch SandboxError.swiftMissing(let reason) {
            #expect(reason.contains("cannot compile against its modules"), "\(reason)")
        }
    }

    @Test("the conversation of the demo ends with code that runs")
    func conversation() async throws {
        let replay = try ReplayEndpoint(file: Fixtures.repository.appending(path: "recordings/fixture-swift.jsonl"))
        let store = try bench.store()
        let run = try await bench.loop(
            replay, check: SwiftCheck(runner: sandbox, swift: swift, subset: try subset()),
            settings: GenerationSettings(prompt: "Write it.", expectedFiles: PipelineTarget.swift.files), store: store
        ).run(bench.record())
        #expect(run.status == .succeeded)
        let errors = try store.errors(run: try #require(run.id))
        #expect(errors.map(\.errorClass) == ["CompileError", "RuntimeTrap"])
        #expect(errors.map(\.file) == ["Model.swift", "Model.swift"])
        #expect(errors.last?.function == "UNet.forward(_:)")
    }
}

/// What a build leaves for generated code.
private enum SwiftEnvironmentNames {
    static let modules = ["TensorRuntime", "PipelineKit", "Datasets", "Metrics", "Files", "Hashing"]
}
