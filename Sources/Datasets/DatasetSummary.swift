/// What a reader wants to know of a dataset before trusting a number from it, computed from its files.
public struct DatasetSummary: Sendable, Codable {
    public var name: String
    public var title: String
    public var imageKind: String
    public var foreground: String
    public var training: Int
    public var heldOut: Int
    public var splitMethod: String
    /// `160×192` where all agree, the smallest and largest otherwise.
    public var imageSize: String
    public var channels: Int
    /// Over all samples.
    public var coverage: Coverage
    public var reference: ReferenceDice
    public var contentHash: String
    public var provenance: DatasetDescription.Provenance

    enum CodingKeys: String, CodingKey {
        case name, title, foreground, training, channels, coverage, reference, provenance
        case imageKind = "image_kind"
        case heldOut = "held_out"
        case splitMethod = "split_method"
        case imageSize = "image_size"
        case contentHash = "content_hash"
    }

    /// - Throws: `DatasetError`.
    /// - Complexity: decodes every picture.
    public init(_ dataset: Dataset) throws(DatasetError) {
        var fractions: [Double] = []
        var sizes: Set<[Int]> = []
        for id in dataset.samples {
            let mask = try dataset.truth(id)
            fractions.append(Double(mask.bytes.count { $0 != 0 }) / Double(mask.pixels))
            sizes.insert([mask.width, mask.height])
        }
        name = dataset.name
        title = dataset.description.title
        imageKind = dataset.description.imageKind
        foreground = dataset.description.foreground
        training = dataset.split.training.count
        heldOut = dataset.split.heldOut.count
        splitMethod = dataset.split.method
        channels = dataset.description.channels
        let ordered = sizes.sorted { ($0[0] * $0[1], $0[0]) < ($1[0] * $1[1], $1[0]) }
        let ends = Set([ordered.first, ordered.last].compactMap { $0 })
        imageSize = ordered.filter(ends.contains).map { "\($0[0])×\($0[1])" }.joined(separator: " to ")
        coverage = Coverage(fractions)
        reference = try ReferenceDice.compute(dataset)
        contentHash = try dataset.contentHash()
        provenance = dataset.description.provenance
    }

    /// For the terminal.
    public var text: String {
        func percent(_ fraction: Double) -> String { "\((fraction * 1000).rounded() / 10) %" }
        func three(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
        let rule = reference.threshold.direction == .above ? "above" : "at or below"
        let lines = [
            "\(name): \(title)",
            "",
            "images        \(training + heldOut) of \(imageSize), \(channels == 1 ? "grey" : "colour"): \(imageKind)",
            "foreground    \(foreground): \(percent(coverage.smallest)) to \(percent(coverage.largest)) of an image, "
                + "median \(percent(coverage.median)), absent in \(coverage.empty)",
            "split         \(training) training, \(heldOut) held out; \(splitMethod)",
            "threshold     Dice \(three(reference.threshold.heldOutDice)) held out, best single grey level fitted on training: "
                + "\(rule) \(reference.threshold.level)",
            "mean mask     Dice \(three(reference.meanMask.heldOutDice)) held out, where at least "
                + "\(percent(reference.meanMask.fraction)) of the training masks are",
            "content hash  \(contentHash)",
            "licence       \(provenance.licence)",
        ]
        let sources = provenance.sources.map { "source        \($0)" }
        let notes = provenance.notes.map { "note          \($0)" }
        return (lines + sources + notes).joined(separator: "\n")
    }
}
