import GRDB

extension Schema {
    /// Masks that were drawn and not learnt: what was asked, what came back, how well it fits.
    static func createDrawingTables(_ db: Database) throws {
        try createDrawingSetTable(db)
        try createDrawingTable(db)
        try db.create(table: "drawing_score") { t in
            t.primaryKey {
                t.column("set_id", .integer).references("drawing_set", onDelete: .cascade)
                t.column("sample", .text)
                t.column("combination", .text)
                t.column("draw", .integer)
                t.column("refinement", .text)
            }
            t.column("draws", .integer).notNull()
            t.column("dice", .double).notNull()
            t.column("iou", .double).notNull()
            t.column("precision", .double).notNull()
            t.column("recall", .double).notNull()
            t.column("specificity", .double).notNull()
            t.column("hausdorff95", .double).notNull()
            t.column("average_surface_distance", .double).notNull()
            t.column("boundary_f1", .double).notNull()
            t.column("unit", .text).notNull()
            t.column("emptiness", .text).notNull()
            t.column("self_consistency", .double)
        }
    }

    private static func createDrawingSetTable(_ db: Database) throws {
        try db.create(table: "drawing_set") { t in
            t.autoIncrementedPrimaryKey("id")
            t.column("path", .text).notNull().unique()
            t.column("study", .text).notNull()
            t.column("dataset", .text).notNull()
            t.column("dataset_hash", .text).notNull()
            t.column("drawer", .text).notNull()
            t.column("kind", .text).notNull()
            t.column("shape", .text).notNull()
            t.column("prompt_hash", .text)
            t.column("template_hash", .text)
            t.column("image_size", .integer)
            t.column("grid", .boolean).notNull()
            t.column("convention", .text)
            t.column("skill", .text)
            t.column("temperature", .double)
            t.column("sampling_seed", .integer)
            t.column("draws", .integer).notNull()
            t.column("provider", .text)
            t.column("endpoint_model", .text)
            t.column("vendor", .text)
            t.column("cohort_year", .integer)
            t.column("reasoning", .boolean)
            t.column("open_weights", .boolean)
            t.column("fixture", .boolean).notNull()
            t.column("started_at", .datetime).notNull()
            t.column("ended_at", .datetime)
        }
    }

    private static func createDrawingTable(_ db: Database) throws {
        try db.create(table: "drawing") { t in
            t.autoIncrementedPrimaryKey("id")
            t.column("set_id", .integer).notNull().indexed().references("drawing_set", onDelete: .cascade)
            t.column("part", .text).notNull()
            t.column("sample", .text).notNull()
            t.column("draw", .integer).notNull()
            t.column("turn", .integer).notNull()
            t.column("ordinal", .integer).notNull()
            t.column("status", .text).notNull()
            t.column("request_hash", .text)
            t.column("asked_at", .datetime).notNull()
            t.column("completed_at", .datetime)
            t.column("finish_reason", .text)
            t.column("input_tokens", .integer)
            t.column("output_tokens", .integer)
            t.column("reasoning_tokens", .integer)
            t.column("first_token_seconds", .double)
            t.column("seconds", .double)
            t.column("attempts", .integer)
            t.column("cost", .double)
            t.column("cost_is_estimate", .boolean).notNull()
            t.column("warnings", .text).notNull()
            t.column("convention", .text)
            t.column("dress", .text)
            t.column("repairs", .text).notNull()
            t.column("failure", .text)
            t.column("shape", .text)
            t.column("route", .text)
            t.uniqueKey(["set_id", "sample", "draw", "turn", "ordinal"])
        }
    }
}
