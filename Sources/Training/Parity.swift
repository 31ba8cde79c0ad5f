import Foundation

/// How far two engines are apart that start from the same weights and see the same batches.
public struct Parity: Sendable, Hashable, Codable {
    public var swift: [Double]
    /// Those of the framework that the pipeline was written for: PyTorch, or TensorFlow.
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
    /// - Parameter theirs: the other engine's losses.
    /// - Throws: `TrainingError`, and what `theirs` throws.
    public static func measure(
        _ pipeline: CapturedPipeline, steps: Int = 20, seed: Int, threads: Int? = nil, folder: URL,
        theirs: () async throws -> [Double]
    ) async throws -> Parity {
        let theirs = try await theirs()
        let trainer = try SwiftTrainer(
            pipeline, options: .init(epochs: 1, seed: seed, threads: threads), folder: folder.appending(path: "none"))
        let ours = try trainer.firstLosses(steps)
        guard ours.count == theirs.count else {
            throw TrainingError.harness(
                reason: "the other framework made \(theirs.count) steps where \(ours.count) were asked for")
        }
        return Parity(swift: ours, pytorch: theirs)
    }
}
