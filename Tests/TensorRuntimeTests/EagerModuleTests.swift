import Foundation
import TensorRuntime
import Testing

private final class Branch: Layer {
    let upConv1 = Linear(2, 2)
    let extra: Linear?
    let table = ["b": Linear(2, 1, bias: false), "a": Linear(2, 1, bias: false)]
    let seen: TensorRuntime.Buffer
    let note = "no state"
    lazy var late = Linear(1, 1)

    init(extra: Bool) throws {
        self.extra = extra ? Linear(2, 2, bias: false) : nil
        seen = TensorRuntime.Buffer(try Tensor(shape: [1], repeating: 7))
        super.init()
        _ = late
    }

    override func key(of property: String) -> String { property == "extra" ? "more" : super.key(of: property) }
    override func forward(_ x: Variable) throws -> Variable { try upConv1(x) }
}

/// Two inputs: its call is written by hand.
private final class Gate: Module {
    let mix = Linear(2, 2)
    func callAsFunction(_ a: Variable, _ b: Variable) throws -> Variable { try scope { try mix(a) * b } }
}

/// Holds itself.
private final class Ring: Module {
    let mix = Linear(1, 2)
    var next: Ring?
}

struct EagerModuleTests {
    @Test("A model that was used is freed when nobody holds it")
    func isFreed() throws {
        weak var weakModel: Sequential?
        weak var weakLayer: Linear?
        do {
            let layer = Linear(2, 2)
            let model = Sequential(layer, Linear(2, 1))
            _ = try model(Variable(Tensor(shape: [1, 2], values: [1, 2]))).value
            #expect(model.namedModules.map(\.name) == ["", "0", "1"])
            #expect(model.namedModules.map(\.name) == ["", "0", "1"])
            #expect(model.parameters.parameterNames.count == 4)
            (weakModel, weakLayer) = (model, layer)
        }
        #expect(weakModel == nil && weakLayer == nil)
    }

    @Test("A module that holds itself has its parameters once")
    func ring() {
        let ring = Ring()
        let other = Ring()
        (ring.next, other.next) = (other, ring)
        defer { (ring.next, other.next) = (nil, nil) }
        #expect(
            Set(ring.state().keys) == ["mix.weight", "mix.bias", "next.mix.weight", "next.mix.bias"])
        ring.train(false)
        #expect(!other.isTraining)
    }

    @Test("State has the names of properties in snake case: optionals, arrays, dictionaries, lazy ones, renamed ones")
    func names() throws {
        let branch = try Branch(extra: true)
        let model = Sequential(branch, BatchNorm2d(3), branch)
        let own = [
            "up_conv1.weight", "up_conv1.bias", "more.weight", "table.a.weight", "table.b.weight", "seen",
            "late.weight", "late.bias",
        ]
        let norm = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
        let expected = own.map { "0.\($0)" } + own.map { "2.\($0)" } + norm.map { "1.\($0)" }
        #expect(Set(model.state().keys) == Set(expected))
        // A module that is there twice has its parameters trained once.
        #expect(model.parameters.parameterNames.allSatisfy { !$0.hasPrefix("2.") })
        #expect(model.parameters.parameterNames.prefix(2) == ["0.up_conv1.weight", "0.up_conv1.bias"])
        #expect(try Branch(extra: false).state()["more.weight"] == nil)
        #expect(model.namedModules.map(\.name).prefix(3) == ["", "0", "0.up_conv1"])
    }

    @Test("Loading refuses missing, unknown and misshapen tensors by name and changes nothing")
    func loading() throws {
        let model = Linear(2, 1)
        let before = model.state()
        let weight = try Tensor(shape: [1, 2], values: [4, 5])
        #expect(throws: RuntimeError.invalidCheckpoint("missing are bias; unknown are other")) {
            try model.load(["weight": weight, "other": weight])
        }
        #expect(throws: RuntimeError.tensorMismatch(name: "bias", expected: [1], got: [1, 2])) {
            try model.load(["weight": weight, "bias": weight])
        }
        #expect(model.state() == before)
        try model.load(["weight": weight, "other": weight], strict: false)
        #expect(model.state()["weight"] == weight && model.state()["bias"] == before["bias"])
    }

    @Test("A file written is read back, bit by bit")
    func files() throws {
        try PythonReference.withFolder { folder in
            let url = folder.appending(path: "model.safetensors")
            let model = Sequential(Conv2d(1, 2, kernel: 3), BatchNorm2d(2))
            try model.save(to: url, metadata: ["epoch": "3"])
            let other = Sequential(Conv2d(1, 2, kernel: 3), BatchNorm2d(2))
            #expect(other.state() != model.state())
            try other.load(contentsOf: url)
            #expect(other.state() == model.state())
            let linear = Linear(1, 2)
            let before = linear.state()
            #expect(throws: RuntimeError.self) { try linear.load(contentsOf: url) }
            #expect(throws: RuntimeError.tensorMismatch(name: "0.weight", expected: [2, 1, 5, 5], got: [2, 1, 3, 3])) {
                try Sequential(Conv2d(1, 2, kernel: 5), BatchNorm2d(2)).load(contentsOf: url)
            }
            try linear.load(contentsOf: url, strict: false)
            #expect(linear.state() == before)
        }
    }

    @Test("Training mode reaches every module; dropout is the identity in evaluation")
    func modes() throws {
        let model = Sequential(Sequential(Dropout(0.9), Dropout2d(0.9)), BatchNorm2d(3, tracksStatistics: false))
        #expect(model.namedModules.allSatisfy { $0.module.isTraining })
        model.evaluate()
        #expect(model.namedModules.allSatisfy { !$0.module.isTraining })
        let x = Variable(try Tensor.normal(shape: [2, 3, 4, 4], generator: RandomGenerator(seed: 1)))
        #expect(try model.layers[0](x).value == x.value)
        // Without running statistics the batch's are used in evaluation too.
        #expect(abs(try model(x).mean().scalar) < 1e-6)
        model.train()
        #expect(model.layers[0].isTraining)
    }

    @Test("Modules with several inputs name their operations too; a store shares the memory of its module")
    func severalInputs() throws {
        let gate = Gate()
        let x = Variable(try Tensor(shape: [1, 2], values: [1, 2]))
        #expect {
            _ = try gate(x, Variable(Tensor(shape: [3], repeating: 1)))
        } throws: { "\($0)".hasPrefix("mul: shapes [1, 2] and [3] cannot be broadcast") }
        #expect {
            _ = try gate(Variable(Tensor(shape: [3], repeating: 1)), x)
        } throws: { "\($0)".hasPrefix("linear (mix): weights [2, 2] do not fit an input of shape [3]") }
        try gate(x, x).sum().backward()
        #expect(try gate.parameters.gradient("mix.bias") == Tensor(shape: [2], values: [1, 2]))
        try gate.parameters.set("mix.bias", to: Tensor(shape: [2], values: [8, 9]))
        #expect(gate.state()["mix.bias"]?.values == [8, 9])
        gate.zeroGradients()
        #expect(try gate.parameters.gradient("mix.bias") == nil)
    }

    @Test("Every activation layer is its function")
    func activations() throws {
        let x = Variable(try Tensor(shape: [2, 3], values: [-3, -0.5, 0, 0.2, 1, 7]))
        let pairs: [(Activation.Function, (Variable) throws -> Variable)] = [
            (.identity, { $0 }), (.relu, { try $0.relu() }), (.relu6, { try $0.relu6() }),
            (.sigmoid, { try $0.sigmoid() }), (.tanh, { try $0.tanh() }), (.silu, { try $0.silu() }),
            (.mish, { try $0.mish() }), (.hardSwish, { try $0.hardSwish() }),
            (.hardSigmoid, { try $0.hardSigmoid() }), (.logSigmoid, { try $0.logSigmoid() }),
            (.leakyReLU(slope: 0.3), { try $0.leakyReLU(slope: 0.3) }), (.elu(alpha: 2), { try $0.elu(alpha: 2) }),
            (.gelu(approximate: true), { try $0.gelu(approximate: true) }),
            (.softplus(beta: 2), { try $0.softplus(beta: 2) }),
            (.hardTanh(maximum: 0.5), { try $0.hardTanh(maximum: 0.5) }),
            (.softmax(axis: 0), { try $0.softmax(axis: 0) }), (.logSoftmax(), { try $0.logSoftmax() }),
        ]
        for (function, expected) in pairs {
            #expect(try Activation(function)(x).value == expected(x).value, "\(function)")
        }
        #expect(Set(try pairs.map { try Activation($0.0)(x).value.values }).count == pairs.count)
    }
}
