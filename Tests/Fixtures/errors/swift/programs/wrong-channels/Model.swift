import TensorRuntime

final class Net: Layer {
    let first = Conv2d(3, 8, kernel: 3, padding: 1)
    override func forward(_ x: Variable) throws -> Variable { try first(x) }
}
