import ResultStore

/// A training in which nothing was learnt.
struct LossFlatCheck: StoreCheck {
    let id = "loss-flat"
    let asks = "Does the loss of every training move?"
    let why =
        "A loss that stands still was not trained: the weights were not updated, or the numbers are not of this training."

    /// Relative; rounding in float32 moves a mean loss by about 1e-7.
    static let tolerance = 1e-6

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        evidence.trainings.compactMap { run, training in
            let curves: [(String, [Double])] = [
                ("training loss", training.epochs.compactMap(\.trainLoss)),
                ("validation loss", training.epochs.compactMap(\.validationLoss)),
                ("common cross-entropy", training.epochs.compactMap(\.commonBce)),
            ]
            let flat = curves.filter { Self.isFlat($0.1) }
            guard let first = flat.first else { return nil }
            return finding(
                .warning, run.place(training),
                "\(flat.map(\.0).joined(separator: ", ")) stay at \(Wording.number(first.1[0], digits: 6)) for all \(first.1.count) epochs",
                look: evidence.query(
                    "SELECT epoch, train_loss, validation_loss, common_bce FROM epoch WHERE training_id = \(training.id)"
                ))
        }
    }

    static func isFlat(_ values: [Double]) -> Bool {
        guard values.count > 1, values.allSatisfy(\.isFinite), let low = values.min(), let high = values.max() else {
            return false
        }
        return high - low <= tolerance * max(abs(low), abs(high))
    }
}
