import Foundation
import TensorRuntime
import Testing

@Suite struct ResidualUNetTests {
    /// PyTorch has the network from its description, not from the graph.
    @Test("A U-Net with residual blocks gives PyTorch's loss, gradients and probabilities")
    func agreesWithPyTorch() throws {
        let seed = UInt64(PythonReference.seed("residual U-Net"))
        // Three channels to four: the first block's input needs a shortcut, too.
        let unet = UNetGraph(baseChannels: 4, depth: 2, size: 16, inputChannels: 3, residualEncoder: true)
        var start = unet.initialTensors(seed: seed)
        let batch = try syntheticBatch(3, size: 16, seed: seed)
        let image = try #require(batch["image"])
        var values: [Float] = []
        for sample in 0..<3 {
            for channel in 1...3 {
                for pixel in 0..<256 { values.append(image.values[sample * 256 + pixel] * Float(channel) - 0.3) }
            }
        }
        let colour = try Tensor(shape: [3, 3, 16, 16], values: values)
        start["image"] = colour
        start["mask"] = batch["mask"]
        try PythonReference.withFolder { folder in
            try SafeTensors.write(start, to: folder.appending(path: "start.safetensors"))
            try PythonReference.run("residual_unet_reference.py", [folder.path])
            let expected = try SafeTensors(contentsOf: folder.appending(path: "reference.safetensors")).tensors()
            let session = try GraphSession(
                train: unet.train, evaluation: unet.evaluation, tensors: start, options: RuntimeOptions(threads: 2))
            try compare(session.predict(["image": colour]), expected["probability"], "probability")
            let mask = try #require(batch["mask"])
            let loss = try session.step(["image": colour, "mask": mask])
            #expect(abs(loss - (expected["loss"]?.values.first ?? .nan)) < 1e-5)
            for name in session.parameters.parameterNames {
                let gradient = try session.parameters.gradient(name)
                try compare(#require(gradient), expected["gradient.\(name)"], name)
            }
            #expect(session.parameters.parameterNames.count == expected.count - 2)
        }
    }

    private func compare(_ ours: Tensor, _ theirs: Tensor?, _ name: String) throws {
        let theirs = try #require(theirs, "\(name)")
        #expect(ours.shape == theirs.shape, "\(name)")
        let largest = theirs.values.map(abs).max() ?? 0
        let difference = zip(ours.values, theirs.values).map { abs($0 - $1) }.max() ?? .infinity
        #expect(difference <= 1e-3 * largest + 1e-6, "\(name): \(difference) of \(largest)")
    }

    @Test("What a residual encoder adds are the shortcuts, and nothing else changes")
    func shortcuts() {
        let plain = UNetGraph(baseChannels: 8, depth: 3, size: 32)
        var residual = plain
        residual.residualEncoder = true
        let added = Set(residual.train.parameters.map(\.name)).subtracting(plain.train.parameters.map(\.name))
        #expect(added.count == 4 * 3 && added.allSatisfy { $0.contains(".shortcut.") })
        #expect(plain.train.nodes.allSatisfy { $0.op != "add" })
        #expect(residual.train.nodes.count { $0.op == "add" } == 4)
    }
}
