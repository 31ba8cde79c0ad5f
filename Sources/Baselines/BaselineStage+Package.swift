import Datasets
import Files
import Foundation
import ResultStore
import Sandbox
import TensorRuntime

extension BaselineStage {
    /// Runs the published package's driver and stores what it reports as it goes.
    func trainByPackage(
        _ record: inout BaselineRecord, _ folder: URL, _ installation: NNUNetInstallation, _ options: Options,
        _ observer: Observer
    ) async throws {
        guard let driver = DriverFiles.url else { throw BaselineError.driverMissing }
        let process = NNUNetProcess(
            interpreter: installation.interpreter, driver: driver, log: folder.appending(path: "driver.log"))
        var reader = NNUNetEventReader(folder.appending(path: "events.jsonl"))
        var life = Life()
        // Epochs of an earlier process, of which the last may not have reached the store.
        for event in reader.next() {
            if case .epoch(let epoch) = event { try store(epoch, of: record) }
        }
        let progressFile = folder.appending(path: "progress.json")
        try? FileManager.default.removeItem(at: progressFile)
        let end = try await process.run(arguments(folder, record, options)) {
            for event in reader.next() {
                try take(event, &record, &life, observer)
            }
            if let progress = BaselineProgress(file: progressFile), life.stage == "train" {
                observer.progress(progress)
            } else {
                observer.progress(BaselineProgress(stage: life.stage))
            }
        }
        try judge(end, life, record, folder, installation)
        record.seconds = try store.baselineEpochs(baseline: record.id ?? -1).compactMap(\.seconds).reduce(0, +)
    }

    /// What one process has said so far.
    private struct Life {
        var stage = "start"
        var isDone = false
        var failure: String?
        var refusal: NNUNetEvent.Refusal?
    }

    private func arguments(_ folder: URL, _ record: BaselineRecord, _ options: Options) throws -> [String] {
        let threads = RuntimeOptions(threads: options.threads).threads
        var arguments = [
            "train", "--folder", folder.path(percentEncoded: false), "--threads", "\(threads)", "--follow-stdin",
            // A worker costs the seconds of its imports; only with many images does a second one pay.
            "--processes", "\(try isLarge(record.dataset) ? min(8, threads) : 1)",
        ]
        if let bytes = options.memory ?? AvailableMemory.bytes() { arguments += ["--available-bytes", "\(bytes)"] }
        if options.memory != nil { arguments.append("--assume-bytes") }
        return arguments
    }

    private func isLarge(_ dataset: String) throws -> Bool {
        try DatasetCatalogue(root: workspace.datasets).load(dataset).split.training.count > 300
    }

    private func take(
        _ event: NNUNetEvent, _ record: inout BaselineRecord, _ life: inout Life, _ observer: Observer
    ) throws {
        switch event {
        case .stage(let name): life.stage = name
        case .versions(let versions):
            (record.device, record.threads) = (versions.device, versions.threads)
            try store.updateBaseline(record)
        case .plan(let plan):
            record.batchSize = plan.batchSize
            if plan.patch.count == 2 { (record.patchHeight, record.patchWidth) = (plan.patch[0], plan.patch[1]) }
            try store.updateBaseline(record)
        case .epoch(let epoch): observer.epoch(try store(epoch, of: record))
        case .predictions(let predictions):
            (record.inferenceSeconds, record.networkSeconds) = (predictions.seconds, predictions.networkSeconds)
            record.postprocessing = predictions.postprocessing
        case .refusal(let refusal): life.refusal = refusal
        case .failure(let reason): life.failure = reason
        case .done: life.isDone = true
        }
    }

    @discardableResult
    private func store(_ epoch: NNUNetEvent.Epoch, of record: BaselineRecord) throws -> BaselineEpochRecord {
        let row = BaselineEpochRecord(
            baselineId: record.id ?? -1, epoch: epoch.epoch, trainLoss: epoch.trainLoss,
            validationLoss: epoch.validationLoss, pseudoDice: epoch.pseudoDice, learningRate: epoch.learningRate,
            seconds: epoch.seconds)
        try store.storeBaselineEpoch(row)
        return row
    }

    private func judge(
        _ end: NNUNetProcess.End, _ life: Life, _ record: BaselineRecord, _ folder: URL,
        _ installation: NNUNetInstallation
    ) throws {
        let log = folder.appending(path: "driver.log").path(percentEncoded: false)
        switch end {
        case .signalled(let signal): throw BaselineError.killed(signal: signal)
        case .exited(0) where life.isDone: return
        case .exited(1) where life.failure != nil: throw BaselineError.notFinite(reason: life.failure ?? "")
        case .exited(let code):
            if let refusal = life.refusal { throw error(of: refusal, record.dataset, log, installation) }
            throw BaselineError.failed(
                reason: printable(String((life.failure ?? "it ended with exit code \(code)").prefix(300))), log: log)
        }
    }

    private func error(
        of refusal: NNUNetEvent.Refusal, _ dataset: String, _ log: String, _ installation: NNUNetInstallation
    ) -> BaselineError {
        switch refusal.kind {
        case "device": .noDevice
        case "patch": .patchTooSmall(dataset: dataset, patch: refusal.patch ?? [])
        case "version":
            .wrongVersion(path: installation.interpreter.path(percentEncoded: false), found: refusal.found ?? "unknown")
        case "memory":
            .memory(
                dataset: dataset, needed: refusal.needed ?? 0, available: refusal.available ?? 0,
                batch: refusal.batch ?? 0, fitting: refusal.fitting ?? 0)
        default: .failed(reason: printable(String(refusal.kind.prefix(300))), log: log)
        }
    }
}
