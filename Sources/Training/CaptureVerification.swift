import Capture
import Files
import Foundation
import Sandbox
import TensorRuntime

/// Whether graphs that a helper could not compute again give what the pipeline gave: those of TensorFlow, whose environment has nothing
/// that runs the format.
///
/// `reference.safetensors` of a capture holds, for steps `a` and `b`, `image.a`, `mask.a`, `loss.a` (in training, every dropout mask keeping
/// everything, from the captured weights) and `probability.a` (in evaluation, from the captured weights but for the running statistics
/// `weight.NAME`), and `metric.N.a`, what the pipeline's own validation step said of the same batch with the same weights. The bounds are those
/// of the helper for PyTorch.
struct CaptureVerification {
    static let lossBound = 1e-5
    static let probabilityBound = 1e-4

    var pipeline: CapturedPipeline
    var reference: SafeTensors

    /// Whether the capture has a reference. One of PyTorch has none: its helper has computed the graphs beside the pipeline.
    static func isPossible(in folder: URL) -> Bool {
        FileManager.default.fileExists(
            atPath: folder.appending(path: CaptureStage.reference).path(percentEncoded: false))
    }

    /// Nil where the capture has no reference.
    init?(_ pipeline: CapturedPipeline) throws {
        guard Self.isPossible(in: pipeline.folder) else { return nil }
        let file = pipeline.folder.appending(path: CaptureStage.reference)
        self.pipeline = pipeline
        reference = try SafeTensors(contentsOf: file, maximumBytes: SampleTensors.maximumBytes)
    }

    /// One line where a graph gives something else than the pipeline did.
    func objection() throws -> String? {
        for step in ["a", "b"] {
            let session = try GraphSession(
                train: pipeline.train, evaluation: nil, tensors: pipeline.weights, options: RuntimeOptions())
            let (image, mask) = (try reference.tensor("image.\(step)"), try reference.tensor("mask.\(step)"))
            try session.setMasks(pipeline.train.masksThatKeepEverything(batch: image.shape[0]))
            let found = Double(
                try session.step(CapturedPipeline.inputs(of: pipeline.train, images: image, masks: mask)))
            let wanted = Double(try reference.tensor("loss.\(step)").values.first ?? .nan)
            let difference = abs(found - wanted) / max(abs(wanted), 1e-12)
            guard difference <= Self.lossBound else {
                return "the captured step gives another loss than the pipeline (relative difference "
                    + String(format: "%.1e)", difference)
            }
        }
        let later = reference.entries.keys.filter { $0.hasPrefix("weight.") }
        let weights = try later.reduce(into: pipeline.weights) { weights, key in
            weights[String(key.dropFirst("weight.".count))] = try reference.tensor(key)
        }
        let session = try GraphSession(
            train: pipeline.train, evaluation: pipeline.evaluation, tensors: weights, options: RuntimeOptions())
        for step in ["a", "b"] {
            let image = try reference.tensor("image.\(step)")
            let found = try session.predict(
                CapturedPipeline.inputs(of: pipeline.evaluation, images: image, masks: nil))
            let wanted = try reference.tensor("probability.\(step)").values
            let difference = zip(found.values, wanted).map { abs($0 - $1) }.max() ?? .infinity
            guard found.values.count == wanted.count, Double(difference) <= Self.probabilityBound else {
                return "the captured prediction differs from the pipeline's by " + String(format: "%.1e", difference)
            }
            for (index, graph) in pipeline.metrics.enumerated() {
                let measured = graph.evaluatedLoss
                let compiled = try CompiledGraph(
                    graph: measured, batch: image.shape[0], parameters: session.parameters, options: RuntimeOptions())
                let mask = try reference.tensor("mask.\(step)")
                let inputs = try CapturedPipeline.inputs(of: measured, images: image, masks: mask)
                let found = Double(try compiled.evaluate(inputs).values.first ?? .nan)
                let wanted = Double(try reference.tensor("metric.\(index + 1).\(step)").values.first ?? .nan)
                let difference = abs(found - wanted)
                guard difference <= Self.probabilityBound else {
                    let name = printable(String(pipeline.loop.metrics?[index].name.prefix(100) ?? ""))
                    return "the captured metric \(name) differs from the pipeline's by "
                        + String(format: "%.1e", difference)
                }
            }
        }
        return nil
    }
}
