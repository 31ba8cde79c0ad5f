import TensorRuntime

/// Convolutions whose dilation grows, at full resolution, without encoder and decoder.
final class DilatedNet: Layer {
    let blocks: [Sequential]
    let head: Conv2d

    init(channels: Int) {
        var inputs = 1
        blocks = [1, 2, 4, 8].map { dilation in
            defer { inputs = channels }
            return Sequential(
                Conv2d(inputs, channels, kernel: 3, padding: dilation, dilation: dilation, bias: false),
                BatchNorm2d(channels), Activation(.relu))
        }
        head = Conv2d(channels, 1, kernel: 1)
    }

    override func forward(_ image: Variable) throws -> Variable {
        var x = image
        for block in blocks { x = try block(x) }
        return try head(x)
    }
}
