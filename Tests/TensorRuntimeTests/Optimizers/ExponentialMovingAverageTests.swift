import Foundation
import TensorRuntime
import Testing

@Suite(.serialized)
struct ExponentialMovingAverageTests {
    @Test("Averages equal torch.optim.swa_utils.AveragedModel's, bias-corrected or not, and buffers are copied")
    func parity() throws {
        var random = KernelRandom(seed: UInt64(PythonReference.seed("averages")))
        var (plan, data) = (OptimizerReference.Plan(), [String: Tensor]())
        for number in 0..<20 {
            let test = OptimizerReference.Average(
                decay: random.pick([0, 0.3, 0.9, 0.99, 0.999]), correctsBias: number % 2 == 1, steps: 12,
                parameters: ["a", "b"], buffers: ["mean"])
            let shapes = ["a": random.shape(), "b": random.shape(), "mean": random.shape()]
            for step in 0...test.steps {
                // In one order: that of a dictionary is another in each process.
                for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
                    data["average/\(number)/\(step)/\(name)"] = try random.tensor(shape)
                }
            }
            plan.averages.append(test)
        }
        let expected = try OptimizerReference.run(plan, data: data).tensors
        var worst = 0.0
        for (number, test) in plan.averages.enumerated() {
            func weights(_ step: Int, _ names: [String]) -> [String: Tensor] {
                Dictionary(uniqueKeysWithValues: names.map { ($0, data["average/\(number)/\(step)/\($0)"]) })
                    .compactMapValues { $0 }
            }
            let store = try ParameterStore(parameters: weights(0, test.parameters), buffers: weights(0, test.buffers))
            let average = try ExponentialMovingAverage(store, decay: test.decay, correctsBias: test.correctsBias)
            for step in 1...test.steps {
                try store.restore(weights(step, test.parameters + test.buffers))
                try average.update(store)
                for (name, tensor) in try average.state(store) {
                    let wanted = try #require(expected["average/\(number)/\(step)/\(name)"])
                    // A few elements may average to nearly nothing; the values averaged are of order one.
                    let error = relativeError(
                        tensor.values, wanted.values, beside: tensor.values.count <= 4 ? 0.05 : 0)
                    #expect(error < 3e-5, "case \(number), step \(step), \(name)")
                    worst = max(worst, error)
                }
            }
        }
        print("averages: largest relative error \(worst)")
    }

    private func setUp() throws -> (ParameterStore, ExponentialMovingAverage) {
        let store = try ParameterStore(
            parameters: ["w": Tensor(shape: [3], values: [1, 2, 3])], buffers: ["m": Tensor(shape: [1], values: [4])])
        let average = try ExponentialMovingAverage(store, decay: 0.5)
        try average.update(store)
        try store.restore(["w": Tensor(shape: [3], values: [0.1, 0.2, 0.3]), "m": Tensor(shape: [1], values: [5])])
        try average.update(store)
        return (store, average)
    }

    @Test("The average is swapped in for evaluation and out again, bit for bit, also when evaluation fails")
    func swap() throws {
        let (store, average) = try setUp()
        let weights = try store.state()
        let seen = try average.evaluating(store) {
            #expect(average.isSwapped)
            #expect(throws: RuntimeError.self) { try average.update(store) }
            #expect(try average.state(store) == store.state())
            return try store.state()
        }
        #expect(try seen == average.state(store))
        #expect(seen != weights)
        #expect(seen["m"]?.values == [5])
        #expect(try store.state() == weights)
        #expect(throws: CancellationError.self) { try average.evaluating(store) { throw CancellationError() } }
        #expect(try store.state() == weights)
    }

    @Test("What does not fit is refused and changes nothing")
    func refused() throws {
        let (store, average) = try setUp()
        for decay in [-0.1, 1.1, .nan] {
            #expect(throws: RuntimeError.self) { try ExponentialMovingAverage(store, decay: decay) }
        }
        #expect(throws: RuntimeError.self) { try ExponentialMovingAverage(store, decay: 1, correctsBias: true) }
        let (state, metadata) = (try average.state(store), average.metadata())
        #expect(throws: RuntimeError.self) { try average.restore(state, metadata: [:], store) }
        #expect(throws: RuntimeError.missingTensor("w")) {
            try average.restore(["m": Tensor(shape: [1], repeating: 0)], metadata: metadata, store)
        }
        #expect(throws: RuntimeError.self) {
            try average.restore(
                state.merging(["w": Tensor(shape: [1], repeating: 0)]) { $1 }, metadata: metadata, store)
        }
        let other = try ParameterStore(parameters: ["w": Tensor(shape: [2], repeating: 0)])
        #expect(throws: RuntimeError.self) { try average.update(other) }
        let foreign = try ParameterStore(parameters: ["v": Tensor(shape: [2], repeating: 0)])
        #expect(throws: RuntimeError.missingTensor("v")) { try average.update(foreign) }
        #expect(try average.state(store) == state)
        #expect(average.updates == 2)
    }
}
