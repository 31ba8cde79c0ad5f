import GRDB

extension Schema {
    /// Networks trained on a budget of labels, and how well each segments the held-out images.
    static func createSweepTables(_ db: Database) throws {
        try db.create(table: "sweep_training") { t in
            t.autoIncrementedPrimaryKey("id")
            t.column("dataset", .text).notNull()
            t.column("dataset_hash", .text).notNull()
            t.column("network", .text).notNull()
            t.column("labels", .integer).notNull()
            t.column("seed", .integer).notNull()
            t.column("size", .integer).notNull()
            t.column("steps", .integer).notNull()
            t.column("recipe", .text).notNull()
            t.column("status", .text).notNull()
            t.column("failure", .text)
            t.column("threads", .integer)
            t.column("training_images", .integer)
            t.column("validation_images", .integer)
            t.column("parameters", .integer)
            t.column("best_step", .integer)
            t.column("validation_dice", .double)
            t.column("seconds", .double)
            t.column("started_at", .datetime).notNull()
            t.column("ended_at", .datetime)
            t.uniqueKey(["dataset", "dataset_hash", "network", "labels", "seed", "size", "steps", "recipe"])
        }
        try db.create(table: "sweep_score") { t in
            t.primaryKey {
                t.column("training_id", .integer).references("sweep_training", onDelete: .cascade)
                t.column("sample", .text)
            }
            t.column("dice", .double).notNull()
            t.column("iou", .double).notNull()
            t.column("hausdorff95", .double).notNull()
        }
    }
}
