import AllocationCounter
import TensorRuntime
import Testing

/// Allocations are counted on the thread that calls `step`, which takes its share of all kernels; with one thread it runs all of
/// them. Other threads, such as those of other tests, are not counted.
@Suite("The steady state of a compiled step", .enabled(if: allocation_counter_is_available() == 1))
struct SteadyStateTests {
    /// A graph and a batch for it.
    struct Example: CustomTestStringConvertible {
        var name: String
        var graph: Graph
        var tensors: [String: Tensor]
        var inputs: [String: Tensor]
        var testDescription: String { name }
    }

    private static func unet(_ name: String, _ unet: UNetGraph) throws -> Example {
        let shape = [2, 1] + (unet.slices.map { [$0] } ?? []) + [unet.size, unet.size]
        let values = (0..<shape.reduce(1, *)).map { Float($0 % 7) / 7 }
        return Example(
            name: name, graph: unet.train, tensors: unet.initialTensors(seed: 1),
            inputs: [
                "image": try Tensor(shape: shape, values: values),
                "mask": try Tensor(shape: shape, values: values.map { $0.rounded() }),
            ])
    }

    private static func nnunet() throws -> Example {
        let plan = NNUNetGraph(size: 16)
        var inputs: [String: Tensor] = [:]
        for binding in plan.train.inputs {
            let shape = plan.train.values[binding.value].shape.map { $0.size(batch: 2) }
            let values = (0..<shape.reduce(1, *)).map { Float($0 % 2) }
            inputs[binding.name] = try Tensor(shape: shape, values: values)
        }
        return Example(
            name: "nnU-Net", graph: plan.train, tensors: plan.initialTensors(seed: 1), inputs: inputs)
    }

    static let examples: [Example] = {
        do {
            return [
                try unet("U-Net", UNetGraph(baseChannels: 8, depth: 2, size: 24)),
                // Wide enough for the transforms that all threads work on together.
                try unet("wide U-Net", UNetGraph(baseChannels: 96, depth: 1, size: 16)),
                try unet("U-Net with biases", UNetGraph(baseChannels: 5, depth: 1, size: 10, batchNorm: false)),
                try unet("3-D U-Net", UNetGraph(baseChannels: 8, depth: 1, size: 12, slices: 6)),
                try nnunet(),
            ]
        } catch {
            Issue.record(error)
            return []
        }
    }()

    /// Calls of malloc in three steps after two, and the largest of them in bytes.
    private func allocations(_ example: Example, threads: Int) throws -> (calls: Int, largest: Int) {
        let store = try ParameterStore(graphs: [example.graph], tensors: example.tensors)
        let compiled = try CompiledGraph(
            graph: example.graph, batch: 2, parameters: store, options: RuntimeOptions(threads: threads))
        for _ in 0..<2 { _ = try compiled.step(example.inputs) }
        var losses: Float = 0
        allocation_counter_start()
        do {
            for _ in 0..<3 { losses += try compiled.step(example.inputs) }
        } catch {
            _ = allocation_counter_stop()
            throw error
        }
        let calls = allocation_counter_stop()
        #expect(losses.isFinite)
        return (calls, Int(allocation_counter_largest()))
    }

    @Test("A step of one thread allocates nothing", arguments: examples)
    func allocatesNothing(_ example: Example) throws {
        #expect(try allocations(example, threads: 1).calls == 0)
    }

    /// Swift gives a closure that another thread runs a context on the heap while the job lasts: one a job of the pool.
    @Test("A step of two threads allocates nothing but the contexts of the pool's jobs", arguments: examples)
    func allocatesContexts(_ example: Example) throws {
        #expect(try allocations(example, threads: 2).largest <= 48)
    }

    @Test("The counter counts")
    func counts() {
        allocation_counter_start()
        let values = [Int](unsafeUninitializedCapacity: 1000) { buffer, count in
            buffer.initialize(repeating: 1)
            count = 1000
        }
        let calls = allocation_counter_stop()
        #expect(calls >= 1 && values.count == 1000)
    }
}
