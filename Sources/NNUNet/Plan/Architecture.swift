/// A plain convolutional U-Net in numbers: what nnU-Net writes under `architecture` of a 2d configuration.
public struct Architecture: Sendable, Equatable {
    /// Channels of each stage, from full resolution down.
    public var features: [Int]
    /// Kernel of each stage, H W.
    public var kernels: [[Int]]
    /// Stride of each stage's first convolution, H W.
    public var strides: [[Int]]
    /// Convolutions of each encoder stage.
    public var encoderConvolutions: [Int]
    /// Convolutions of each decoder stage, from the lowest resolution up.
    public var decoderConvolutions: [Int]

    /// Channels of the first stage; each further stage has twice as many.
    static let baseFeatures = 32
    /// The most channels of a 2-D stage.
    static let maximumFeatures = 512
    /// Convolutions of a stage.
    static let convolutions = 2

    init(_ topology: NetworkTopology) {
        let stages = topology.strides.count
        features = (0..<stages).map { min(Architecture.maximumFeatures, Architecture.baseFeatures << min($0, 16)) }
        (kernels, strides) = (topology.kernels, topology.strides)
        encoderConvolutions = [Int](repeating: Architecture.convolutions, count: stages)
        decoderConvolutions = [Int](repeating: Architecture.convolutions, count: stages - 1)
    }

    /// An architecture by its numbers. Throws `NNUNetError.invalidPlan` when the lists do not go together.
    public init(
        features: [Int], kernels: [[Int]], strides: [[Int]], encoderConvolutions: [Int], decoderConvolutions: [Int]
    ) throws {
        let stages = features.count
        guard stages > 1, kernels.count == stages, strides.count == stages, encoderConvolutions.count == stages,
            decoderConvolutions.count == stages - 1
        else {
            throw NNUNetError.invalidPlan(
                "the lists of the network's stages differ in length, or there is only one stage")
        }
        let isSound =
            (kernels + strides).allSatisfy { $0.count == 2 && $0.allSatisfy { (1...64).contains($0) } }
            && kernels.joined().allSatisfy { $0 % 2 == 1 }
            && (features + encoderConvolutions + decoderConvolutions).allSatisfy { (1...65_536).contains($0) }
        guard isSound else {
            throw NNUNetError.invalidPlan(
                "a stage of the network has a kernel, stride or number of channels out of range")
        }
        (self.features, self.kernels, self.strides) = (features, kernels, strides)
        (self.encoderConvolutions, self.decoderConvolutions) = (encoderConvolutions, decoderConvolutions)
    }

    /// Resolutions of the encoder.
    public var stages: Int { features.count }

    /// Elements of all feature maps of one sample, which nnU-Net takes for the memory of a training step
    /// (`compute_conv_feature_map_size` of PlainConvUNet without deep supervision).
    func featureMapElements(patch: [Int], classes: Int) -> Int {
        var size = patch
        var (sizes, total) = ([[Int]](), 0)
        for stage in 0..<stages {
            size = zip(size, strides[stage]).map { $0 / $1 }
            sizes.append(size)
            total += encoderConvolutions[stage] * features[stage] * size.reduce(1, *)
        }
        for stage in 0..<stages - 1 {
            let pixels = sizes[stage].reduce(1, *)
            // The convolutions, and the transposed one.
            total += (decoderConvolutions[stages - 2 - stage] + 1) * features[stage] * pixels
        }
        return total + classes * sizes[0].reduce(1, *)
    }
}
