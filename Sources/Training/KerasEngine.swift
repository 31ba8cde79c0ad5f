import Datasets
import Foundation
import Sandbox
import TensorRuntime

/// TensorFlow's side of a comparison: the model's own `main.py` up to its first step, then its model, loss and optimizer on the batches that
/// our runtime sees.
struct KerasEngine: Sendable {
    var helper: HelperProgram
    var limits = SandboxLimits(wallSeconds: 1800, cpuSeconds: 7200, memoryBytes: 16 << 30)

    private struct Job: Encodable {
        var batches: [[Int]]
    }

    /// The losses of the first steps with dropout off: see `SwiftTrainer.firstLosses`.
    ///
    /// - Parameters:
    ///   - code: the files that ran.
    ///   - data: the staged training data.
    ///   - folder: receives the job, logs and what the program writes.
    /// - Throws: `TrainingError`, `SandboxError`.
    func firstLosses(
        _ pipeline: CapturedPipeline, code: URL, data: URL, steps: Int, seed: Int, folder: URL
    ) async throws -> [Double] {
        let record = try await run(
            ["first-losses"], pipeline, code: code, data: data, steps: steps, seed: seed, folder: folder)
        let text = try record.data("steps.json", limit: 16 << 20)
        guard
            let found = try? JSONDecoder().decode(PyTorchEngine.Steps.self, from: EmittedReport.withoutNotANumber(text))
        else { throw TrainingError.pipelineFailed(reason: "it left no losses of its first batches") }
        return found.losses
    }

    /// What TensorFlow makes of the first batches: by its default kernels, by XLA and from perturbed weights in one process, without oneDNN
    /// in a second one. See the helper's mode `agree`.
    ///
    /// - Throws: `TrainingError`, `SandboxError`.
    func reference(
        _ pipeline: CapturedPipeline, code: URL, data: URL, steps: Int, seed: Int, folder: URL
    ) async throws -> [String: Tensor] {
        @Sendable func record(_ kernels: String) async throws -> HelperRecord {
            try await run(
                ["agree", "--kernels", kernels], pipeline, code: code, data: data, steps: steps, seed: seed,
                folder: folder.appending(path: kernels, directoryHint: .isDirectory))
        }
        async let eigen = record("eigen")
        var found: [String: Tensor] = [:]
        for record in [try await record("onednn"), try await eigen] {
            do {
                let tensors = try SafeTensors(
                    data: record.data("agree.safetensors", limit: 8 << 30), name: "agree.safetensors"
                ).tensors()
                found.merge(tensors) { first, _ in first }
            } catch {
                throw TrainingError.harness(reason: "the helper's agree.safetensors cannot be read: \(error)")
            }
        }
        return found
    }

    private func run(
        _ mode: [String], _ pipeline: CapturedPipeline, code: URL, data: URL, steps: Int, seed: Int, folder: URL
    ) async throws -> HelperRecord {
        let job = folder.appending(path: "job", directoryHint: .isDirectory)
        let out = folder.appending(path: "out", directoryHint: .isDirectory)
        try? FileManager.default.removeItem(at: out)
        let batches = Job(batches: pipeline.order(seed: seed).firstBatches(steps))
        try DurableFile.write(JSONEncoder().encode(batches), to: job.appending(path: "job.json"))
        let outcome = try await helper.run(
            mode: mode + ["--job", "/job/job.json", "--capture", "/capture"],
            program: ["main.py", "--data", "/data", "--out", "/out"],
            mounts: [
                .init(host: code, inside: "/code"), .init(host: data, inside: "/data"),
                .init(host: pipeline.folder, inside: "/capture"), .init(host: job, inside: "/job"),
            ], out: out, seed: seed, limits: limits)
        if let failure = outcome.failure {
            let line = HelperProgram.lastLine(of: folder.appending(path: "stderr")) ?? failure
            throw TrainingError.pipelineFailed(reason: "TensorFlow could not train its first batches again: \(line)")
        }
        return HelperRecord(out: out)
    }
}
