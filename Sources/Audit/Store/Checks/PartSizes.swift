/// How many samples and batches a part of the data has, by the capture.
struct PartSizes {
    var samples: Int
    var batchSize: Int
    var dropsLast: Bool

    /// - Parameter part: `validation` or `test`.
    init?(_ part: String, of capture: AuditEvidence.Capture?) {
        guard let samples = capture?.part(part)?.count, let size = capture?.pipeline?.integer("\(part)_batch_size"),
            samples > 0, size > 0
        else { return nil }
        self.samples = samples
        batchSize = size
        dropsLast = capture?.pipeline?.flag("drop_last") ?? false
    }

    init(samples: Int, batchSize: Int) {
        self.samples = samples
        self.batchSize = batchSize
        dropsLast = false
    }

    var batches: Int { (samples + batchSize - 1) / batchSize }

    /// Whether a list of this length can be one value a batch.
    func fits(_ count: Int) -> Bool { count == batches || (dropsLast && count == max(1, samples / batchSize)) }

    /// Whether a list of this length is one value a sample, where that is another length.
    func isPerSample(_ count: Int) -> Bool { count == samples && !fits(count) }
}
