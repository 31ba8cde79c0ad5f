import TensorRuntime

final class Net: Layer {
    let first: Conv2d
    let second: Conv2d
    init(channels: Int) { first = Conv2d(1, channels, kernel: 3) }
}
