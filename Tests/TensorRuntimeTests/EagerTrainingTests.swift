import Foundation
import TensorRuntime
import Testing

/// Weights, running statistics and random masks.
private final class Network: Layer {
    let conv = Conv2d(1, 4, kernel: 3, padding: 1)
    let norm = BatchNorm2d(4)
    let drop = Dropout2d(0.3)
    let head = Conv2d(4, 1, kernel: 1)

    override func forward(_ x: Variable) throws -> Variable { try head(drop(norm(conv(x)).relu())) }
}

struct EagerTrainingTests {
    private func step(_ model: Network, _ optimizer: Optimizer, _ number: UInt64) throws {
        let mask = try Tensor.uniform(shape: [2, 1, 12, 12], generator: RandomGenerator(seed: number))
        try Loss.binaryCrossEntropyWithLogits(model(Variable(mask)), Variable(mask)).backward()
        _ = try GradientClipping.norm(maximum: 0.5).apply(to: model.parameters)
        try optimizer.step(model.parameters)
        model.zeroGradients()
    }

    @Test("A checkpoint of a module resumes to the same bits: weights, statistics, optimizer, schedule, masks")
    func resumes() throws {
        func start() throws -> (Network, Optimizer, Scheduler?) {
            let model = Network()
            let optimizer = try Optimizer(.adamW(), parameters: model.parameters, threads: 1)
            return (model, optimizer, try Scheduler(.exponential(gamma: 0.8), optimizer: optimizer))
        }
        let options = RuntimeOptions(threads: 2, seed: 21)
        var saved: Checkpoint?
        let whole = try Engine(options).run { () throws -> [String: Tensor] in
            let (model, optimizer, first) = try start()
            var scheduler = first
            for number in 0..<6 {
                if number == 3 { saved = try Checkpoint(model, optimizer: optimizer, scheduler: scheduler) }
                try step(model, optimizer, UInt64(number))
                scheduler?.step(optimizer)
            }
            return model.state()
        }
        let checkpoint = try #require(saved)
        let resumed = try Engine(options).run { () throws -> [String: Tensor] in
            let (model, optimizer, first) = try start()
            var scheduler = first
            try checkpoint.restore(model, optimizer: optimizer, scheduler: &scheduler)
            for number in 3..<6 {
                try step(model, optimizer, UInt64(number))
                scheduler?.step(optimizer)
            }
            return model.state()
        }
        #expect(resumed == whole)
        let other = Engine(RuntimeOptions(seed: 22))
        #expect(throws: RuntimeError.invalidCheckpoint("its seed is 21, the engine's 22")) {
            try other.run { try checkpoint.restore(Network()) }
        }
        #expect(throws: RuntimeError.self) {
            try Engine(options).run { try checkpoint.restore(Sequential(Conv2d(1, 4, kernel: 3))) }
        }
    }

    @Test("What does not fit into memory is refused with the numbers before it is allocated")
    func memory() throws {
        let engine = Engine(RuntimeOptions(threads: 1, memoryBudget: 4 << 20))
        try engine.run { () throws in
            let large = Variable(try Tensor(shape: [3, 1, 1024, 1024], repeating: 1))
            do {
                _ = try large.squared().sum().value
                Issue.record("12 MiB went into 4")
            } catch RuntimeError.insufficientMemory(let needed, let available, let batch, let fitting) {
                #expect(needed > 12 << 20 && available == 4 << 20 && batch == 3 && fitting == nil)
            }
            #expect(engine.statistics.programs == 0)
        }
    }

    @Test("Kept programs go when a new one does not fit beside them")
    func programsMakeRoom() throws {
        func bytes(_ budget: Int?) throws -> Engine.Statistics {
            let engine = Engine(RuntimeOptions(threads: 1, memoryBudget: budget))
            try engine.run { () throws in
                for size in [300, 310] {
                    _ = try Variable(Tensor(shape: [size, 1000], repeating: 1)).exp().sum().value
                }
            }
            return engine.statistics
        }
        let free = try bytes(nil)
        #expect(free.programs == 2)
        let tight = try bytes(free.bytes - 1024)
        #expect(tight.programs == 1 && tight.compilations == 2)
    }
}
