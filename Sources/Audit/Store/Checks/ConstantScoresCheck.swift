/// A training that scores the same on every image.
struct ConstantScoresCheck: StoreCheck {
    let id = "constant-scores"
    let asks = "Do the scores of different images differ?"
    let why =
        "Different images hardly ever give one Dice: the prediction is empty or full, or one number was written for all. A rank "
        + "test over such images counts one fact many times."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        evidence.trainings.flatMap { run, training in
            training.scoreLists.filter { ["held_out", "test_batch"].contains($0.table) && $0.column == "dice" }
                .compactMap { list in
                    guard list.values.count >= 3, let value = list.values.first, value.isFinite,
                        list.values.allSatisfy({ $0 == value })
                    else { return nil }
                    return finding(
                        .warning, run.place(training),
                        "all \(list.values.count) \(list.name) are \(Wording.number(value))",
                        look: evidence.query(
                            "SELECT \(list.column), count(*) FROM \(list.table) WHERE training_id = \(training.id) GROUP BY 1"
                        ))
                }
        }
    }
}
