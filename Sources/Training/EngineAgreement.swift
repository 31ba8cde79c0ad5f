import Foundation
import TensorRuntime

/// How near the engine `swift` comes to the framework of a captured pipeline: from the same weights, on the same batches, dropout off,
/// one optimizer step a batch.
///
/// What a difference means is measured, not guessed: the framework trains the same again in other ways, which add in another order
/// (PyTorch in its memory layout channels-last; TensorFlow without oneDNN, and compiled by XLA), and from weights that are off by at most a
/// millionth each, the rounding error of one convolution by Winograd's algorithm.
public struct EngineAgreement: Sendable, Hashable, Codable {
    /// Largest differences from the framework as a program gets it, over steps, pixels or parameters.
    public struct Difference: Sendable, Hashable, Codable {
        public var ours: Double
        /// Of the framework's other ways of computing the same, by name: `channels_last`; `eigen`, `xla`.
        public var ways: [String: Double]
        /// Of the framework from perturbed weights.
        public var perturbed: Double

        /// A float32 near one has steps of 1.2e-7, and a loss is a sum of thousands: what two orders of adding may differ by, be they
        /// the same by chance on one machine.
        static let floor = 1e-6

        /// Ours in units of the framework's own difference, perturbed weights included, which counts as a millionth at least.
        public var ratio: Double { ours / max(spread, perturbed, Self.floor) }
        /// Ours in units of the difference between the framework's ways of computing alone, which counts as a millionth at least.
        public var ratioToWays: Double { ours / max(spread, Self.floor) }

        private var spread: Double { ways.values.max() ?? 0 }
    }

    public var steps: Int
    /// max|a − b| / max|b| of the probabilities of the held-out images, before the first step.
    public var forwardError: Double
    /// max|a − b| / max|b| of the worst parameter's gradient in the first batch; max|b| counts as a thousandth of the largest gradient
    /// at least, since a bias before a batch norm has none but rounding.
    public var gradient: Difference
    public var worstGradient: String?
    /// Of the loss of each step.
    public var loss: Difference
    /// Of the probabilities of the held-out images after the last step.
    public var output: Difference

    /// Forward pass and gradients below a thousandth, the bound of `unet verify`, or gradients within three times what the framework's own
    /// differ by.
    public var isStepExact: Bool { forwardError < 1e-3 && (gradient.ours < 1e-3 || gradient.ratio <= 3) }

    /// Runs both engines. Costs three short trainings in PyTorch and one here.
    ///
    /// - Throws: `TrainingError`, `SandboxError`.
    public static func measure(
        _ pipeline: CapturedPipeline, engine: PyTorchEngine, steps: Int = 50, seed: Int, threads: Int? = nil,
        folder: URL
    ) async throws -> EngineAgreement {
        try await measure(pipeline, steps: steps, seed: seed, threads: threads, folder: folder) {
            try await engine.reference(pipeline, steps: steps, seed: seed, folder: folder)
        }
    }

    /// Runs the engine `swift` beside what `reference` makes of the first batches: tensors by the names of the helper's mode `agree`.
    ///
    /// - Throws: `TrainingError`, and what `reference` throws.
    static func measure(
        _ pipeline: CapturedPipeline, steps: Int = 50, seed: Int, threads: Int? = nil, folder: URL,
        reference: () async throws -> [String: Tensor]
    ) async throws -> EngineAgreement {
        guard let heldOut = pipeline.heldOut else {
            throw TrainingError.missing(what: "the held-out images of the capture", command: "llmbench capture")
        }
        let theirs = try await reference()
        let names = Set(theirs.keys.filter { $0.hasPrefix("loss.") }.map { String($0.dropFirst("loss.".count)) })
        let ways = names.subtracting(["default", "perturbed"]).sorted()
        let trainer = try SwiftTrainer(
            pipeline, options: .init(epochs: 1, seed: seed, threads: threads), folder: folder.appending(path: "none"))
        let before = try trainer.predict(heldOut, weights: pipeline.weights, batch: heldOut.count)
        let losses = try trainer.firstLosses(steps)
        let after = try trainer.predict(heldOut, weights: trainer.session.parameters.state(), batch: heldOut.count)
        let gradients = try trainer.firstGradients()

        func values(_ name: String) throws -> [Float] {
            guard let tensor = theirs[name] else {
                throw TrainingError.harness(reason: "the helper left no \(name)")
            }
            return tensor.values
        }
        func difference(_ name: String, _ ours: [Float]) throws -> Difference {
            let plain = try values("\(name).default")
            return Difference(
                ours: largest(ours, plain),
                ways: Dictionary(
                    uniqueKeysWithValues: try ways.map { ($0, largest(try values("\(name).\($0)"), plain)) }),
                perturbed: largest(try values("\(name).perturbed"), plain))
        }
        let plain = Self.gradients(of: "default", in: theirs)
        let worst = worstGradient(gradients, plain)
        return EngineAgreement(
            steps: losses.count, forwardError: relative(before.values, try values("before"), floor: 0),
            gradient: Difference(
                ours: worst.error,
                ways: Dictionary(
                    uniqueKeysWithValues: ways.map {
                        ($0, worstGradient(Self.gradients(of: $0, in: theirs), plain).error)
                    }),
                perturbed: worstGradient(Self.gradients(of: "perturbed", in: theirs), plain).error),
            worstGradient: worst.name,
            loss: try difference("loss", losses.map { Float($0) }), output: try difference("after", after.values))
    }

    private static func gradients(of variant: String, in reference: [String: Tensor]) -> [String: Tensor] {
        let prefix = "gradient.\(variant)."
        return reference.reduce(into: [:]) { found, entry in
            if entry.key.hasPrefix(prefix) { found[String(entry.key.dropFirst(prefix.count))] = entry.value }
        }
    }

    private static func worstGradient(
        _ ours: [String: Tensor], _ theirs: [String: Tensor]
    ) -> (error: Double, name: String?) {
        let floor = 1e-3 * (theirs.values.map { magnitude($0.values) }.max() ?? 0)
        var worst: (error: Double, name: String?) = (theirs.isEmpty ? .infinity : 0, nil)
        for (name, expected) in theirs.sorted(by: { $0.key < $1.key }) {
            let found = ours[name]?.values ?? [Float](repeating: 0, count: expected.count)
            let error = relative(found, expected.values, floor: floor)
            if !(error <= worst.error) { worst = (error, name) }
        }
        return worst
    }

    /// max|a − b|; infinite where the counts differ or a difference is no number.
    private static func largest(_ a: [Float], _ b: [Float]) -> Double {
        guard a.count == b.count else { return .infinity }
        return zip(a, b).reduce(0) { worst, pair in
            let difference = Double(abs(pair.0 - pair.1))
            return difference.isFinite ? max(worst, difference) : .infinity
        }
    }

    private static func magnitude(_ values: [Float]) -> Double { values.reduce(0) { max($0, Double(abs($1))) } }

    private static func relative(_ a: [Float], _ b: [Float], floor: Double) -> Double {
        let (difference, scale) = (largest(a, b), max(magnitude(b), floor))
        return scale > 0 ? difference / scale : (difference == 0 ? 0 : .infinity)
    }
}
