import Foundation
import TensorRuntime
import Testing

@Suite
struct CheckpointTests {
    private let unet = UNetGraph(baseChannels: 4, depth: 1, size: 8)

    private struct Run {
        var session: GraphSession
        var optimizer: Optimizer
        var scheduler: Scheduler?
        var average: ExponentialMovingAverage
    }

    /// A U-Net with dropout, so that the random numbers matter.
    private func setUp(_ rule: OptimizerRule, _ schedule: Scheduler.Rule) throws -> Run {
        var graph = unet.train
        let last = graph.nodes.count - 2
        let (source, id) = (graph.nodes[last].inputs[0] ?? -1, graph.values.count)
        graph.values.append(Graph.Value(id: id, shape: graph.values[source].shape))
        graph.nodes[last].inputs[0] = id
        graph.nodes.insert(
            Graph.Node(op: "dropout", inputs: [source], outputs: [id], attributes: ["p": 0.5]), at: last)
        let session = try GraphSession(
            train: graph, evaluation: nil, tensors: unet.initialTensors(seed: 1),
            options: RuntimeOptions(threads: 2, seed: 5))
        let optimizer = try Optimizer(rule, parameters: session.parameters, threads: 2)
        return Run(
            session: session, optimizer: optimizer, scheduler: try Scheduler(schedule, optimizer: optimizer),
            average: try ExponentialMovingAverage(session.parameters, decay: 0.9))
    }

    private func train(_ run: inout Run, _ steps: Range<Int>) throws -> [Float] {
        try steps.map { step in
            let loss = try run.session.step(try syntheticBatch(2, size: 8, seed: UInt64(step)))
            try run.optimizer.step(run.session.parameters)
            run.scheduler?.step(run.optimizer, metric: Double(loss))
            try run.average.update(run.session.parameters)
            return loss
        }
    }

    private static let rules: [(OptimizerRule, Scheduler.Rule)] = [
        (
            .adamW(.init(amsgrad: true)),
            .sequential([.linear(totalIterations: 3), .cosineAnnealing(tMax: 7)], milestones: [3])
        ),
        (.sgd(.init(momentum: 0.9, nesterov: true)), .oneCycle(.init(maximumRates: [0.1], totalSteps: 12))),
        (.sgd(), .step(size: 2)),
        (.rmsProp(.init(momentum: 0.5, centered: true)), .chained([.exponential(gamma: 0.9), .step(size: 4)])),
        (.adagrad(.init(initialAccumulator: 0.1)), .cosineWarmRestarts(t0: 3, tMult: 2)),
        (
            .nAdam(),
            .reduceOnPlateau(
                {
                    var p = Scheduler.Plateau()
                    p.patience = 0
                    return p
                }())
        ),
        (.rAdam(), .multiStep(milestones: [2, 7])), (.adamax(), .polynomial(totalIterations: 9, power: 0.9)),
        (.adadelta(), .lambda(factors: [[1, 0.5, 0.2]])), (.adam(), .constant(totalIterations: 6)),
    ]

    @Test("Ten steps are the same bits as five, a checkpoint file, and five more", arguments: rules.indices)
    func resume(index: Int) throws {
        let (rule, schedule) = Self.rules[index]
        var whole = try setUp(rule, schedule)
        let expected = try train(&whole, 0..<10)
        try PythonReference.withFolder { folder in
            let url = folder.appending(path: "checkpoint.safetensors")
            var first = try setUp(rule, schedule)
            let before = try train(&first, 0..<5)
            try Checkpoint(
                first.session, optimizer: first.optimizer, scheduler: first.scheduler, average: first.average,
                metadata: ["epoch": "5"]
            ).write(to: url)
            var second = try setUp(rule, schedule)
            // Something else happened in between: all of it is overwritten.
            _ = try train(&second, 20..<22)
            let checkpoint = try Checkpoint(contentsOf: url)
            #expect(checkpoint.metadata["epoch"] == "5")
            try checkpoint.restore(
                second.session, optimizer: second.optimizer, scheduler: &second.scheduler, average: second.average)
            #expect(try before + train(&second, 5..<10) == expected)
            #expect(second.optimizer.learningRates == whole.optimizer.learningRates)
            let (a, b) = (second.session.parameters, whole.session.parameters)
            #expect(try a.state() == b.state())
            #expect(try second.optimizer.stateTensors(a) == whole.optimizer.stateTensors(b))
            #expect(try second.average.state(a) == whole.average.state(b))
            #expect(second.average.updates == 10)
        }
    }

    @Test("A checkpoint that lacks anything is refused, and nothing has changed then")
    func refused() throws {
        let (rule, schedule) = Self.rules[5]
        var run = try setUp(rule, schedule)
        _ = try train(&run, 0..<2)
        let whole = try Checkpoint(
            run.session, optimizer: run.optimizer, scheduler: run.scheduler, average: run.average)
        _ = try train(&run, 2..<4)
        let now = try Checkpoint(run.session, optimizer: run.optimizer, scheduler: run.scheduler, average: run.average)
        let keys = whole.metadata.keys.sorted().filter { !$0.hasPrefix("optimizer.step.") }
        for key in whole.tensors.keys.sorted() + keys {
            var broken = whole
            broken.tensors[key] = nil
            broken.metadata[key] = nil
            #expect(throws: RuntimeError.self, "\(key)") {
                try broken.restore(
                    run.session, optimizer: run.optimizer, scheduler: &run.scheduler, average: run.average)
            }
            let after = try Checkpoint(
                run.session, optimizer: run.optimizer, scheduler: run.scheduler, average: run.average)
            #expect(after.tensors == now.tensors && after.metadata == now.metadata, "\(key)")
        }
        try run.average.swap(run.session.parameters)
        #expect(throws: RuntimeError.self) { try Checkpoint(run.session, average: run.average) }
    }

    @Test("The state of another rule is refused, and changes nothing")
    func otherRule() throws {
        let (saved, other) = (
            try setUp(.adam(.init(amsgrad: true)), .exponential(gamma: 1)), try setUp(.adam(), .exponential(gamma: 1))
        )
        let checkpoint = try Checkpoint(saved.session, optimizer: saved.optimizer)
        let before = other.optimizer.metadata()
        #expect {
            try checkpoint.restore(other.session, optimizer: other.optimizer)
        } throws: {
            guard case RuntimeError.invalidCheckpoint(let reason) = $0 else { return false }
            return reason.contains("group 0")
        }
        #expect(other.optimizer.metadata() == before)
    }

    @Test("A file is replaced as a whole, and a folder that is not there is an error")
    func atomic() throws {
        let run = try setUp(.adam(), .exponential(gamma: 1))
        try PythonReference.withFolder { folder in
            let url = folder.appending(path: "c.safetensors")
            let checkpoint = try Checkpoint(run.session)
            try checkpoint.write(to: url)
            try checkpoint.write(to: url)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["c.safetensors"])
            #expect(try Data(contentsOf: url) == checkpoint.encoded())
            #expect(throws: RuntimeError.self) { try checkpoint.write(to: folder.appending(path: "no/c.safetensors")) }
            try checkpoint.restore(run.session)
        }
    }
}
