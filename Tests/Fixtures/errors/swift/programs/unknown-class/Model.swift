import TensorRuntime

final class UNet: Layer {
    let stem = Conv2D(1, 8, kernel: 3, padding: 1)
    override func forward(_ x: Variable) throws -> Variable { try stem(x) }
}
