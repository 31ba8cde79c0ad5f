import TensorRuntime

/// A network that the sweep trains.
public enum SweepNetwork: String, Sendable, Hashable, Codable, CaseIterable {
    /// The U-Net of Ronneberger, Fischer and Brox (2015) with batch norm.
    case unet
    /// The same with an encoder of residual blocks (He et al. 2016).
    case resunet
    /// nnU-Net's 2d configuration, planned from the labels (Isensee et al. 2021).
    case nnunet

    /// For tables and figures.
    public var title: String {
        switch self {
        case .unet: "U-Net"
        case .resunet: "U-Net, residual encoder"
        case .nnunet: "nnU-Net plan"
        }
    }

    /// Channels of the first stage.
    public static let baseChannels = 16
    /// Poolings.
    public static let depth = 4
    /// The side of an image is a multiple of this.
    public static let divisor = 1 << depth
    public static let learningRate = 1e-3
    public static let batchSize = 8
    /// How often the validation images are looked at, in equal parts of the steps.
    public static let looks = 10

    /// Everything besides data, labels, seed, size and steps that a result depends on; two trainings with other words are two trainings.
    public var recipe: String {
        switch self {
        case .unet, .resunet:
            "base \(Self.baseChannels), depth \(Self.depth), BCE, Adam \(Self.learningRate), batch \(Self.batchSize), "
                + "flips, best of \(Self.looks) looks at validation Dice; 1"
        case .nnunet:
            "planned at the size, SGD 0.01 with nnU-Net's schedule, loss and augmentation, batch \(Self.batchSize), "
                + "\(Self.looks) epochs, last weights; 1"
        }
    }

    /// The graphs; nil for nnU-Net's, whose plan makes them.
    func graph(size: Int, channels: Int) -> UNetGraph? {
        guard self != .nnunet else { return nil }
        return UNetGraph(
            baseChannels: Self.baseChannels, depth: Self.depth, size: size, inputChannels: channels,
            residualEncoder: self == .resunet)
    }
}
