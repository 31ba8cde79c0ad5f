import Datasets
import Foundation
import ResultStore
import Synchronization
import Testing

@testable import Baselines

/// The real package at its smallest, from plan to score.
@Suite("A baseline by nnU-Net itself", .serialized)
struct WholeBaselineTests {
    private static var isFull: Bool { ProcessInfo.processInfo.environment["LLMBENCH_VERIFY"] == "1" }

    private static func options(_ change: (inout BaselineStage.Options) -> Void = { _ in }) -> BaselineStage.Options {
        var options = BaselineStage.Options()
        options.device = .cpu
        options.checkpointSeconds = 0
        change(&options)
        return options
    }

    @Test(
        "goes on after its process was killed, and its Dice is what nnUNetv2_evaluate_folder says",
        .timeLimit(.minutes(40)))
    func whole() async throws {
        let place = try BaselineWorkspace()
        let dataset = try place.addDiscs()
        let stage = try await place.stage()
        let budget = BaselineBudget(.epochs(3), iterations: 3)
        let folder = stage.folder(dataset: "discs", budget: budget, seed: 5)

        // An epoch is reported before its checkpoint is written; killed in between, it would be trained again, to the same bits.
        let killer = DriverKiller(
            of: folder,
            when: folder.appending(
                path: "trained/\(NNUNetData.name)/LLMBenchTrainer__nnUNetPlans__2d/fold_0/checkpoint_best.pth"))
        await #expect(throws: BaselineError.killed(signal: 9)) {
            _ = try await stage.run("discs", budget: budget, options: Self.options { $0.seed = 5 })
        }
        killer.stop()
        let broken = try #require(try place.store.baselines().first)
        #expect(broken.status == .running && broken.batchSize == 2 && broken.patchWidth == 64)
        let first = try place.store.baselineEpochs(baseline: broken.id ?? -1)
        #expect(first.first?.epoch == 1 && first.count < 3)

        let record = try await stage.run("discs", budget: budget, options: Self.options { $0.seed = 5 })
        #expect(record.status == .evaluated && record.id == broken.id && record.device == "cpu")
        #expect(record.version?.hasPrefix("nnunetv2 2.8.1, torch ") == true)
        let epochs = try place.store.baselineEpochs(baseline: record.id ?? -1)
        #expect(epochs.map(\.epoch) == [1, 2, 3])
        #expect(epochs.first == first.first, "the first epoch is not trained again")
        #expect(epochs.allSatisfy { $0.trainLoss != nil && $0.validationLoss != nil && ($0.seconds ?? 0) > 0 })
        #expect(epochs.map(\.learningRate) == epochs.map(\.learningRate).sorted { ($0 ?? 0) > ($1 ?? 0) })
        let (whole, network) = (try #require(record.inferenceSeconds), try #require(record.networkSeconds))
        #expect(network > 0 && whole > network)
        try await expectSameDice(record, dataset, folder, place)

        // Nothing of the way there is left, and nothing is done again.
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names == ["driver.log", "events.jsonl", "predictions", "request.json", "trained"])
        let again = try await stage.run("discs", budget: budget, options: Self.options { $0.seed = 5 })
        #expect(again == (try place.store.baselines().first))
        #expect(try place.store.references().map(\.dataset) == ["discs"])
    }

    /// Holds our Dice against the package's own evaluation of the same files, which gives nothing where both masks are empty.
    private func expectSameDice(
        _ record: BaselineRecord, _ dataset: Dataset, _ folder: URL, _ place: BaselineWorkspace
    ) async throws {
        let truth = place.root.appending(path: "truth", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: truth, withIntermediateDirectories: true)
        let samples = dataset.split.heldOut.sorted()
        for (index, id) in samples.enumerated() {
            let mask = try dataset.truth(id)
            let label = try Image(
                width: mask.width, height: mask.height, channels: 1, bytes: mask.bytes.map { $0 / 255 })
            try PNG.write(label, to: truth.appending(path: NNUNetData.heldOutCase(index) + ".png"))
        }
        let predictions = folder.appending(path: "predictions")
        let summary = place.root.appending(path: "summary.json")
        let trained = folder.appending(path: "trained/Dataset001_llmbench/LLMBenchTrainer__nnUNetPlans__2d")
        let process = Process()
        process.executableURL = try BaselineWorkspace.python().interpreter.deletingLastPathComponent()
            .appending(path: "nnUNetv2_evaluate_folder")
        process.arguments = [
            truth.path, predictions.path, "-djfile", trained.appending(path: "dataset.json").path, "-pfile",
            trained.appending(path: "plans.json").path, "-o", summary.path, "-np", "1",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: summary)) as? [String: Any]
        let cases = try #require(object?["metric_per_case"] as? [[String: Any]])
        let theirs = try cases.map { entry -> Double in
            let metrics = (entry["metrics"] as? [String: Any])?["1"] as? [String: Any]
            let counts = try ["TP", "FP", "FN"].map { try #require(metrics?[$0] as? Int) }
            // Written as NaN, which JSON has no word for.
            if counts == [0, 0, 0] { return 1 }
            return try #require(metrics?["Dice"] as? Double)
        }
        let ours = try place.store.baselineHeldOut(baseline: record.id ?? -1)
        #expect(ours.map(\.sample) == samples && theirs.count == samples.count)
        for (a, b) in zip(ours, theirs) { #expect(abs(a.dice - b) < 1e-6, "\(a.sample): \(a.dice) and \(b)") }
    }

    @Test("says before training that memory is short of the plan, and keeps nothing", .timeLimit(.minutes(40)))
    func memory() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs()
        let budget = BaselineBudget(.epochs(1), iterations: 1, batchSize: 400)
        do {
            _ = try await place.stage().run("discs", budget: budget, options: Self.options { $0.memory = 3 << 30 })
            Issue.record("400 images of 64×64 were trained in 3 GiB")
        } catch BaselineError.memory(let dataset, let needed, let available, let batch, let fitting) {
            #expect(dataset == "discs" && available == 3 << 30 && needed > available && batch == 400)
            #expect((2..<400).contains(fitting))
        }
        #expect(try place.store.baselines().isEmpty)
        #expect(place.leftovers().allSatisfy { $0 == "discs" || $0.hasSuffix(".lock") }, "\(place.leftovers())")
    }

    @Test("is refused where the plan leaves too small a patch, and nothing is kept", .timeLimit(.minutes(40)))
    func patch() async throws {
        let place = try BaselineWorkspace()
        // Of 64 pixels, 8 are left once the black border is cut off.
        try place.addDiscs(border: 28)
        await #expect(throws: BaselineError.patchTooSmall(dataset: "discs", patch: [8, 8])) {
            _ = try await place.stage().run(
                "discs", budget: BaselineBudget(.epochs(1), iterations: 1), options: Self.options())
        }
        #expect(
            BaselineError.patchTooSmall(dataset: "discs", patch: [8, 8]).description
                == "nnU-Net plans patches of 8×8 pixels for discs, too small for its network: use larger images, or images with "
                + "less empty border")
        #expect(try place.store.baselines().isEmpty)
        #expect(place.leftovers().allSatisfy { $0 == "discs" || $0.hasSuffix(".lock") }, "\(place.leftovers())")
    }

    @Test(
        "is refused where PyTorch finds no CUDA device, and nothing is kept",
        .enabled(if: !FileManager.default.fileExists(atPath: "/dev/nvidia0"), "this machine has a GPU"),
        .timeLimit(.minutes(40)))
    func device() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs()
        await #expect(throws: BaselineError.noDevice) {
            _ = try await place.stage().run(
                "discs", budget: BaselineBudget(.epochs(1), iterations: 1), options: Self.options { $0.device = .cuda })
        }
        #expect("\(BaselineError.noDevice)".contains("use --device cpu"))
        #expect(try place.store.baselines().isEmpty)
        #expect(place.leftovers().allSatisfy { $0 == "discs" || $0.hasSuffix(".lock") }, "\(place.leftovers())")
    }

    @Test(
        "that fails says why and where to read on, can be tried again, and leaves a foreign nnUNet_raw alone",
        .timeLimit(.minutes(40)))
    func failure() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs()
        let stage = try await place.stage()
        let budget = BaselineBudget(.epochs(1), iterations: 1)
        // A raw folder without anything in it, as only a person can leave it.
        let folder = stage.folder(dataset: "discs", budget: budget, seed: 0)
        try FileManager.default.createDirectory(at: folder.appending(path: "raw"), withIntermediateDirectories: true)
        let theirs = place.root.appending(path: "theirs", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: theirs, withIntermediateDirectories: true)
        setenv("nnUNet_raw", theirs.path, 1)
        defer { unsetenv("nnUNet_raw") }
        let notes = Mutex<[String]>([])
        let observer = BaselineStage.Observer(note: { note in notes.withLock { $0.append(note) } })
        do {
            _ = try await stage.run("discs", budget: budget, options: Self.options(), observer: observer)
            Issue.record("nothing was planned from nothing")
        } catch BaselineError.failed(let reason, let log) {
            #expect(reason.contains("Error") && !reason.contains("\n"))
            #expect(try String(contentsOfFile: log, encoding: .utf8).contains("Traceback"))
        }
        #expect(try place.store.baselines().map(\.status) == [.running])
        #expect(
            notes.withLock { $0 } == [
                "nnUNet_raw of your environment is ignored: a baseline has folders of its own below results/"
            ])
        #expect(try FileManager.default.contentsOfDirectory(atPath: theirs.path).isEmpty)
    }

    @Test(
        "repeats its draws from the same seed, is limited by time, and ends with its host",
        .enabled(if: isFull, "LLMBENCH_VERIFY=1"), .timeLimit(.minutes(40)))
    func full() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs(channels: 3)
        let stage = try await place.stage()
        var losses: [[Double?]] = []
        for budget in [BaselineBudget(.epochs(2), iterations: 4), BaselineBudget(.epochs(2), iterations: 4)] {
            let record = try await stage.run("discs", budget: budget, options: Self.options { $0.again = true })
            losses.append(try place.store.baselineEpochs(baseline: record.id ?? -1).map(\.trainLoss))
        }
        for (a, b) in zip(losses[0], losses[1]) { #expect(abs((a ?? 0) - (b ?? 1)) < 1e-3) }

        let timed = try await stage.run(
            "discs", budget: BaselineBudget(.seconds(6), iterations: 2), options: Self.options())
        let epochs = try place.store.baselineEpochs(baseline: timed.id ?? -1)
        let spent = epochs.compactMap(\.seconds)
        #expect(timed.epochs == nil && timed.status == .evaluated && epochs.count >= 1)
        #expect(spent.reduce(0, +) >= 5.5 && spent.dropLast().reduce(0, +) <= 6.5)

        let running = Task {
            try await stage.run("discs", budget: BaselineBudget(.epochs(50), iterations: 50), options: Self.options())
        }
        let folder = stage.folder(dataset: "discs", budget: BaselineBudget(.epochs(50), iterations: 50), seed: 0)
        while !FileManager.default.fileExists(atPath: folder.appending(path: "progress.json").path) {
            try await Task.sleep(for: .milliseconds(200))
        }
        running.cancel()
        await #expect(throws: CancellationError.self) { _ = try await running.value }
    }
}

/// Kills the driver as soon as a file is there, from a thread of its own: on a busy machine the stage is told of an epoch when the
/// training has long ended.
private final class DriverKiller: Sendable {
    private let isOver = Mutex(false)

    init(of folder: URL, when file: URL) {
        Thread { [self] in
            while !isOver.withLock({ $0 }) {
                if FileManager.default.fileExists(atPath: file.path) { return Self.kill(folder) }
                usleep(5_000)
            }
        }.start()
    }

    func stop() { isOver.withLock { $0 = true } }

    /// Kills the driver that works in a folder.
    private static func kill(_ folder: URL) {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for name in processes {
            guard let id = Int32(name), let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline")
            else { continue }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            if words.contains("--follow-stdin"), words.contains(where: { $0.contains(folder.lastPathComponent) }),
                words.contains(where: { $0.hasPrefix(folder.deletingLastPathComponent().path) })
            {
                Glibc.kill(id, SIGKILL)
            }
        }
    }
}
