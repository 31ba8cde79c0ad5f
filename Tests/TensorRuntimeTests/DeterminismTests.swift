import Foundation
import TensorRuntime
import Testing

/// A network in which other kernels run than in its neighbours.
private struct Network: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var hasDropout = false
    var size = 32
    var graph: @Sendable () -> Graph

    static let all = [
        Network(testDescription: "batch norm, transposed convolutions") {
            UNetGraph(baseChannels: 8, depth: 2, size: 32).train
        },
        Network(testDescription: "no norm, one level, 48 channels", size: 40) {
            UNetGraph(baseChannels: 48, depth: 1, size: 40, batchNorm: false).train
        },
        Network(testDescription: "residual, group norm, bilinear, dropped elements", hasDropout: true) {
            var sketch = NetworkSketch()
            let image = sketch.input("image", channels: 1, size: 32)
            let first = sketch.convolution("stem", image, 12)
            var x = sketch.apply("silu", [sketch.groupNorm("norm", first, groups: 3)])
            x = sketch.apply("add", [sketch.convolution("middle", x, 12), first])
            x = sketch.apply("dropout", [x], ["p": 0.3])
            x = sketch.enlarge(sketch.convolution("low", sketch.pool(x), 20))
            x = sketch.apply("concatenate", [x, first], channels: 32, ["axis": 1])
            return sketch.finish(sketch.convolution("final", x, 1, kernel: 1))
        },
        Network(testDescription: "squeeze and excitation, grouped 5×5, dropped channels", hasDropout: true) {
            var sketch = NetworkSketch()
            let image = sketch.input("image", channels: 1, size: 32)
            var x = sketch.apply("gelu", [sketch.batchNorm("norm", sketch.convolution("stem", image, 18))])
            x = sketch.excite("gate", sketch.convolution("grouped", x, 18, kernel: 5, groups: 3), squeeze: 4)
            x = sketch.dropChannels(x, p: 0.4)
            return sketch.finish(sketch.convolution("final", sketch.apply("relu", [x]), 1))
        },
    ]
}

@Suite
struct DeterminismTests {
    private struct Run {
        var losses: [Float] = []
        var state: [String: Tensor] = [:]
        var moments: [String: Tensor] = [:]
    }

    private func setUp(_ network: Network, threads: Int, seed: UInt64) throws -> (GraphSession, Optimizer) {
        let graph = network.graph()
        let session = try GraphSession(
            train: graph, evaluation: nil, tensors: graph.initialTensors(seed: 3),
            options: RuntimeOptions(threads: threads, seed: seed))
        return (session, try Optimizer(.adamW(), parameters: session.parameters, threads: threads))
    }

    private func train(
        _ session: GraphSession, _ optimizer: Optimizer, _ steps: Range<Int>, _ network: Network
    ) throws -> [Float] {
        try steps.map { step in
            // Every third batch is smaller, as at the end of an epoch; pairs of batches make one step.
            let batch = try syntheticBatch(step % 3 == 2 ? 1 : 4, size: network.size, seed: UInt64(step))
            let loss = try session.step(batch, accumulating: step % 2 == 1)
            if step % 2 == 1 {
                try GradientClipping.norm(maximum: 1).apply(to: session.parameters)
                try optimizer.step(session.parameters)
            }
            return loss
        }
    }

    private func whole(_ network: Network, threads: Int, seed: UInt64 = 7) throws -> Run {
        let (session, optimizer) = try setUp(network, threads: threads, seed: seed)
        return Run(
            losses: try train(session, optimizer, 0..<10, network), state: try session.parameters.state(),
            moments: try optimizer.stateTensors(session.parameters))
    }

    @Test(
        "The same seed and thread count give the same bits twice in a row and across a resume",
        arguments: Network.all, [1, 2])
    fileprivate func sameBits(network: Network, threads: Int) throws {
        let first = try whole(network, threads: threads)
        let second = try whole(network, threads: threads)
        #expect(first.losses == second.losses)
        #expect(first.state == second.state)
        #expect(first.moments == second.moments)
        #expect(first.losses[9] < first.losses[0], "it learns, so that the bits mean something")
        if network.hasDropout {
            #expect(try whole(network, threads: threads, seed: 8).losses != first.losses)
        }

        try PythonReference.withFolder { folder in
            let url = folder.appending(path: "checkpoint.safetensors")
            let (before, beforeOptimizer) = try setUp(network, threads: threads, seed: 7)
            let losses = try train(before, beforeOptimizer, 0..<4, network)
            try Checkpoint(before, optimizer: beforeOptimizer).write(to: url)
            let (after, afterOptimizer) = try setUp(network, threads: threads, seed: 99)
            try Checkpoint(contentsOf: url).restore(after, optimizer: afterOptimizer)
            #expect(try losses + train(after, afterOptimizer, 4..<10, network) == first.losses)
            #expect(try after.parameters.state() == first.state)
            #expect(try afterOptimizer.stateTensors(after.parameters) == first.moments)
        }
    }
}
