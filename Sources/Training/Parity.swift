import Foundation

/// How far two engines are apart that start from the same weights and see the same batches.
public struct Parity: Sendable, Hashable, Codable {
    public var swift: [Double]
    public var pytorch: [Double]

    public init(swift: [Double], pytorch: [Double]) {
        self.swift = swift
        self.pytorch = pytorch
    }

    /// max |swift − pytorch| over the steps.
    public var largestLossDifference: Double {
        zip(swift, pytorch).map { abs($0 - $1) }.max() ?? .nan
    }

    /// Runs both engines for some steps, dropout off, one optimizer step a batch.
    ///
    /// - Throws: `TrainingError`, `SandboxError`.
    public static func measure(
        _ pipeline: CapturedPipeline, engine: PyTorchEngine, steps: Int = 20, seed: Int, threads: Int? = nil,
        folder: URL
    ) async throws -> Parity {
        let theirs = try await engine.firstLosses(pipeline, steps: steps, seed: seed, folder: folder)
        let trainer = try SwiftTrainer(
            pipeline, options: .init(epochs: 1, seed: seed, threads: threads), folder: folder.appending(path: "none"))
        let ours = try trainer.firstLosses(steps)
        guard ours.count == theirs.count else {
            throw TrainingError.harness(reason: "PyTorch made \(theirs.count) steps where \(ours.count) were asked for")
        }
        return Parity(swift: ours, pytorch: theirs)
    }
}
