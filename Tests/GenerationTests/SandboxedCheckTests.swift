import Datasets
import Endpoints
import Foundation
import GenerationTestSupport
import ResultStore
import Sandbox
import TestSupport
import Testing

@testable import Generation

/// Real bubblewrap, real Python; PyTorch only where it is the subject. A light helper stands in for the real one where the
/// program is pure Python, because importing PyTorch takes seconds.
@Suite("The check run", .serialized)
struct SandboxedCheckTests {
    let bench: Workbench
    let python: PythonEnvironment
    let sandbox: BubblewrapSandbox

    init() throws {
        bench = try Workbench()
        python = try PythonEnvironment.locate(requirements: Fixtures.repository.appending(path: "requirements.txt"))
        sandbox = try BubblewrapSandbox(python: python)
    }

    /// Starts main.py as the real helper does, without seeding PyTorch.
    private func lightHelper() throws -> URL {
        let folder = bench.workspace.root.appending(path: "helper", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let program = """
            import runpy, sys
            program = sys.argv[sys.argv.index("--") + 1:]
            sys.argv = program
            sys.path[0] = "/code"
            runpy.run_path(program[0], run_name="__main__")
            """
        try program.write(to: folder.appending(path: "run.py"), atomically: true, encoding: .utf8)
        return folder
    }

    private func check(_ main: String, limits: SandboxLimits = SandboxLimits(wallSeconds: 20)) async throws
        -> CheckVerdict
    {
        let data = bench.workspace.root.appending(path: "data", directoryHint: .isDirectory)
        let files = bench.workspace.root.appending(path: "files", directoryHint: .isDirectory)
        for folder in [data, files] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        try main.write(to: files.appending(path: "main.py"), atomically: true, encoding: .utf8)
        let round = bench.directory.round(0)
        try FileManager.default.createDirectory(at: round.output, withIntermediateDirectories: true)
        let check = SandboxedCheck(
            runner: sandbox, python: python, helper: try lightHelper(),
            subset: CheckSubset(folder: data, samples: ["a", "b"]), limits: limits)
        return try await check.run(files: files, in: round)
    }

    @Test("an exception goes back as it was printed, and is diagnosed")
    func exception() async throws {
        let verdict = try await check("print('loading')\nimport os\n\n\ndef load():\n    return [][3]\n\n\nload()\n")
        #expect(verdict.kind == .error)
        #expect(verdict.error?.errorClass == "IndexError")
        #expect(verdict.error?.frame?.file == "main.py")
        #expect(verdict.error?.frame?.line == 6)
        #expect(verdict.detail.hasPrefix("Traceback (most recent call last):"))
        #expect(
            verdict.detail.hasSuffix("IndexError: list index out of range\n")
                || verdict.detail.hasSuffix("out of range"))
        #expect(!verdict.detail.contains("loading"))
    }

    @Test("an endless program is stopped at the wall time and told so")
    func endless() async throws {
        let verdict = try await check(
            "import time\nwhile True: time.sleep(1)\n", limits: SandboxLimits(wallSeconds: 1))
        #expect(verdict.kind == .timeout)
        #expect(verdict.error?.errorClass == "Timeout")
        let said = try FeedbackComposer(texts: try templates(), run: 1).answer(to: verdict, round: 0)
        #expect(
            said?.text
                == "The program was stopped because it had not ended after 1 seconds. It was started with `--epochs 2` on 2 pairs of image and mask."
        )
        #expect(said?.kind == .timeout)
    }

    @Test("a program that fills the disk is killed with its reason")
    func disk() async throws {
        let program = "with open('/out/x', 'wb') as f:\n    while True: f.write(b'0' * 1000000); f.flush()\n"
        let verdict = try await check(program, limits: SandboxLimits(wallSeconds: 20, writtenBytes: 4 << 20))
        #expect(verdict.kind == .killed)
        #expect(verdict.detail == "wrote more than 4 MiB to files")
        #expect(verdict.error?.errorClass == "Killed")
        try CheckLeavings.prune(bench.directory.round(0), keep: false)
        #expect(!FileManager.default.fileExists(atPath: bench.directory.round(0).output.path))
    }

    @Test("a program that fails without a word is told its exit status")
    func silent() async throws {
        let verdict = try await check("import os\nos._exit(7)\n")
        #expect(verdict.kind == .silent)
        let said = try FeedbackComposer(texts: try templates(), run: 1).answer(to: verdict, round: 0)
        #expect(said?.text == "The program printed nothing and ended with exit status 7.")
    }

    @Test("a clean exit that leaves nothing breaks the contract")
    func contract() async throws {
        let verdict = try await check("print('done')\n")
        #expect(verdict.kind == .contract)
        #expect(verdict.error?.errorClass == "ContractViolation")
        #expect(verdict.detail.contains("'train_losses.xlsx' is missing"))
        #expect(verdict.detail.contains("'config.json' is missing"))
    }

    @Test("the code cannot be changed, the data cannot be changed, and there is no network")
    func confined() async throws {
        let verdict = try await check(
            """
            import socket
            for path in ["/code/x", "/data/x", "/helper/x"]:
                try:
                    open(path, "w")
                    raise SystemExit("wrote " + path)
                except OSError:
                    pass
            try:
                socket.create_connection(("1.1.1.1", 80), timeout=2)
                raise SystemExit("connected")
            except OSError:
                pass
            """)
        #expect(verdict.outcome.termination == .exited(0))
    }

    @Test("a helper that fails is our failure")
    func brokenHelper() async throws {
        let files = bench.workspace.root.appending(path: "files", directoryHint: .isDirectory)
        let helper = bench.workspace.root.appending(path: "broken", directoryHint: .isDirectory)
        for folder in [files, helper, bench.directory.round(0).output] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        try "raise ValueError('helper')\n".write(
            to: helper.appending(path: "run.py"), atomically: true, encoding: .utf8)
        let check = SandboxedCheck(
            runner: sandbox, python: python, helper: helper, subset: CheckSubset(folder: files, samples: []))
        let round = bench.directory.round(0)
        let error = await #expect(throws: SandboxError.self) { try await check.run(files: files, in: round) }
        #expect(error?.description.contains("the helper failed") == true)
    }

    @Test("an interpreter without PyTorch is our failure and names the module")
    func interpreterWithoutTorch() async throws {
        let files = bench.workspace.root.appending(path: "files", directoryHint: .isDirectory)
        let helper = try lightHelper()
        for folder in [files, bench.directory.round(0).output] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        try "import torch\n".write(to: files.appending(path: "main.py"), atomically: true, encoding: .utf8)
        let bare = try PythonEnvironment(interpreter: URL(filePath: "/usr/bin/python3"))
        let check = SandboxedCheck(
            runner: try BubblewrapSandbox(python: bare), python: bare, helper: helper,
            subset: CheckSubset(folder: files, samples: []))
        let round = bench.directory.round(0)
        let error = await #expect(throws: SandboxError.self) { try await check.run(files: files, in: round) }
        guard case .environmentBroken(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("cannot import torch"))
    }

    @Test("a whole PyTorch pipeline from a recording runs clean on real slices, its artefacts kept, its weights not")
    func realPipeline() async throws {
        let dataset = try DatasetCatalogue(root: Fixtures.repository.appending(path: "datasets")).load(
            "colin27-cerebellum")
        let hash = try dataset.contentHash()
        let subset = try CheckSubset.stage(dataset, hash: hash, in: bench.workspace)
        #expect(subset.samples.count == CheckSubset.size)
        #expect(Set(subset.samples).isSubset(of: dataset.split.training))
        #expect(try CheckSubset.stage(dataset, hash: hash, in: bench.workspace) == subset)
        let check = SandboxedCheck(
            runner: sandbox, python: python,
            helper: Fixtures.repository.appending(path: "Sources/Capture/Helper", directoryHint: .isDirectory),
            subset: subset)
        let recording = Fixtures.repository.appending(path: "recordings/fixture-steady.jsonl")
        let store = try bench.store()
        let run = try await bench.loop(try ReplayEndpoint(file: recording), check: check, store: store)
            .run(bench.record())
        let errors = try store.errors(run: try #require(run.id)).map(\.message)
        #expect(errors == [])
        #expect(run.status == .succeeded)
        let left = try FileManager.default.contentsOfDirectory(atPath: bench.directory.round(0).output.path).sorted()
        #expect(left.contains("config.json"))
        #expect(left.contains("train_losses.xlsx"))
        #expect(!left.contains { $0.hasSuffix(".pth") })
    }

    @Test("a TensorFlow conversation fails as Keras says, and then runs clean, its data counted")
    func kerasConversation() async throws {
        let dataset = try DatasetCatalogue(root: Fixtures.repository.appending(path: "datasets")).load(
            "colin27-cerebellum")
        let subset = try CheckSubset.stage(dataset, hash: dataset.contentHash(), in: bench.workspace)
        let keras = try PythonEnvironment.locate(.tensorflow, root: Fixtures.repository)
        let check = SandboxedCheck(
            runner: try BubblewrapSandbox(python: keras), python: keras,
            helper: Fixtures.repository.appending(path: "Sources/Capture/Helper", directoryHint: .isDirectory),
            subset: subset)
        let recording = Fixtures.repository.appending(path: "recordings/fixture-tensorflow.jsonl")
        let store = try bench.store()
        let run = try await bench.loop(try ReplayEndpoint(file: recording), check: check, store: store)
            .run(bench.record())
        let errors = try store.errors(run: try #require(run.id))
        #expect(errors.map(\.errorClass) == ["ValueError"] && errors.map(\.subcategory) == ["shape mismatch"])
        #expect(errors.first?.file == "model.py")
        #expect(run.status == .succeeded)
        let left = bench.directory.round(1).output
        let names = try FileManager.default.contentsOfDirectory(atPath: left.path)
        #expect(names.contains("config.json") && !names.contains { $0.hasSuffix(".keras") || $0.hasSuffix(".h5") })
    }

    private func templates() throws -> FeedbackTemplates {
        try FeedbackTemplates(folder: Fixtures.repository.appending(path: "prompts/feedback"))
    }
}
