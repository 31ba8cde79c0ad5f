/// How the intensities of a channel are brought to one scale, by nnU-Net's class names.
public enum Normalization: String, Sendable, Equatable, Codable {
    /// Clipped to the foreground's 0.5th and 99.5th percentile, then by its mean and standard deviation.
    case ct = "CTNormalization"
    /// Left as they are.
    case none = "NoNormalization"
    /// By the image's own mean and standard deviation.
    case zScore = "ZScoreNormalization"
    /// From the image's own smallest and largest value to 0 … 1.
    case rescaleTo01 = "RescaleTo01Normalization"
    /// Divided by 255.
    case rgbTo01 = "RGBTo01Normalization"

    /// The scheme that nnU-Net chooses by the name of a channel in `dataset.json`, capitals or not; z-score for all it does not know.
    public init(channelName: String) {
        switch channelName.lowercased() {
        case "ct": self = .ct
        case "nonorm": self = .none
        case "rescale_to_0_1": self = .rescaleTo01
        case "rgb_to_0_1": self = .rgbTo01
        default: self = .zScore
        }
    }

    /// Whether the scheme may be restricted to the nonzero region, the rest staying zero.
    var mayUseMask: Bool { self == .zScore }
}
