import Foundation
import TensorRuntime
import Testing

private func vector(_ values: Float...) throws -> Tensor { try Tensor(shape: [values.count], values: values) }

/// A layer with every kind of state: weights, running statistics, random masks.
private final class Small: Layer {
    let conv = Conv2d(1, 4, kernel: 3, padding: 1)
    let norm = BatchNorm2d(4)
    let drop = Dropout(0.3)
    let head = Conv2d(4, 1, kernel: 1)

    override func forward(_ x: Variable) throws -> Variable { try head(drop(norm(conv(x)).relu())) }
}

struct EagerEngineTests {
    private func withEngine<R>(
        _ options: RuntimeOptions = RuntimeOptions(threads: 2, seed: 3), _ body: (Engine) throws -> R
    ) rethrows -> R {
        let engine = Engine(options)
        return try engine.run { try body(engine) }
    }

    private func batch(_ engine: Engine, size: Int = 8) throws -> (Variable, Variable) {
        let mask = try Tensor.uniform(shape: [2, 1, size, size], generator: engine.generator)
        return (Variable(mask), Variable(mask))
    }

    @Test("The second step of a training loop compiles nothing, other shapes and modes compile once more")
    func secondStepCompilesNothing() throws {
        try withEngine { engine in
            let model = Small()
            let optimizer = try Optimizer(.adam(), parameters: model.parameters, threads: 1)
            var counts: [Int] = []
            for size in [8, 8, 8, 6, 6, 8] {
                let (x, target) = try batch(engine, size: size)
                let loss = try Loss.binaryCrossEntropyWithLogits(model(x), target)
                try loss.backward()
                try optimizer.step(model.parameters)
                model.zeroGradients()
                counts.append(engine.statistics.compilations)
            }
            #expect(counts == [1, 1, 1, 2, 2, 2])
            model.evaluate()
            for _ in 0..<2 { _ = try withoutGradients { try model(batch(engine).0).value } }
            #expect(engine.statistics.compilations == 3)
            #expect(engine.statistics.runs == 8)
            #expect(engine.statistics.bytes > 0)
        }
    }

    @Test("Programs are shared by equal traces on other leaves, and the least recently used one goes first")
    func cacheIsBounded() throws {
        let engine = Engine(RuntimeOptions(threads: 1), maximumPrograms: 2)
        try engine.run { () throws in
            func total(_ count: Int) throws -> Float {
                try Variable(Tensor(shape: [count], repeating: 2)).squared().sum().scalar
            }
            #expect(try [total(1), total(2), total(1), total(2)] == [4, 8, 4, 8])
            #expect(engine.statistics.compilations == 2)
            #expect(try total(3) == 12)
            #expect(engine.statistics.programs == 2)
            #expect(try total(2) == 8)
            #expect(engine.statistics.compilations == 3)
            #expect(try total(1) == 4)
            #expect(engine.statistics.compilations == 4)
            engine.removePrograms()
            #expect(engine.statistics.programs == 0 && engine.statistics.bytes == 0)
        }
        let narrow = Engine(RuntimeOptions(threads: 1), maximumBytes: 1)
        try narrow.run {
            for count in 1...3 { _ = try Variable(Tensor(shape: [count], repeating: 2)).squared().sum().scalar }
            #expect(narrow.statistics.programs == 1)
        }
    }

    @Test("Swift control flow makes other traces: a branch and a loop by values")
    func controlFlow() throws {
        try withEngine { _ in
            let w = Variable(try vector(2), requiresGradient: true)
            var x = Variable(try vector(1))
            var rounds = 0
            while try x.sum().scalar < 20 {
                x = try rounds % 2 == 0 ? x * w : x + w
                rounds += 1
            }
            // 1, 2, 4, 8, 10, 20: x = ((w + w) w + w) w = 2 w³ + w², with slope 6 w² + 2 w.
            #expect(rounds == 5)
            try x.sum().backward()
            #expect(try x.value.values == [20])
            #expect(w.gradient?.values == [28])
        }
    }

    @Test("Gradients of several backward passes add up until they are zeroed")
    func gradientsAccumulate() throws {
        try withEngine { engine in
            let w = Variable(try vector(1, 2), requiresGradient: true)
            #expect(w.gradient == nil)
            for round in 1...3 {
                try (w * w).sum().backward()
                #expect(w.gradient?.values == [Float(2 * round), Float(4 * round)])
            }
            #expect(engine.statistics.compilations == 1)
            w.zeroGradient()
            #expect(w.gradient == nil)
            try (w * 3).sum().backward()
            #expect(w.gradient?.values == [3, 3])
        }
    }

    @Test("No gradient flows through detach, comparisons, withoutGradients or a frozen parameter")
    func gradientsStop() throws {
        try withEngine { _ in
            let w = Variable(try vector(3), requiresGradient: true)
            try (w * w.detach()).sum().backward()
            #expect(w.gradient?.values == [3])
            w.zeroGradient()
            let square = try withoutGradients { try w * w }
            #expect(!square.requiresGradient)
            try (square * w).sum().backward()
            #expect(w.gradient?.values == [9])
            let frozen = Parameter(try vector(5))
            frozen.requiresGradient = false
            try (frozen * w).sum().backward()
            #expect(w.gradient?.values == [14] && frozen.gradient == nil)
        }
    }

    @Test("A trace is used up by backward unless it is kept, and says so")
    func traceIsUsedUp() throws {
        try withEngine { _ in
            let w = Variable(try vector(2), requiresGradient: true)
            let square = try w.squared()
            let loss = try square.sum()
            try loss.backward(keepingTrace: true)
            try loss.backward()
            #expect(w.gradient?.values == [8])
            #expect(try square.value.values == [4])
            #expect {
                try loss.backward()
            } throws: { "\($0)".contains("a backward pass has been through this result of shape []") }
            #expect {
                try (square * 2).sum().backward()
            } throws: { "\($0)".contains("backward(keepingTrace: true)") }
        }
    }

    @Test("A result that was not read before its parameter changed is refused, never computed from new weights")
    func changedOperandsAreRefused() throws {
        try withEngine { _ in
            let p = Parameter(try vector(2))
            let (early, late) = (try p * 3, try p * 4)
            #expect(try early.value.values == [6])
            try p.set(vector(5))
            #expect(try early.value.values == [6])
            #expect {
                _ = try late.value
            } throws: { "\($0)".hasPrefix("mul_scalar: an operand of shape [1] was changed") }
            #expect(throws: RuntimeError.self) { try early.sum().backward() }
            #expect(throws: RuntimeError.tensorMismatch(name: "of a parameter", expected: [1], got: [2])) {
                try p.set(vector(1, 2))
            }
        }
    }

    @Test("A loss that is not finite names the layer, and leaves gradients and running statistics alone")
    func notFiniteNamesTheLayer() throws {
        try withEngine { _ in
            let model = Small()
            model.train()
            let x = Variable(try Tensor(shape: [1, 1, 4, 4], repeating: .infinity))
            let before = model.state()["norm.running_mean"]
            do {
                try model(x).sum().backward()
                Issue.record("an infinite input went through")
            } catch let error as RuntimeError {
                #expect("\(error)" == "the loss is not finite (first at convolution, conv)")
            }
            #expect(model.state()["norm.running_mean"] == before)
            #expect(model.namedParameters.allSatisfy { $0.parameter.gradient == nil })
        }
    }

    @Test("Running statistics take in each batch once, whatever is read and differentiated")
    func statisticsOnce() throws {
        try withEngine { (_: Engine) throws in
            func trained(_ readsFirst: Bool) throws -> [Float] {
                let norm = BatchNorm2d(1)
                let x = Variable(try Tensor(shape: [1, 1, 1, 4], values: [1, 2, 3, 6]), requiresGradient: true)
                let y = try norm(x)
                if readsFirst { _ = try y.value }
                try y.squared().sum().backward()
                _ = try y.value
                let state = norm.state()
                return ["running_mean", "running_var", "num_batches_tracked"].flatMap { state[$0]?.values ?? [] }
            }
            // Mean 3, unbiased variance 14 / 3.
            let expected: [Float] = [0.3, 0.9 + 0.1 * 14 / 3, 1]
            for readsFirst in [false, true] {
                #expect(relativeError(try trained(readsFirst), expected) < 1e-6)
            }
        }
    }

    @Test("Dropout keeps 1 - p of the elements, scaled, with one mask for value and gradient; channels fall together")
    func dropoutMasks() throws {
        try withEngine { engine in
            let x = Variable(try Tensor(shape: [100, 100], repeating: 1), requiresGradient: true)
            let y = try x.dropout(0.25)
            let early = try y.value
            try y.sum().backward()
            #expect(x.gradient == early)
            #expect(Set(early.values) == [0, 4.0 / 3])
            // Five standard deviations of a binomial count.
            let kept = early.values.filter { $0 > 0 }.count
            #expect(abs(Double(kept) - 7500) < 5 * 10_000.0.squareRoot() * 0.4331)
            #expect(try x.dropout(0.25).value != early)
            #expect(try x.dropout(1).value.values.allSatisfy { $0 == 0 })

            let channels = try Variable(Tensor(shape: [20, 10, 2, 2], repeating: 1)).channelDropout(0.5).value
            for start in stride(from: 0, to: channels.count, by: 4) {
                #expect(Set(channels.values[start..<start + 4]).count == 1)
            }
            #expect(Set(channels.values) == [0, 2])
            #expect(engine.randomState.step == 4)
        }
    }

    @Test("Same seed and thread count, same bits, twice in a row", arguments: [1, 2])
    func deterministicBits(threads: Int) throws {
        func trained(seed: UInt64) throws -> [String: Tensor] {
            try withEngine(RuntimeOptions(threads: threads, seed: seed)) { engine in
                let model = Small()
                let optimizer = try Optimizer(.adam(), parameters: model.parameters, threads: threads)
                for _ in 0..<4 {
                    let (x, target) = try batch(engine, size: 16)
                    try Loss.binaryCrossEntropyWithLogits(model(x), target).backward()
                    try optimizer.step(model.parameters)
                    model.zeroGradients()
                }
                return model.state()
            }
        }
        let first = try trained(seed: 11)
        #expect(try trained(seed: 11) == first)
        #expect(try trained(seed: 12) != first)
    }

    @Test("A factor in a variable may change from step to step without compiling again, a number compiles once each")
    func changingFactors() throws {
        try withEngine { engine in
            let x = Variable(try vector(1, 2))
            for factor in [1.0, 2, 3] {
                #expect(try (x * Variable(factor)).sum().scalar == Float(3 * factor))
            }
            #expect(engine.statistics.compilations == 1)
            for factor in [1.0, 2, 3] { _ = try (x * factor).sum().scalar }
            #expect(engine.statistics.compilations == 4)
        }
    }

    @Test("A chain of a hundred thousand operations is released without exhausting the stack")
    func longChains() throws {
        try withEngine { _ in
            var x = Variable(try vector(1), requiresGradient: true)
            for _ in 0..<100_000 { x = try x + 1 }
            #expect(x.shape == [1])
        }
    }
}
