import Datasets
import Files
import Foundation
import ResultStore
import Testing

@testable import Baselines

/// What cannot be a baseline is said in one sentence, before anything is written.
@Suite("A baseline that cannot be")
struct BaselineRefusalTests {
    /// Expects a refusal, its sentence, and that nothing is left.
    private func expect(
        _ parts: [String], in place: BaselineWorkspace, dataset: String = "discs", python: NNUNetPython? = nil,
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        do {
            _ = try await place.stage(python).run(dataset, budget: BaselineBudget(.epochs(1), iterations: 1))
            Issue.record("it was made", sourceLocation: location)
        } catch let error as BaselineError {
            let sentence = "\(error)"
            for part in parts { #expect(sentence.contains(part), "\(sentence)", sourceLocation: location) }
            #expect(!sentence.contains("\n"), sourceLocation: location)
        }
        #expect(try place.store.baselines().isEmpty, sourceLocation: location)
        #expect(place.leftovers().isEmpty, "\(place.leftovers())", sourceLocation: location)
    }

    @Test("has too few images to plan from")
    func few() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs(training: 4)
        try await expect(["discs has 4 training images", "five or more", "use another dataset"], in: place)
    }

    @Test("has images smaller than the smallest patch")
    func small() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs(size: 15)
        try await expect(["disc 100 of discs has 15×15 pixels", "16×16", "use larger images"], in: place)
    }

    @Test("has no foreground in any mask")
    func empty() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs(empty: true)
        try await expect(["no training mask of discs has foreground", "llmbench datasets check"], in: place)
    }

    @Test("has nothing to be scored on")
    func noHeldOut() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs(heldOut: 0)
        try await expect(["discs has no held-out images"], in: place)
    }

    @Test("has no interpreter, or one that was named wrongly")
    func noInterpreter() throws {
        let nowhere = ["LLMBENCH_NNUNET_PYTHON": "/nowhere/python"]
        #expect(throws: BaselineError.self) {
            try NNUNetPython.locate(root: BaselineWorkspace.checkout, environment: nowhere)
        }
        do throws(BaselineError) {
            _ = try NNUNetPython.locate(
                root: BaselineWorkspace.checkout, environment: ["XDG_CACHE_HOME": "/nowhere", "HOME": "/nowhere"])
            Issue.record("found one at /nowhere")
        } catch {
            #expect("\(error)".contains("there is no interpreter at /nowhere/llmbench/nnunet/"))
            #expect("\(error)".hasSuffix("run scripts/setup"))
        }
        do throws(BaselineError) {
            _ = try NNUNetPython.locate(root: URL(filePath: "/nowhere"), environment: [:])
            Issue.record("found requirements at /nowhere")
        } catch {
            #expect("\(error)".contains("no requirements-nnunet.txt"))
        }
    }

    /// A real interpreter that sees the metadata of a package `nnunetv2` of some version, or of none.
    private func python(version: String?, in place: BaselineWorkspace) throws -> NNUNetPython {
        let packages = place.root.appending(path: "packages", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: packages, withIntermediateDirectories: true)
        if let version {
            let folder = packages.appending(path: "nnunetv2-\(version).dist-info")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data("Metadata-Version: 2.1\nName: nnunetv2\nVersion: \(version)\n".utf8)
                .write(to: folder.appending(path: "METADATA"))
        }
        let script = place.root.appending(path: "python")
        try Data("#!/bin/sh\nPYTHONPATH='\(packages.path)' exec /usr/bin/python3 \"$@\"\n".utf8).write(to: script)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.path)
        return NNUNetPython(interpreter: script)
    }

    @Test("finds another version of the package")
    func version() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs()
        try await expect(
            ["has nnunetv2 2.7.0", "made with 2.8.1", "run scripts/setup"], in: place,
            python: try python(version: "2.7.0", in: place))
    }

    @Test("finds no such package, or nothing that is Python")
    func noPackage() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs()
        try await expect(
            ["nnU-Net is not installed", "has no nnunetv2", "run scripts/setup"], in: place,
            python: try python(version: nil, in: place))
        try await expect(
            ["/bin/false does not run Python", "run scripts/setup"], in: place,
            python: NNUNetPython(interpreter: URL(filePath: "/bin/false")))
        try await expect(
            ["does not start", "run scripts/setup"], in: place,
            python: NNUNetPython(interpreter: URL(filePath: "/nowhere/python")))
    }

    @Test("is worked on by another process, or was begun on other data")
    func busyOrChanged() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs()
        let stage = try await place.stage()
        let budget = BaselineBudget(.epochs(1), iterations: 1)
        let folder = stage.folder(dataset: "discs", budget: budget, seed: 0)
        try FileManager.default.createDirectory(
            at: folder.deletingLastPathComponent(), withIntermediateDirectories: true)
        let lock = try FileLock(trying: BaselineStage.lockFile(of: folder))
        await #expect(throws: BaselineError.busy(path: folder.path(percentEncoded: false))) {
            _ = try await stage.run("discs", budget: budget)
        }
        lock.release()
        _ = try place.store.beginBaseline(
            BaselineRecord(
                engine: .nnunetv2, dataset: "discs", budget: budget.key, seed: 0, datasetHash: "another", epochs: 1,
                iterations: 1))
        await #expect(throws: BaselineError.datasetChanged(dataset: "discs")) {
            _ = try await stage.run("discs", budget: budget)
        }
    }

    @Test("says what memory would hold")
    func memorySentence() {
        func sentence(_ fitting: Int) -> String {
            "\(BaselineError.memory(dataset: "d", needed: 9 << 30, available: 2 << 30, batch: 13, fitting: fitting))"
        }
        #expect(
            sentence(3) == "nnU-Net on d needs 9.0 GiB of memory at its batch size of 13 and 2.0 GiB are free: "
                + "a batch of 3 would fit (--batch-size 3); else close other programs or use a machine with more")
        #expect(sentence(1).contains("2.0 GiB are free: close other programs"))
    }

    @Test("leaves variables of nnU-Net and keys behind, and names the former")
    func environment() {
        let own = [
            "PATH": "/bin", "nnUNet_raw": "/data", "nnUNet_results": "", "OPENAI_API_KEY": "secret", "PYTHONPATH": "/x",
        ]
        #expect(NNUNetProcess.foreignVariables(own) == ["nnUNet_raw"])
        let given = NNUNetProcess.environment(own)
        #expect(given["PATH"] == "/bin" && Set(given.keys).isDisjoint(with: own.keys.filter { $0 != "PATH" }))
    }
}
