import Diagnosis
import Files
import Foundation
import Sandbox
import TensorRuntime

/// The engine `emitted`: the model's own `main.py`, unmodified, on the full training data, with its own epochs.
public struct EmittedEngine: Sendable {
    public var helper: HelperProgram
    public var limits: SandboxLimits

    /// Of a whole training: a day on four cores.
    public static let limits = SandboxLimits(
        wallSeconds: 24 * 3600, cpuSeconds: 96 * 3600, memoryBytes: 16 << 30, writtenBytes: 16 << 30)

    public init(helper: HelperProgram, limits: SandboxLimits = EmittedEngine.limits) {
        self.helper = helper
        self.limits = limits
    }

    /// What the program left.
    public struct Result: Sendable {
        public var history: [EpochResult]
        /// Mean Dice of each batch of its own test part, as it reports it.
        public var testDice: [Double]
        public var predictions: Predictions
        public var seconds: Double
        /// Of the prediction of all held-out images; nil where the helper's record has been tampered with.
        public var inferenceSeconds: Double?
    }

    /// - Parameters:
    ///   - code: the files that ran.
    ///   - data: the staged training data.
    ///   - capture: holds `data/heldout.safetensors`, and the evaluation graph where there is one.
    ///   - folder: receives logs and what the program writes, in place of what an earlier attempt left: the program is run
    ///     as it is, so what was interrupted begins anew.
    /// - Throws: `TrainingError.pipelineFailed` for what the program did, `SandboxError` for what is ours.
    public func train(
        code: URL, data: URL, capture: URL, epochs: Int?, seed: Int, folder: URL,
        progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
    ) async throws -> Result {
        guard FileManager.default.fileExists(atPath: capture.appending(path: "data/heldout.safetensors").path) else {
            throw TrainingError.missing(what: "the capture of the held-out images", command: "llmbench capture RUN")
        }
        let out = folder.appending(path: "out", directoryHint: .isDirectory)
        try? FileManager.default.removeItem(at: out)
        let outcome = try await helper.run(
            mode: ["emitted", "--heldout", "/capture/data/heldout.safetensors", "--capture", "/capture"],
            program: ["main.py", "--data", "/data", "--out", "/out"] + (epochs.map { ["--epochs", "\($0)"] } ?? []),
            mounts: [
                .init(host: code, inside: "/code"), .init(host: data, inside: "/data"),
                .init(host: capture, inside: "/capture"),
            ], out: out, seed: seed, limits: limits, progress: progress)
        if let failure = outcome.failure {
            let line = HelperProgram.lastLine(of: folder.appending(path: "stderr")).map { ": \($0)" } ?? ""
            throw TrainingError.pipelineFailed(reason: failure + line)
        }
        return try Self.result(in: out, heldOut: capture.appending(path: "data/heldout.safetensors"), outcome)
    }

    private static func result(in out: URL, heldOut: URL, _ outcome: SandboxOutcome) throws -> Result {
        let record = HelperRecord(out: out)
        let report = try EmittedReport(record)
        guard report.method != nil else {
            let reason = report.error.map { printable(String($0.prefix(300))) } ?? "no reason was left"
            throw TrainingError.pipelineFailed(reason: "the held-out images could not be predicted (\(reason))")
        }
        // One float a pixel and the names; a program that writes more is not read.
        let limit = try SampleTensors(contentsOf: heldOut).images.count * 4 + 1 << 20
        let predictions: Data
        do {
            predictions = try record.data("predictions.safetensors", limit: limit)
        } catch {
            throw TrainingError.pipelineFailed(reason: "its predictions cannot be read: \(error)")
        }
        let sheets = EmittedSheets(out)
        return Result(
            history: history(report.epochs ?? [], sheets: sheets), testDice: sheets.testDice,
            predictions: try Predictions(data: predictions), seconds: report.seconds ?? outcome.wallSeconds,
            inferenceSeconds: report.predictionSeconds.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil })
    }

    /// What the program's sheets say, and what the helper saw where they say nothing.
    static func history(_ epochs: [EmittedReport.Epoch], sheets: EmittedSheets) -> [EpochResult] {
        let seen = Dictionary(epochs.map { ($0.epoch, $0) }) { first, _ in first }
        let count = max(sheets.trainLosses.count, seen.keys.max() ?? 0)
        guard count > 0 else { return [] }
        return (1...min(count, EmittedReport.maximumEpochs)).map { epoch in
            EpochResult(
                epoch: epoch, trainLoss: sheets.trainLosses[at: epoch - 1] ?? seen[epoch]?.trainLoss ?? .nan,
                validationLoss: sheets.validationLosses[at: epoch - 1],
                validationDice: sheets.validationDice[at: epoch - 1] ?? [], seconds: seen[epoch]?.seconds ?? 0)
        }
    }
}

/// The sheets of numbers that a pipeline leaves. A sheet that is missing or of another form counts as empty: the contract was
/// checked before, and a training is not thrown away for a sheet.
struct EmittedSheets {
    /// By epoch, not finite where the cell is no number.
    var trainLosses: [Double]
    var validationLosses: [Double]
    /// Epochs of batches.
    var validationDice: [[Double]]
    var testDice: [Double]

    init(_ out: URL) {
        trainLosses = Self.numbers(ContractCheck.losses[0], in: out).dropFirst().first ?? []
        validationLosses = Self.numbers(ContractCheck.losses[1], in: out).dropFirst().first ?? []
        validationDice = Self.numbers(ContractCheck.validationDice, in: out).map(Self.scores)
        testDice = Self.numbers(ContractCheck.testDice, in: out).first.map(Self.scores) ?? []
    }

    private static func numbers(_ name: String, in out: URL) -> [[Double]] {
        guard let workbook = try? Workbook(reading: name, below: out) else { return [] }
        return workbook.rows.prefix(EmittedReport.maximumEpochs).map { row in
            row.map { if case .number(let value) = $0 { value } else { .nan } }
        }
    }

    /// Dice are in [0, 1]; anything else is no Dice.
    private static func scores(_ row: [Double]) -> [Double] { row.filter { (0...1).contains($0) } }
}

extension Array {
    fileprivate subscript(at index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
