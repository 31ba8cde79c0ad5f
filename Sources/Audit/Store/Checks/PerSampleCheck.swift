/// Lists of one value a sample where one value a batch is due.
struct PerSampleCheck: StoreCheck {
    let id = "per-sample"
    let asks = "Does a list of batches hold one value a batch?"
    let why =
        "The spread of single images is wider than that of batch means, and there are more of them: such a list beside lists of "
        + "batches makes one model look more variable and its test more certain."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        evidence.trainings.flatMap { run, training -> [AuditFinding] in
            var found: [AuditFinding] = []
            func look(_ table: String) -> String {
                evidence.query("SELECT * FROM \(table) WHERE training_id = \(training.id)")
            }
            func report(_ name: String, _ count: Int, _ sizes: PartSizes, _ table: String) {
                found.append(
                    finding(
                        .warning, run.place(training),
                        "\(count) values as \(name), which is one a sample; \(sizes.samples) samples in batches of "
                            + "\(sizes.batchSize) give \(sizes.batches)", look: look(table)))
            }
            if let sizes = PartSizes("test", of: training.capture), sizes.isPerSample(training.testBatches.count) {
                report("test batches", training.testBatches.count, sizes, "test_batch")
            }
            if let sizes = PartSizes("validation", of: training.capture) {
                let perEpoch = Dictionary(grouping: training.validation, by: \.epoch).mapValues(\.count)
                let wrong = perEpoch.filter { sizes.isPerSample($0.value) }
                if let count = wrong.values.first {
                    report(
                        "validation batches in \(Wording.count(wrong.count, "epoch"))", count, sizes, "validation_batch"
                    )
                }
            }
            if let sizes = training.heldOutSizes, sizes.isPerSample(training.heldOutBatches.count) {
                report("held-out batches", training.heldOutBatches.count, sizes, "held_out_batch")
            }
            return found
        }
    }
}

extension AuditEvidence.Training {
    /// Held-out batches are of the pipeline's own test batch size.
    var heldOutSizes: PartSizes? {
        guard !heldOut.isEmpty, let size = capture?.pipeline?.integer("test_batch_size"), size > 0 else { return nil }
        return PartSizes(samples: heldOut.count, batchSize: size)
    }
}
