import AllocationCounter
import Synchronization
import Testing

@testable import TensorRuntime

/// Allocations of all threads are counted, so each count has a process of its own: other tests allocate.
@Suite("The steady state of a compiled step", .enabled(if: allocation_counter_is_available() == 1))
struct SteadyStateTests {
    /// What moves the parameters between two steps.
    enum Rule: String, Sendable, Codable, CaseIterable {
        case none, adam, sgd

        func optimizer(_ store: ParameterStore) throws -> Optimizer? {
            switch self {
            case .none: nil
            case .adam: try Optimizer(.adam(), parameters: store)
            case .sgd: try Optimizer(.sgd(.init(momentum: 0.9)), parameters: store)
            }
        }
    }

    @Test(
        "A step allocates nothing, on no thread",
        arguments: [(1, Rule.none), (2, .none), (3, .none), (1, .adam), (2, .adam), (2, .sgd)])
    func stepAllocatesNothing(threads: Int, rule: Rule) async {
        await #expect(processExitsWith: .success) { [threads, rule] in
            for network in try SteadyNetwork.all() {
                let store = try network.store()
                let compiled = try CompiledGraph(
                    graph: network.train, batch: 2, parameters: store, options: RuntimeOptions(threads: threads))
                store.pool = compiled.pool
                let optimizer = try rule.optimizer(store)
                var loss: Float = 0
                let calls = try SteadyStateTests.allocations {
                    loss = try compiled.step(network.inputs)
                    try optimizer?.step(store)
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
