import Foundation
import TensorRuntime
import Testing

@Suite(.serialized)
struct GradientTests {
    @Test("Clipping by norm (any p, infinity included) and by value equals torch.nn.utils'")
    func clipping() throws {
        var random = KernelRandom(seed: UInt64(PythonReference.seed("clipping")))
        var (plan, data) = (OptimizerReference.Plan(), [String: Tensor]())
        let types: [Double] = [1, 2, 3, 0.5, 1.7, .infinity]
        for number in 0..<60 {
            let names = (0..<random.int(1...4)).map { "\(number).\($0)" }
            let scale = random.pick([1e-6, 0.01, 1, 300] as [Float])
            for name in names { data[name] = try random.tensor(random.shape(), scale: scale) }
            let type = types[number % types.count]
            plan.clips.append(
                .init(
                    kind: number % 4 == 3 ? "value" : "norm", max: random.double(0.001...2),
                    normType: type == .infinity ? "inf" : .number(type), tensors: names))
        }
        let (answer, expected) = try OptimizerReference.run(plan, data: data)
        var worst = 0.0
        for (number, clip) in plan.clips.enumerated() {
            let store = try ParameterStore(
                parameters: Dictionary(
                    uniqueKeysWithValues: clip.tensors.map {
                        ($0, try Tensor(shape: data[$0]?.shape ?? [], repeating: 0))
                    }))
            for name in clip.tensors { try store.setGradient(name, to: data[name]) }
            let rule: GradientClipping =
                clip.kind == "value"
                ? .value(maximum: clip.max) : .norm(maximum: clip.max, type: types[number % types.count])
            let norm = try rule.apply(to: store)
            if let wanted = answer.norms[number] {
                #expect(abs(try #require(norm) / wanted - 1) < 1e-5, "case \(number)")
            } else {
                #expect(norm == nil)
            }
            for name in clip.tensors {
                let wanted = try #require(expected["clip/\(number)/\(name)"])
                let error = relativeError(try #require(try store.gradient(name)).values, wanted.values)
                #expect(error < 1e-5, "case \(number): \(clip.kind) \(clip.max), \(name)")
                worst = max(worst, error)
            }
        }
        print("clipping: largest relative error \(worst)")
    }

    @Test("A batch whose gradient is not finite leaves the gradients that were accumulated before it")
    func poisonedBatch() throws {
        // The loss √(Σ w x²) is 0 for an image of zeros, its gradient 0 · ∞.
        let graph = Graph(
            kind: .train, batch: 1,
            values: [
                .init(id: 0, shape: [.batch(1), .fixed(4)]), .init(id: 1, shape: [.fixed(4)]),
                .init(id: 2, shape: [.batch(1), .fixed(4)]), .init(id: 3, shape: []), .init(id: 4, shape: []),
            ],
            inputs: [.init(value: 0, name: "image")], parameters: [.init(value: 1, name: "w")],
            nodes: [
                .init(op: "mul", inputs: [0, 1], outputs: [2]),
                .init(op: "sum", inputs: [2], outputs: [3], attributes: ["axes": [], "keepdim": false]),
                .init(op: "sqrt", inputs: [3], outputs: [4]),
            ], outputs: GraphOutputs(loss: 4))
        let session = try GraphSession(
            train: graph, evaluation: nil, tensors: ["w": Tensor(shape: [4], repeating: 1)],
            options: RuntimeOptions(threads: 1))
        var accumulation = try GradientAccumulation(batches: 2, reduction: .sum)
        let good = ["image": try Tensor(shape: [1, 4], repeating: 1)]
        _ = try accumulation.add(good, to: session)
        let before = try #require(try session.parameters.gradient("w"))
        #expect(throws: RuntimeError.self) {
            try accumulation.add(["image": Tensor(shape: [1, 4], repeating: 0)], to: session)
        }
        #expect(try session.parameters.gradient("w") == before)
        #expect(accumulation.count == 1)
        _ = try accumulation.add(good, to: session)
        #expect(try session.parameters.gradient("w")?.values == before.values.map { 2 * $0 })
    }

    @Test("Clipping gives the same bits for every number of threads, and leaves what is within the bound")
    func threads() throws {
        let values = (0..<100_003).map { Float(sin(Double($0) * 0.37)) }
        func clipped(_ rule: GradientClipping, threads: Int) throws -> (norm: Double?, values: [Float]) {
            let graph = Graph(
                kind: .train, batch: 1,
                values: [
                    .init(id: 0, shape: [.batch(1), .fixed(values.count)]), .init(id: 1, shape: [.fixed(values.count)]),
                    .init(id: 2, shape: [.batch(1), .fixed(values.count)]), .init(id: 3, shape: []),
                ],
                inputs: [.init(value: 0, name: "image")], parameters: [.init(value: 1, name: "w")],
                nodes: [
                    .init(op: "mul", inputs: [0, 1], outputs: [2]),
                    .init(op: "sum", inputs: [2], outputs: [3], attributes: ["axes": [], "keepdim": false]),
                ], outputs: GraphOutputs(loss: 3))
            // A session's parameters are clipped on its threads.
            let session = try GraphSession(
                train: graph, evaluation: nil, tensors: ["w": Tensor(shape: [values.count], repeating: 0)],
                options: RuntimeOptions(threads: threads))
            let store = session.parameters
            try store.setGradient("w", to: Tensor(shape: [values.count], values: values))
            return (try rule.apply(to: store), try #require(try store.gradient("w")).values)
        }
        let norm = values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        for rule: GradientClipping in [
            .norm(maximum: 3), .norm(maximum: 3, type: .infinity), .norm(maximum: 3, type: 1.5), .value(maximum: 0.5),
        ] {
            let one = try clipped(rule, threads: 1)
            for threads in [2, 3] {
                let several = try clipped(rule, threads: threads)
                #expect(several.norm == one.norm && several.values == one.values, "\(rule), \(threads) threads")
            }
        }
        let loose = try clipped(.norm(maximum: 2 * norm), threads: 2)
        #expect(loose.values == values && abs((loose.norm ?? 0) / norm - 1) < 1e-12)
    }

    /// python -c "import torch; a, b = torch.zeros(2), torch.zeros(1); a.grad, b.grad = torch.tensor([1, float('nan')]), torch.ones(1);
    /// print(torch.nn.utils.clip_grad_norm_([a, b], 1, TYPE), a.grad, b.grad)": not a number throughout, for TYPE 2, 3 and 'inf'.
    @Test("A gradient that is no number leaves no number, as in PyTorch", arguments: [2, 3, Double.infinity])
    func notANumber(_ type: Double) throws {
        for place in 0..<2 {
            var values: [Float] = [1, 1]
            values[place] = .nan
            let parameters = try ["a": Tensor(shape: [2], values: [0, 0]), "b": Tensor(shape: [1], values: [0])]
            let store = try ParameterStore(parameters: parameters)
            try store.setGradient("a", to: Tensor(shape: [2], values: values))
            try store.setGradient("b", to: Tensor(shape: [1], values: [1]))
            let norm = try #require(try GradientClipping.norm(maximum: 1, type: type).apply(to: store))
            #expect(norm.isNaN)
            for name in ["a", "b"] {
                let gradient = try #require(try store.gradient(name))
                #expect(gradient.values.filter { !$0.isNaN }.isEmpty, "\(name)")
            }
        }
    }

    @Test("Bounds and norms that mean nothing are refused")
    func refused() throws {
        let store = try ParameterStore(parameters: ["w": Tensor(shape: [1], repeating: 1)])
        for rule: GradientClipping in [
            .value(maximum: 0), .value(maximum: .nan), .norm(maximum: 0), .norm(maximum: 1, type: 0),
            .norm(maximum: 1, type: -2),
        ] {
            #expect(throws: RuntimeError.self) { try rule.apply(to: store) }
        }
        #expect(throws: RuntimeError.self) { try GradientAccumulation(batches: 0) }
    }

    private let unet = UNetGraph(baseChannels: 4, depth: 1, size: 8)

    @Test("Accumulated batches train as their losses divided by the number would; what is left is one more step")
    func accumulation() throws {
        let batches = try (0..<5).map { try syntheticBatch(2, size: 8, seed: UInt64($0)) }
        let session = try GraphSession(train: unet.train, evaluation: nil, tensors: unet.initialTensors(seed: 1))
        let name = "final.weight"
        let single = try batches.map { batch in
            _ = try session.step(batch)
            return try #require(try session.parameters.gradient(name)).values
        }
        func sum(_ range: Range<Int>) -> [Float] {
            single[0].indices.map { index in range.reduce(0) { $0 + single[$1][index] } }
        }
        for (reduction, factor) in [(GradientAccumulation.Reduction.sum, Float(1)), (.mean, 0.5)] {
            var accumulation = try GradientAccumulation(batches: 2, reduction: reduction)
            var seen: [[Float]] = []
            for batch in batches {
                _ = try accumulation.add(batch, to: session)
                if accumulation.isComplete { seen.append(try #require(try session.parameters.gradient(name)).values) }
            }
            let hasRest = accumulation.finish(session)
            #expect(hasRest)
            seen.append(try #require(try session.parameters.gradient(name)).values)
            let hasMore = accumulation.finish(session)
            #expect(!hasMore)
            #expect(seen.count == 3)
            for (found, range) in zip(seen, [0..<2, 2..<4, 4..<5]) {
                #expect(relativeError(found, sum(range).map { $0 * factor }) < 1e-5, "\(reduction), \(range)")
            }
        }
    }
}
