import Foundation
import TensorRuntime
import Testing

@Suite struct ResidualUNetTests {
    /// A network, a batch of three channels and PyTorch's values for them. PyTorch has the network from its description, not from
    /// the graph.
    private struct Case {
        /// Three channels to four: the first block's input needs a shortcut, too.
        static let unet = UNetGraph(baseChannels: 4, depth: 2, size: 16, inputChannels: 3, residualEncoder: true)
        var start: [String: Tensor]
        var image, mask: Tensor
        var expected: [String: Tensor] = [:]

        init(seed: UInt64) throws {
            start = Self.unet.initialTensors(seed: seed)
            let batch = try syntheticBatch(3, size: 16, seed: seed)
            let grey = try #require(batch["image"])
            var values: [Float] = []
            for sample in 0..<3 {
                for channel in 1...3 {
                    for pixel in 0..<256 { values.append(grey.values[sample * 256 + pixel] * Float(channel) - 0.3) }
                }
            }
            image = try Tensor(shape: [3, 3, 16, 16], values: values)
            mask = try #require(batch["mask"])
            try PythonReference.withFolder { folder in
                let all = start.merging(["image": image, "mask": mask]) { $1 }
                try SafeTensors.write(all, to: folder.appending(path: "start.safetensors"))
                try PythonReference.run("residual_unet_reference.py", [folder.path])
                expected = try SafeTensors(contentsOf: folder.appending(path: "reference.safetensors")).tensors()
            }
        }

        /// How near a ReLU or a pooling window is to where the gradient jumps.
        var kink: Float { expected["kink"]?.values.first ?? 0 }
    }

    /// Values of order one differ by some 3e-7 between two correct programs. Of 20,000 inputs of ReLUs one lies nearer to zero than
    /// that in one draw of two hundred; its gradient then passes in one program and not in the other, and every gradient before it
    /// differs by percents. Such draws, and those within a safe distance, are drawn again.
    @Test("A U-Net with residual blocks gives PyTorch's loss, gradients and probabilities")
    func agreesWithPyTorch() throws {
        let seed = UInt64(PythonReference.seed("residual U-Net"))
        var drawn = try Case(seed: seed)
        for attempt in 1...8 where drawn.kink < 5e-6 { drawn = try Case(seed: seed + 1_000_000 * UInt64(attempt)) }
        #expect(drawn.kink >= 5e-6, "nine draws in a row beside a kink")
        let session = try GraphSession(
            train: Case.unet.train, evaluation: Case.unet.evaluation, tensors: drawn.start,
            options: RuntimeOptions(threads: 2))
        try compare(session.predict(["image": drawn.image]), drawn.expected["probability"], "probability")
        let loss = try session.step(["image": drawn.image, "mask": drawn.mask])
        #expect(abs(loss - (drawn.expected["loss"]?.values.first ?? .nan)) < 1e-5)
        for name in session.parameters.parameterNames {
            let gradient = try session.parameters.gradient(name)
            try compare(#require(gradient), drawn.expected["gradient.\(name)"], name)
        }
        #expect(session.parameters.parameterNames.count == drawn.expected.count - 3)
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
