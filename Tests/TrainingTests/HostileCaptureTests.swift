import Foundation
import TensorRuntime
import Testing

@testable import Training

@Suite("Captures that cannot be trusted")
struct HostileCaptureTests {
    private func error(_ damage: (SyntheticCapture) throws -> Void) throws -> TrainingError? {
        let folder = try TemporaryFolder()
        let capture = SyntheticCapture(in: folder.url)
        try capture.write()
        try damage(capture)
        do {
            _ = try SwiftTrainer(
                CapturedPipeline(folder: folder.url), options: .test(epochs: 1), folder: folder.url.appending(path: "t")
            ).train()
            return nil
        } catch let error as TrainingError {
            return error
        }
    }

    private func edit(_ name: String, _ change: @escaping (inout [String: Any]) -> Void) -> (SyntheticCapture) throws ->
        Void
    {
        { capture in
            let url = capture.folder.appending(path: name)
            var object = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any] ?? [:]
            change(&object)
            try JSONSerialization.data(withJSONObject: object).write(to: url)
        }
    }

    private func expect(_ words: String, _ damage: (SyntheticCapture) throws -> Void) throws {
        let error = try #require(try error(damage))
        #expect("\(error)".contains(words), "\(error)")
    }

    @Test("without a capture the sentence names the command")
    func missing() throws {
        let error = try #require(
            try error { try FileManager.default.removeItem(at: $0.folder.appending(path: "pipeline.json")) })
        #expect(error == .missing(what: "the capture of this run", command: "llmbench capture RUN"))
    }

    @Test(
        "a file that is a link is not followed",
        arguments: ["pipeline.json", "train-graph.json", "weights.safetensors", "data/train.safetensors"])
    func links(name: String) throws {
        try expect(name) { capture in
            let url = capture.folder.appending(path: name)
            let elsewhere = capture.folder.appending(path: "elsewhere")
            try FileManager.default.moveItem(at: url, to: elsewhere)
            try FileManager.default.createSymbolicLink(at: url, withDestinationURL: elsewhere)
        }
    }

    @Test("a pipeline.json that is none", arguments: ["", "[]", "{}", #"{"schema": 7}"#, "\u{0}"])
    func description(text: String) throws {
        try expect("pipeline.json") {
            try Data(text.utf8).write(to: $0.folder.appending(path: "pipeline.json"))
        }
    }

    @Test("refusals come back as they are, with the engine that helps")
    func refused() throws {
        try expect(
            "it computes its mask with scipy",
            edit("pipeline.json") {
                $0["refusals"] = ["it computes its mask with scipy"]
                $0["capturable"] = false
            })
        try expect("--engine emitted", edit("pipeline.json") { $0["stochastic_data"] = true })
        try expect("mixed precision", edit("pipeline.json") { $0["mixed_precision"] = true })
    }

    @Test("numbers outside of reason are refused", arguments: ["batch_size", "epochs", "accumulation"])
    func numbers(field: String) throws {
        try expect(field, edit("pipeline.json") { $0[field] = -1 })
        try expect(field, edit("pipeline.json") { $0[field] = 1 << 40 })
    }

    @Test("an optimizer or scheduler that the runtime lacks is named")
    func lacking() throws {
        try expect(
            "Lion",
            edit("pipeline.json") { $0["optimizer"] = ["name": "Lion", "groups": [["parameters": [String]()]]] })
        try expect("Strange", edit("pipeline.json") { $0["scheduler"] = ["name": "Strange", "when": "epoch"] })
        try expect(
            "scheduler steps", edit("pipeline.json") { $0["scheduler"] = ["name": "StepLR", "when": "tomorrow"] })
        try expect("'agc'", edit("pipeline.json") { $0["gradient_clip"] = ["kind": "agc", "max": 1] })
        try expect("does not explain", edit("pipeline.json") { $0["evaluated_weights"] = ["kind": "ensemble"] })
    }

    @Test("an operation that the runtime lacks is named")
    func operation() throws {
        try expect(
            "run_shell",
            edit("train-graph.json") {
                var nodes = $0["nodes"] as? [[String: Any]] ?? []
                nodes[0]["op"] = "run_shell"
                $0["nodes"] = nodes
            })
    }

    @Test("weights that lack a parameter, or lie about it")
    func weights() throws {
        try expect("weights.safetensors cannot be used: no tensor was given for final.weight") { capture in
            var tensors = SyntheticCapture.unet.initialTensors(seed: 1)
            tensors["final.weight"] = nil
            try SafeTensors.write(tensors, to: capture.folder.appending(path: "weights.safetensors"))
        }
        try expect("final.weight") { capture in
            var tensors = SyntheticCapture.unet.initialTensors(seed: 1)
            tensors["final.weight"] = try Tensor(shape: [1], values: [1])
            try SafeTensors.write(tensors, to: capture.folder.appending(path: "weights.safetensors"))
        }
        try expect("weights.safetensors") {
            try Data(repeating: 255, count: 64).write(to: $0.folder.appending(path: "weights.safetensors"))
        }
    }

    @Test("images of another size than the graph's")
    func sizes() throws {
        let error = try error { capture in
            try SafeTensors.write(
                [
                    "images": Tensor(shape: [2, 1, 8, 8], repeating: 0),
                    "masks": Tensor(shape: [2, 1, 8, 8], repeating: 0),
                ],
                metadata: ["ids": #"["a","b"]"#], to: capture.folder.appending(path: "data/train.safetensors"))
        }
        #expect(error != nil)
    }
}
