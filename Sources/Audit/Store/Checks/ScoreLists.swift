import ResultStore

/// One list of scores of a training, with where each stands.
struct ScoreList {
    var name: String
    var table: String
    var column: String
    var values: [Double]
    /// Names the value at an index.
    var place: (Int) -> String

    var isHeldOut: Bool { table == "held_out" }
}

extension AuditEvidence.Training {
    /// Every list of Dice that is stored.
    var scoreLists: [ScoreList] {
        let grids = heldOut.filter { $0.modelGridDice != nil }
        let soft = epochs.filter { $0.commonSoftDice != nil }
        return [
            ScoreList(name: "held-out Dice", table: "held_out", column: "dice", values: heldOut.map(\.dice)) {
                "image \(heldOut[$0].sample)"
            },
            ScoreList(
                name: "held-out Dice on the model's grid", table: "held_out", column: "model_grid_dice",
                values: grids.compactMap(\.modelGridDice)
            ) { "image \(grids[$0].sample)" },
            ScoreList(name: "held-out batches", table: "held_out_batch", column: "dice", values: heldOutBatches) {
                "batch \($0)"
            },
            ScoreList(name: "test batches", table: "test_batch", column: "dice", values: testBatches) { "batch \($0)" },
            ScoreList(
                name: "validation batches", table: "validation_batch", column: "dice", values: validation.map(\.dice)
            ) { "epoch \(validation[$0].epoch), batch \(validation[$0].batch)" },
            ScoreList(
                name: "common soft Dice", table: "epoch", column: "common_soft_dice",
                values: soft.compactMap(\.commonSoftDice)
            ) { "epoch \(soft[$0].epoch)" },
        ]
    }
}
