import Foundation
import TensorRuntime
import Testing

/// The largest distance between two empirical distributions (Kolmogorov and Smirnov).
private func distance(_ a: [Float], _ b: [Float]) -> Double {
    let (a, b) = (a.sorted(), b.sorted())
    var (i, j, largest) = (0, 0, 0.0)
    while i < a.count, j < b.count {
        let value = min(a[i], b[j])
        while i < a.count, a[i] == value { i += 1 }
        while j < b.count, b[j] == value { j += 1 }
        largest = max(largest, abs(Double(i) / Double(a.count) - Double(j) / Double(b.count)))
    }
    return largest
}

@Suite(.serialized)
struct EagerInitializationTests {
    private let shape = [40, 30, 4, 4]

    @Test(
        "Initial weights are distributed as PyTorch's, gains, fans and Dirac kernels are equal",
        arguments: PythonReference.sources)
    func distributionsAgree(_ source: PythonReference.Source) throws {
        let seed = source == .live ? PythonReference.seed("distributionsAgree") : 1
        let arguments = ["initialization", "\(seed)", "19200"]
        try PythonReference.withValues(source, "eager_reference.py", arguments) { folder in
            let file = try SafeTensors(contentsOf: folder.appending(path: "initialization.safetensors"))
            let engine = Engine(RuntimeOptions(threads: 1, seed: UInt64(seed)))
            try engine.run { try compare(file) }
        }
    }

    private func compare(_ file: SafeTensors) throws {
        let schemes: [String: Initialization] = [
            "uniform": .uniform(low: -0.3, high: 0.9), "normal": .normal(mean: 0.4, standardDeviation: 2),
            "truncated": .truncatedNormal(), "truncated_tail": .truncatedNormal(low: 1, high: 3),
            "xavier_uniform": .xavierUniform(gain: 1.3), "xavier_normal": .xavierNormal(),
            "kaiming_uniform": .kaimingUniform(nonlinearity: .leakyReLU(slope: 5.0.squareRoot())),
            "kaiming_normal_out": .kaimingNormal(fan: .output, nonlinearity: .relu),
            "kaiming_normal_tanh": .kaimingNormal(nonlinearity: .tanh),
            "kaiming_normal_selu": .kaimingNormal(nonlinearity: .selu), "orthogonal": .orthogonal(gain: 1.5),
        ]
        var samples = try schemes.mapValues { try $0.tensor(shape).values }
        func layer(_ name: String, _ module: Module, _ key: String) {
            samples["\(name).\(key)"] = module.state()[key]?.values
        }
        layer("conv", Conv2d(30, 40, kernel: 4), "weight")
        layer("conv", Conv2d(3, 19_200, kernel: 1), "bias")
        layer("transposed", ConvTranspose2d(30, 40, kernel: 4), "weight")
        layer("transposed", ConvTranspose2d(1, 19_200, kernel: 1), "bias")
        layer("linear", Linear(120, 160), "weight")
        layer("linear", Linear(5, 19_200), "bias")
        #expect(samples.count == 17)
        // Two samples of n and m numbers of one distribution are further apart than 2.7 √(1 / n + 1 / m) once in a million
        // times (Smirnov 1948: probability 2 exp(-2 · 2.7²)).
        let count = try file.tensor("uniform").count
        let bound = 2.7 * (1.0 / 19_200 + 1 / Double(count)).squareRoot()
        var worst = (0.0, "")
        for (name, sample) in samples.sorted(by: { $0.key < $1.key }) {
            let found = distance(sample, try file.tensor(name).values)
            #expect(sample.count == 19_200 && found < bound, "\(name): \(found)")
            if found > worst.0 { worst = (found, name) }
        }
        print("distributionsAgree: worst distance \(worst.0) (\(worst.1)), bound \(bound)")

        let gains: [Initialization.Nonlinearity] = [
            .linear, .sigmoid, .tanh, .relu, .selu, .leakyReLU(), .leakyReLU(slope: 0.2),
        ]
        #expect(gains.map { Float($0.gain) } == (try file.tensor("gains").values))
        let fans = try [[7, 3], [8, 4, 3], [8, 4, 3, 5], [6, 2, 3, 3, 2]].flatMap { shape in
            let fans = try Initialization.fans(of: shape)
            return [Float(fans.input), Float(fans.output)]
        }
        #expect(fans == (try file.tensor("fans").values))
        for groups in [1, 2] {
            #expect(try Initialization.dirac(groups: groups).tensor([6, 3, 3, 4]) == file.tensor("dirac.\(groups)"))
        }
    }

    @Test("The distance that judges tells a wrong gain apart")
    func distanceDiscriminates() throws {
        let generator = RandomGenerator(seed: 5)
        let right = try Initialization.kaimingNormal().tensor(shape, generator).values
        let wrong = try Initialization.kaimingNormal(nonlinearity: .linear).tensor(shape, generator).values
        #expect(distance(right, wrong) > 2 * 2.7 * (2.0 / 19_200).squareRoot())
    }

    @Test("Orthogonal weights have rows, or columns, of the gain's length", arguments: [[6, 2, 3, 3], [20, 5]])
    func orthogonality(shape: [Int]) throws {
        let tensor = try Initialization.orthogonal(gain: 1.5).tensor(shape, RandomGenerator(seed: 1))
        let (rows, columns) = (shape[0], shape.dropFirst().reduce(1, *))
        let isWide = rows <= columns
        func element(_ vector: Int, _ position: Int) -> Double {
            Double(tensor.values[isWide ? vector * columns + position : position * columns + vector])
        }
        for a in 0..<min(rows, columns) {
            for b in 0..<min(rows, columns) {
                let product = (0..<max(rows, columns)).reduce(0.0) { $0 + element(a, $1) * element(b, $1) }
                #expect(abs(product - (a == b ? 2.25 : 0)) < 1e-5)
            }
        }
    }

    @Test("Bounds hold and seeds repeat")
    func boundsAndSeeds() throws {
        let uniform = try Tensor.uniform(shape: [5000], low: -2, high: 3, generator: RandomGenerator(seed: 9))
        #expect(uniform.values.allSatisfy { $0 >= -2 && $0 <= 3 })
        #expect(try Tensor.uniform(shape: [5000], low: -2, high: 3, generator: RandomGenerator(seed: 9)) == uniform)
        #expect(try Tensor.uniform(shape: [5000], low: -2, high: 3, generator: RandomGenerator(seed: 8)) != uniform)
        let tail = try RandomGenerator(seed: 2).truncatedNormal(2000, low: 5, high: .infinity)
        #expect(tail.allSatisfy { $0 >= 5 && $0 < 8 })
        let p = Parameter(try Tensor(shape: [2, 3], repeating: 0))
        try p.initialize(.constant(4))
        #expect(try p.value.values == [Float](repeating: 4, count: 6))
    }

    @Test("Schemes that do not fit a shape say so")
    func impossibleSchemes() throws {
        let impossible: [(Initialization, [Int], String)] = [
            (.xavierNormal(), [3], "fan in and fan out need two axes or more, not [3]"),
            (.kaimingUniform(), [], "fan in and fan out need two axes or more, not []"),
            (.orthogonal(), [4], "orthogonal weights need two axes or more, not [4]"),
            (.dirac(groups: 4), [6, 3, 3], "a Dirac kernel in 4 groups does not fit shape [6, 3, 3]"),
            (.uniform(low: 2, high: 1), [2], "no numbers lie between 2.0 and 1.0"),
            (.normal(standardDeviation: -1), [2], "a standard deviation of -1.0"),
            (.truncatedNormal(low: 1, high: 1), [2], "no normal numbers of deviation 1.0 lie between 1.0 and 1.0"),
            (.constant(1), [-2], "shape [-2] has a negative size"),
        ]
        for (scheme, shape, sentence) in impossible {
            #expect(throws: RuntimeError.invalidShape(sentence)) {
                _ = try scheme.tensor(shape, RandomGenerator(seed: 1))
            }
        }
    }
}
