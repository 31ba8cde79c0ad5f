import Foundation
import ResultStore
import Sandbox
import TensorRuntime
import Testing

@testable import Training

/// What a program in Swift left for the harness, which anything may have written.
@Suite("The leavings of a program in Swift")
struct SwiftProgramTests {
    private let outcome = SandboxOutcome(
        termination: .exited(0), wallSeconds: 7, cpuSeconds: 9, peakMemoryBytes: 1 << 20)
    private let facts = ["ids": #"["a", "b"]"#, "threshold": "0.4", "batch_size": "2", "prediction_seconds": "0.5"]

    private func probabilities(_ value: Float = 0.25, shape: [Int] = [2, 1, 4, 4]) throws -> Tensor {
        try Tensor(shape: shape, repeating: value)
    }

    /// Reads a record of these predictions.
    private func result(
        _ predictions: Tensor?, facts: [String: String], in folder: TemporaryFolder
    ) throws -> EmittedEngine.Result {
        let out = folder.url.appending(path: "out")
        let record = out.appending(path: ".llmbench")
        try FileManager.default.createDirectory(at: record, withIntermediateDirectories: true)
        try SafeTensors.encode(
            ["images": try Tensor(shape: [2, 1, 4, 4], repeating: 1)], metadata: ["ids": #"["a", "b"]"#]
        )
        .write(to: record.appending(path: "heldout.safetensors"))
        if let predictions {
            try SafeTensors.encode(["probability": predictions], metadata: facts)
                .write(to: record.appending(path: "predictions.safetensors"))
        }
        return try SwiftProgramEngine.result(in: out, folder: folder.url, outcome)
    }

    @Test("are its predictions, and how it decides")
    func whole() throws {
        let folder = try TemporaryFolder()
        let result = try result(try probabilities(), facts: facts, in: folder)
        #expect(result.predictions.ids == ["a", "b"] && result.inferenceSeconds == 0.5 && result.seconds == 7)
        let rule = try HeldOutRule(contentsOf: folder.url.appending(path: HeldOutRule.file))
        #expect(rule.threshold == Double(Float(0.4)) && rule.batchSize == 2)
        #expect(!rule.decision.admits(0.4) && rule.decision.admits(0.41))
        let images = try SampleTensors(contentsOf: folder.url.appending(path: HeldOutRule.file))
        #expect(images.ids == ["a", "b"] && images.masks == nil)
    }

    @Test("without predictions, with others' shapes or with values that are none, are the program's failure")
    func refusals() throws {
        func failure(_ predictions: Tensor?, _ facts: [String: String]) -> String {
            do {
                _ = try result(predictions, facts: facts, in: TemporaryFolder())
                return "nothing was refused"
            } catch let error as TrainingError where error.isPipelinesFault {
                return "\(error)"
            } catch {
                return "another error: \(error)"
            }
        }
        #expect(failure(nil, facts).contains("it did not hand over its prediction of the held-out images"))
        #expect(failure(try? probabilities(shape: [3, 1, 4, 4]), facts).contains("predictions of shape [3, 1, 4, 4]"))
        #expect(failure(try? probabilities(2), facts).contains("a predicted probability is 2.0"))
        for (key, value) in [("threshold", "1.5"), ("threshold", "nan"), ("batch_size", "0"), ("batch_size", "many")] {
            let changed = facts.merging([key: value]) { _, new in new }
            #expect(
                failure(try? probabilities(), changed).contains("at which probability foreground begins"),
                "\(key) \(value)")
        }
        #expect(
            failure(try? probabilities(), facts.merging(["ids": "[1]"]) { _, new in new })
                .contains("it did not hand over its prediction"))
        // More than one float a pixel of what it was shown is not read.
        #expect(failure(try? probabilities(shape: [2, 1, 1024, 1024]), facts).contains("predictions.safetensors"))
    }

    @Test("a time that cannot be is left out")
    func time() throws {
        let rule = try HeldOutRule(metadata: facts.merging(["prediction_seconds": "-inf"]) { _, new in new })
        #expect(rule.seconds == nil)
    }
}
