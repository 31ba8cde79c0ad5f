/// What can go wrong; each case reads as one sentence.
public enum NNUNetError: Error, Equatable, CustomStringConvertible {
    /// An image, mask or case that contradicts itself or others.
    case invalidCase(String)
    /// A data set that cannot be planned or trained.
    case unusableDataset(String)
    /// A plan that contradicts itself, or is for something else than was given.
    case invalidPlan(String)
    /// A budget, seed or setting outside of what makes sense.
    case invalidSetting(String)
    /// A checkpoint that belongs to another run.
    case invalidCheckpoint(String)

    /// One sentence, ready to be shown.
    public var description: String {
        switch self {
        case .invalidCase(let reason), .unusableDataset(let reason), .invalidPlan(let reason),
            .invalidSetting(let reason), .invalidCheckpoint(let reason):
            return reason
        }
    }
}
