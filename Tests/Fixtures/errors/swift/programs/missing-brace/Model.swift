import TensorRuntime

final class UNet: Layer {
    override func forward(_ x: Variable) throws -> Variable {
        return try x.relu()
    }
