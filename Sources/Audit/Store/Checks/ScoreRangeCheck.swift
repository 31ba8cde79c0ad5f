/// Dice outside [0, 1].
struct ScoreRangeCheck: StoreCheck {
    let id = "score-range"
    let asks = "Does every Dice lie in [0, 1]?"
    let why =
        "Dice is a share of pixels: a value outside [0, 1] comes from a wrong formula, masks that are not binary, or a slip."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        let stored = evidence.trainings.flatMap { run, training in
            training.scoreLists.compactMap { list -> AuditFinding? in
                let outside = list.values.indices.filter {
                    list.values[$0].isFinite && !(0...1).contains(list.values[$0])
                }
                guard let first = outside.first else { return nil }
                return finding(
                    .error, run.place(training),
                    "\(outside.count) of \(list.values.count) \(list.name) lie outside [0, 1], the first: "
                        + "\(Wording.number(list.values[first])) (\(list.place(first)))",
                    look: evidence.query(
                        "SELECT * FROM \(list.table) WHERE training_id = \(training.id) AND \(list.column) NOT BETWEEN 0 AND 1"
                    ))
            }
        }
        let references = evidence.references.flatMap { reference in
            [("best threshold", reference.bestThresholdDice), ("mean mask", reference.meanMaskDice)]
                .filter { !($0.1 >= 0 && $0.1 <= 1) }.map { name, value in
                    finding(
                        .error, "reference of \(reference.dataset)",
                        "the Dice of the \(name) is \(Wording.number(value))",
                        look: evidence.query("SELECT * FROM dataset_reference"))
                }
        }
        return stored + references
    }
}
