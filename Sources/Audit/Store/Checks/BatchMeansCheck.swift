/// Means of batches that do not follow from the images they are means of.
struct BatchMeansCheck: StoreCheck {
    let id = "batch-means"
    let asks = "Do the means of held-out batches follow from the images' Dice?"
    let why = "A mean that does not follow from the values beside it was computed from others, or changed afterwards."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        evidence.trainings.compactMap { run, training in
            guard let sizes = training.heldOutSizes, training.heldOutBatches.count == sizes.batches,
                let mean = training.meanDice
            else { return nil }
            // Which image lies in which batch is not stored; the mean of all, weighted by the batches' sizes, does not depend on it.
            let last = sizes.samples - (sizes.batches - 1) * sizes.batchSize
            let sum = training.heldOutBatches.enumerated().reduce(0.0) { sum, batch in
                sum + batch.element * Double(batch.offset == sizes.batches - 1 ? last : sizes.batchSize)
            }
            let fromBatches = sum / Double(sizes.samples)
            guard abs(fromBatches - mean) > 1e-9, fromBatches.isFinite, mean.isFinite else { return nil }
            return finding(
                .error, run.place(training),
                "the mean of \(sizes.batches) held-out batches is \(Wording.number(fromBatches, digits: 6)), that of their "
                    + "\(sizes.samples) images \(Wording.number(mean, digits: 6))",
                look: evidence.query(
                    "SELECT avg(dice) FROM held_out WHERE training_id = \(training.id); "
                        + "SELECT * FROM held_out_batch WHERE training_id = \(training.id)"))
        }
    }
}
