import Foundation
import TensorRuntime
import Testing

@Suite
struct SessionTests {
    private let unet = UNetGraph(baseChannels: 4, depth: 1, size: 8)

    /// The U-Net's train graph with dropout before the last convolution.
    private func withDropout() -> Graph {
        var graph = unet.train
        let last = graph.nodes.count - 2
        let (source, id) = (graph.nodes[last].inputs[0] ?? -1, graph.values.count)
        graph.values.append(Graph.Value(id: id, shape: graph.values[source].shape))
        graph.nodes[last].inputs[0] = id
        graph.nodes.insert(
            Graph.Node(op: "dropout", inputs: [source], outputs: [id], attributes: ["p": 0.5]), at: last)
        return graph
    }

    private func train(_ session: GraphSession, _ optimizer: Optimizer, _ steps: Range<Int>) throws -> [Float] {
        try steps.map { step in
            // The last batch is smaller, as at the end of an epoch.
            let loss = try session.step(try syntheticBatch(step % 3 == 2 ? 1 : 3, size: 8, seed: UInt64(step)))
            try optimizer.step(session.parameters)
            return loss
        }
    }

    private func setUp(threads: Int = 2, seed: UInt64 = 5) throws -> (GraphSession, Optimizer) {
        let session = try GraphSession(
            train: withDropout(), evaluation: unet.evaluation, tensors: unet.initialTensors(seed: 1),
            options: RuntimeOptions(threads: threads, seed: seed))
        return (session, try Optimizer(.adamW(.init(amsgrad: true)), parameters: session.parameters, threads: threads))
    }

    @Test("The same seed and thread count give the same bits; another seed gives other dropout masks")
    func deterministic() throws {
        let losses = try [5, 5, 6].map { (seed: UInt64) in
            let (session, optimizer) = try setUp(seed: seed)
            return try train(session, optimizer, 0..<5)
        }
        #expect(losses[0] == losses[1])
        #expect(losses[0] != losses[2])
    }

    @Test("A run resumed from its checkpoint file continues to the same bits")
    func resume() throws {
        let (whole, wholeOptimizer) = try setUp()
        let expected = try train(whole, wholeOptimizer, 0..<8)
        try PythonReference.withFolder { folder in
            let url = folder.appending(path: "checkpoint.safetensors")
            let (first, firstOptimizer) = try setUp()
            let before = try train(first, firstOptimizer, 0..<4)
            let state = try first.parameters.state().merging(firstOptimizer.stateTensors(first.parameters)) { a, _ in a
            }
            var metadata = firstOptimizer.metadata()
            metadata["step"] = String(first.randomState.step)
            try SafeTensors.write(state, metadata: metadata, to: url)

            let (second, secondOptimizer) = try setUp()
            let file = try SafeTensors(contentsOf: url)
            let tensors = try file.tensors()
            try second.parameters.restore(tensors)
            try secondOptimizer.restore(tensors, metadata: file.metadata, second.parameters)
            second.randomState = RandomState(seed: 5, step: try #require(UInt64(file.metadata["step"] ?? "")))
            #expect(try before + train(second, secondOptimizer, 4..<8) == expected)
            #expect(try second.parameters.state() == whole.parameters.state())
        }
    }

    @Test("A checkpoint that lacks something is refused and changes nothing")
    func brokenCheckpoint() throws {
        let (session, optimizer) = try setUp()
        let before = try session.parameters.state()
        var state = before
        state["final.bias"] = nil
        #expect(throws: RuntimeError.missingTensor("final.bias")) { try session.parameters.restore(state) }
        state["final.bias"] = try Tensor(shape: [2], repeating: 0)
        #expect(throws: RuntimeError.self) { try session.parameters.restore(state) }
        #expect(try session.parameters.state() == before)
        #expect(throws: RuntimeError.self) { try optimizer.restore([:], metadata: [:], session.parameters) }
        _ = try train(session, optimizer, 0..<1)
        #expect(throws: RuntimeError.self) {
            try optimizer.restore([:], metadata: optimizer.metadata(), session.parameters)
        }
    }

    @Test("Recorded masks replace the random ones")
    func recordedMasks() throws {
        let (session, _) = try setUp()
        let graph = withDropout()
        let id = try #require(graph.nodes.first { $0.op == "dropout" }?.outputs.first)
        let batch = try syntheticBatch(2, size: 8, seed: 3)
        let ones = try Tensor(shape: [2, 4, 8, 8], repeating: 1)
        try session.setMasks([id: ones])
        let first = try session.loss(batch)
        #expect(try session.loss(batch) == first)
        let zeros = try Tensor(shape: [2, 4, 8, 8], repeating: 0)
        try session.setMasks([id: zeros])
        // Without features the logits are the bias, which is zero at first: the loss is log 2.
        #expect(abs(try session.loss(batch) - Float(log(2.0))) < 1e-6)
        #expect(throws: RuntimeError.self) { try session.setMasks([-1: ones]) }
    }

    @Test("Running statistics move after a step, and evaluation uses them")
    func runningStatistics() throws {
        let (session, _) = try setUp()
        let image = try syntheticBatch(3, size: 8, seed: 1)
        let before = try session.predict(["image": image["image"] ?? Tensor(shape: [], repeating: 0)])
        _ = try session.loss(image)
        #expect(try session.parameters.tensor("enc1.1.running_mean").values == [0, 0, 0, 0])
        _ = try session.step(image)
        #expect(try session.parameters.tensor("enc1.1.running_mean").values != [0, 0, 0, 0])
        let after = try session.predict(["image": image["image"] ?? Tensor(shape: [], repeating: 0)])
        #expect(before.shape == [3, 1, 8, 8])
        #expect(after.values != before.values)
        #expect(after.values.allSatisfy { (0...1).contains($0) })
    }

    @Test("Accumulated gradients are the sum of those of the parts")
    func accumulation() throws {
        let (first, second) = (try syntheticBatch(2, size: 8, seed: 1), try syntheticBatch(2, size: 8, seed: 2))
        let session = try GraphSession(train: unet.train, evaluation: nil, tensors: unet.initialTensors(seed: 1))
        _ = try session.step(first)
        let a = try #require(try session.parameters.gradient("final.weight")).values
        _ = try session.step(second)
        let b = try #require(try session.parameters.gradient("final.weight")).values
        _ = try session.step(first)
        _ = try session.step(second, accumulating: true)
        let sum = try #require(try session.parameters.gradient("final.weight")).values
        #expect(relativeError(sum, zip(a, b).map { $0 + $1 }) < 1e-6)
    }

    @Test("A loss that is not finite stops training and names the layer where it began")
    func notFinite() throws {
        let (session, _) = try setUp()
        var weights = try session.parameters.tensor("dec1.0.weight")
        weights.values[3] = .infinity
        try session.parameters.set("dec1.0.weight", to: weights)
        let statistics = try session.parameters.tensor("enc1.1.running_mean")
        #expect {
            try session.step(try syntheticBatch(2, size: 8, seed: 1))
        } throws: {
            guard case RuntimeError.notFinite(let what, let location) = $0 else { return false }
            return what == "the loss" && location.contains("dec1.")
        }
        #expect(try session.parameters.tensor("enc1.1.running_mean") == statistics)
    }

    @Test("Values that are not finite spread no less than in the definition")
    func spreading() throws {
        for convolution in RuntimeOptions.Convolution.allCases {
            let session = try GraphSession(
                train: nil, evaluation: unet.evaluation, tensors: unet.initialTensors(seed: 1),
                options: RuntimeOptions(convolution: convolution))
            var image = try #require(try syntheticBatch(1, size: 8, seed: 1)["image"])
            image.values[27] = .nan
            #expect(try session.predict(["image": image]).values[27].isNaN)
        }
    }

    @Test("Inputs that are missing or of another shape are errors that name them")
    func wrongInputs() throws {
        let (session, _) = try setUp()
        var batch = try syntheticBatch(2, size: 8, seed: 1)
        batch["mask"] = try Tensor(shape: [3, 1, 8, 8], repeating: 0)
        #expect(throws: RuntimeError.tensorMismatch(name: "mask", expected: [2, 1, 8, 8], got: [3, 1, 8, 8])) {
            try session.step(batch)
        }
        batch["mask"] = nil
        #expect(throws: RuntimeError.missingTensor("the input mask")) { try session.step(batch) }
        #expect(throws: RuntimeError.self) {
            try GraphSession(train: unet.train, evaluation: nil, tensors: [:])
        }
        #expect(throws: RuntimeError.self) {
            try GraphSession(train: unet.evaluation, evaluation: nil, tensors: unet.initialTensors(seed: 1))
        }
    }

    @Test("Optimizers and schedulers that cannot be carried out are refused")
    func refusals() throws {
        let (session, optimizer) = try setUp()
        #expect(throws: RuntimeError.self) {
            try Scheduler(name: "LambdaLR", settings: [:], optimizer: optimizer)
        }
        #expect(throws: RuntimeError.self) { try Scheduler(name: "Cyclic", settings: [:], optimizer: optimizer) }
        #expect(throws: RuntimeError.self) { try Scheduler(.step(size: 0), optimizer: optimizer) }
        #expect(throws: RuntimeError.self) { try OptimizerRule(name: "LBFGS", settings: [:]) }
        #expect(throws: RuntimeError.self) { try OptimizerRule(name: "Adam", settings: ["lr": "fast"]) }
        #expect(throws: RuntimeError.self) { try OptimizerRule(name: "SGD", settings: ["rho": 1]) }
        #expect(throws: RuntimeError.self) {
            try Optimizer(.sgd(.init(nesterov: true)), parameters: session.parameters)
        }
        #expect(throws: RuntimeError.self) {
            try Optimizer(groups: [.init(rule: .adam(), parameters: ["nothing"])], parameters: session.parameters)
        }
        #expect(throws: RuntimeError.self) { try GradientClipping.value(maximum: 0).apply(to: session.parameters) }
    }

    @Test("Gradients agree with finite differences", arguments: ["enc1.0.weight", "up1.weight", "dec1.1.bias"])
    func finiteDifferences(name: String) throws {
        let session = try GraphSession(
            train: unet.train, evaluation: nil, tensors: unet.initialTensors(seed: 3),
            options: RuntimeOptions(convolution: .direct))
        let batch = try syntheticBatch(2, size: 8, seed: 4)
        _ = try session.step(batch)
        let gradient = try #require(try session.parameters.gradient(name)).values
        let start = try session.parameters.tensor(name)
        // Along the gradient itself, where the change of the loss stands out from rounding.
        let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        let distance = 4e-3
        func loss(_ sign: Double) throws -> Double {
            var moved = start
            for index in moved.values.indices {
                moved.values[index] += Float(sign * distance * Double(gradient[index]) / norm)
            }
            try session.parameters.set(name, to: moved)
            return Double(try session.loss(batch))
        }
        let slope = (try loss(1) - loss(-1)) / (2 * distance)
        #expect(abs(slope / norm - 1) < 0.02, "\(slope) against \(norm)")
    }
}

@Suite
struct DropoutTests {
    @Test("Dropout keeps elements with probability 1 - p, scales them, and draws anew each step")
    func dropout() throws {
        let json = """
            {"schema":1,"kind":"train","batch":1,"values":[{"id":0,"shape":[{"batch":1},1000],"dtype":"float32"},
            {"id":1,"shape":[{"batch":1},1000],"dtype":"float32"},{"id":2,"shape":[],"dtype":"float32"}],
            "inputs":[{"value":0,"name":"x"}],"parameters":[],"nodes":[
            {"op":"dropout","inputs":[0],"outputs":[1],"attributes":{"p":0.2}},
            {"op":"mean","inputs":[1],"outputs":[2],"attributes":{"axes":[],"keepdim":false}}],"outputs":{"loss":2}}
            """
        let session = try GraphSession(train: Graph(json: Data(json.utf8)), evaluation: nil, tensors: [:])
        let x = try Tensor(shape: [10, 1000], repeating: 1)
        let means = try (0..<20).map { _ in try session.step(["x": x]) }
        // The mean of 10 000 kept-and-scaled ones has a standard deviation of 0.005.
        #expect(means.allSatisfy { abs($0 - 1) < 0.03 })
        #expect(Set(means).count > 15)
        #expect(abs(means.reduce(0, +) / 20 - 1) < 0.006)
        // The same step of the same seed draws the same mask.
        session.randomState = RandomState(seed: session.randomState.seed, step: 3)
        #expect(try session.step(["x": x]) == means[3])
    }
}
