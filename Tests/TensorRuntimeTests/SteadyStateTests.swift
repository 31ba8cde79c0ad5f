import AllocationCounter
import Synchronization
import Testing

@testable import TensorRuntime

/// Allocations of all threads are counted, so each count has a process of its own: other tests allocate.
@Suite("The steady state of a compiled step", .enabled(if: allocation_counter_is_available() == 1))
struct SteadyStateTests {
    @Test("A step allocates nothing, on no thread", arguments: [1, 2, 3])
    func stepAllocatesNothing(threads: Int) async {
        await #expect(processExitsWith: .success) { [threads] in
            for network in try SteadyNetwork.all() {
                let compiled = try CompiledGraph(
                    graph: network.train, batch: 2, parameters: try network.store(),
                    options: RuntimeOptions(threads: threads))
                var loss: Float = 0
                let calls = try SteadyStateTests.allocations { loss = try compiled.step(network.inputs) }
                #expect(calls == 0 && loss.isFinite, "\(network.name): \(calls) calls of malloc, loss \(loss)")
            }
        }
    }

    @Test(
        "A training step of a session allocates nothing, its update by any optimizer included",
        arguments: OptimizerRule.names)
    func updateAllocatesNothing(rule: String) async {
        await #expect(processExitsWith: .success) { [rule] in
            for network in try SteadyNetwork.all().prefix(2) {
                let session = try GraphSession(
                    train: network.train, evaluation: nil, tensors: network.tensors, options: RuntimeOptions(threads: 2)
                )
                let settings: [String: AttributeValue] =
                    rule == "SGD" ? ["momentum": 0.9, "weight_decay": 0.01] : ["weight_decay": 0.01]
                let optimizer = try Optimizer(
                    try OptimizerRule(name: rule, settings: settings), parameters: session.parameters)
                var loss: Float = 0
                let calls = try SteadyStateTests.allocations {
                    loss = try session.step(network.inputs)
                    try optimizer.step(session.parameters)
                }
                #expect(calls == 0 && loss.isFinite, "\(network.name): \(calls) calls of malloc, loss \(loss)")
            }
        }
    }

    @Test("An evaluation allocates the values that it returns", arguments: [1, 2])
    func evaluationAllocatesItsResult(threads: Int) async {
        await #expect(processExitsWith: .success) { [threads] in
            for network in try SteadyNetwork.all() {
                guard let evaluation = network.evaluation else { continue }
                let compiled = try CompiledGraph(
                    graph: evaluation, batch: 2, parameters: try network.store(),
                    options: RuntimeOptions(threads: threads))
                var count = 0
                let calls = try SteadyStateTests.allocations { count = try compiled.evaluate(network.inputs).count }
                #expect(calls == SteadyStateTests.rounds && count > 0, "\(network.name): \(calls) calls of malloc")
            }
        }
    }

    @Test("What a worker allocates is counted")
    func countsWorkers() async {
        await #expect(processExitsWith: .success) {
            let pool = ThreadPool(threads: 2)
            let arrived = Atomic<Int>(0)
            let calls = try withUnsafePointer(to: arrived) { arrived in
                try SteadyStateTests.allocations {
                    arrived.pointee.store(0, ordering: .relaxed)
                    // Each of the two waits for the other.
                    pool.parallel(2, with: arrived) { arrived, _, worker in
                        arrived.pointee.add(1, ordering: .relaxed)
                        while arrived.pointee.load(ordering: .relaxed) < 2 {}
                        if worker == 1 { UnsafeMutablePointer<Int>.allocate(capacity: 100).deallocate() }
                    }
                }
            }
            #expect(calls == SteadyStateTests.rounds)
        }
    }

    @Test("A body with captures is counted: a box for each job of several threads")
    func countsCaptures() async {
        await #expect(processExitsWith: .success) {
            let pool = ThreadPool(threads: 2)
            let sums = UnsafeMutablePointer<Int>.allocate(capacity: 64)
            defer { sums.deallocate() }
            let captured = try SteadyStateTests.allocations { pool.parallel(64) { index in sums[index] = index } }
            let handed = try SteadyStateTests.allocations {
                pool.parallel(64, with: sums) { sums, index, _ in sums[index] = index }
            }
            #expect(captured >= SteadyStateTests.rounds && handed == 0)
        }
    }

    /// How often what is counted runs.
    static let rounds = 3

    /// Calls of malloc on all threads while `body` runs `rounds` times, after two times that do not count.
    static func allocations(_ body: () throws -> Void) throws -> Int {
        for _ in 0..<2 { try body() }
        allocation_counter_start()
        defer { _ = allocation_counter_stop() }
        for _ in 0..<rounds { try body() }
        return allocation_counter_stop()
    }
}
