/// Wall time that images took from their pixels to their masks, in seconds.
public struct InferenceTime: Sendable, Equatable {
    /// From preprocessed images to class scores: the network, over the sliding window and its mirror images.
    public var network = 0.0
    /// Everything else: preprocessing, resampling to the image's grid, the choice of the class, postprocessing.
    public var aside = 0.0

    /// Both.
    public var whole: Double { network + aside }

    /// No time yet.
    public init() {}

    /// Adds what `body` takes to a part.
    mutating func measuring<R>(_ part: WritableKeyPath<InferenceTime, Double>, _ body: () throws -> R) rethrows -> R {
        let start = ContinuousClock.now
        defer { self[keyPath: part] += (ContinuousClock.now - start) / .seconds(1) }
        return try body()
    }
}
