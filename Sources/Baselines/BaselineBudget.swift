/// How much a baseline may compute: so many epochs, or so much time.
public struct BaselineBudget: Sendable, Hashable {
    public enum Limit: Sendable, Hashable {
        case epochs(Int)
        /// Seconds of training, validation included; the epoch in which they run out is finished.
        case seconds(Double)
    }

    public var limit: Limit
    /// Training steps an epoch; nnU-Net's own number is 250.
    public var iterations: Int
    /// In place of the planned one.
    public var batchSize: Int?

    public init(_ limit: Limit, iterations: Int = 250, batchSize: Int? = nil) {
        self.limit = limit
        self.iterations = iterations
        self.batchSize = batchSize
    }

    public var epochs: Int? { if case .epochs(let count) = limit { count } else { nil } }
    public var seconds: Double? { if case .seconds(let count) = limit { count } else { nil } }

    /// One for five training steps: nnU-Net's 50 for 250.
    public var validationIterations: Int { max(1, (iterations + 2) / 5) }

    /// As part of a folder's name and as the key in the store.
    public var key: String {
        let base =
            switch limit {
            case .epochs(let count): "\(count)x\(iterations)"
            // Seconds are whole on the command line and in study files.
            case .seconds(let count): "\(Int(count.rounded()))s" + (iterations == 250 ? "" : "-\(iterations)")
            }
        return base + (batchSize.map { "-b\($0)" } ?? "")
    }
}
