import GRDB

/// The tables, as named migrations. A migration that was released is never edited: a change is a new one at the end.
enum Schema {
    /// How many migrations this version knows; equal to `PRAGMA user_version` of a database that is up to date.
    static let version = 10

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1") { db in
            try createConversationTables(db)
            try createTrainingTables(db)
            try db.execute(sql: "PRAGMA user_version = 1")
        }
        migrator.registerMigration("v2") { db in
            try createStudyTables(db)
            try db.execute(sql: "PRAGMA user_version = 2")
        }
        migrator.registerMigration("v3") { db in
            try createBaselineTables(db)
            try db.alter(table: "training") { t in t.add(column: "inference_seconds", .double) }
            try db.execute(sql: "PRAGMA user_version = 3")
        }
        migrator.registerMigration("v4") { db in
            try db.alter(table: "run") { t in
                t.add(column: "vendor", .text)
                t.add(column: "open_weights", .boolean)
            }
            try countChanges(db)
            try db.execute(sql: "PRAGMA user_version = 4")
        }
        migrator.registerMigration("v5") { db in
            try db.alter(table: "baseline") { t in t.add(column: "network_seconds", .double) }
            try db.execute(sql: "PRAGMA user_version = 5")
        }
        migrator.registerMigration("v6") { db in
            try db.alter(table: "run") { t in
                t.add(column: "system_hash", .text)
                t.add(column: "temperature", .double)
                t.add(column: "sampling_seed", .integer)
            }
            try db.execute(sql: "PRAGMA user_version = 6")
        }
        migrator.registerMigration("v7") { db in
            try createDrawingTables(db)
            try db.execute(sql: "PRAGMA user_version = 7")
        }
        migrator.registerMigration("v8") { db in
            try createSweepTables(db)
            // Version 9 came out first: a store that has it keeps its number.
            let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            if version < 8 { try db.execute(sql: "PRAGMA user_version = 8") }
        }
        migrator.registerMigration("v9") { db in
            try db.alter(table: "run") { t in
                t.add(column: "refines", .text)
                t.add(column: "refinement", .integer)
            }
            try db.execute(sql: "PRAGMA user_version = 9")
        }
        migrator.registerMigration("v10") { db in
            try db.alter(table: "run") { t in t.add(column: "prompt_name", .text) }
            try db.execute(sql: "PRAGMA user_version = 10")
        }
        return migrator
    }

    private static func createConversationTables(_ db: Database) throws {
        try db.create(table: "run") { t in
            t.autoIncrementedPrimaryKey("id")
            t.column("path", .text).notNull().unique()
            t.column("study", .text).notNull()
            t.column("dataset", .text).notNull()
            t.column("model", .text).notNull()
            t.column("target", .text).notNull()
            t.column("prompt_hash", .text).notNull()
            t.column("run_index", .integer).notNull()
            t.column("provider", .text).notNull()
            t.column("endpoint_model", .text).notNull()
            t.column("cohort_year", .integer)
            t.column("reasoning", .boolean)
            t.column("fixture", .boolean).notNull()
            t.column("template_hash", .text).notNull()
            t.column("dataset_hash", .text).notNull()
            t.column("max_rounds", .integer).notNull()
            t.column("loop_after", .integer).notNull()
            t.column("sandboxed", .boolean).notNull()
            t.column("status", .text).notNull()
            t.column("end_reason", .text)
            t.column("started_at", .datetime).notNull()
            t.column("ended_at", .datetime)
        }
        try db.create(table: "exchange") { t in
            t.autoIncrementedPrimaryKey("id")
            t.column("run_id", .integer).notNull().indexed().references("run", onDelete: .cascade)
            t.column("round", .integer).notNull()
            t.column("ordinal", .integer).notNull()
            t.column("status", .text).notNull()
            t.column("request_hash", .text).notNull()
            t.column("sent_at", .datetime).notNull()
            t.column("completed_at", .datetime)
            t.column("finish_reason", .text)
            t.column("input_tokens", .integer)
            t.column("output_tokens", .integer)
            t.column("reasoning_tokens", .integer)
            t.column("first_token_seconds", .double)
            t.column("total_seconds", .double)
            t.column("attempts", .integer)
            t.column("cost", .double)
            t.column("cost_is_estimate", .boolean).notNull()
            t.column("warnings", .text).notNull()
            t.column("failure", .text)
            t.uniqueKey(["run_id", "round", "ordinal"])
        }
        try db.create(table: "round") { t in
            t.autoIncrementedPrimaryKey("id")
            t.column("run_id", .integer).notNull().indexed().references("run", onDelete: .cascade)
            t.column("round", .integer).notNull()
            t.column("outcome", .text).notNull()
            t.column("files", .text).notNull()
            t.column("code_lines", .integer).notNull()
            t.column("termination", .text)
            t.column("check_seconds", .double)
            t.column("check_cpu_seconds", .double)
            t.column("check_peak_bytes", .integer)
            t.column("finished_at", .datetime).notNull()
            t.uniqueKey(["run_id", "round"])
        }
        try db.create(table: "error") { t in
            t.autoIncrementedPrimaryKey("id")
            t.column("run_id", .integer).notNull().indexed().references("run", onDelete: .cascade)
            t.column("round", .integer).notNull()
            t.column("error_class", .text).notNull()
            t.column("subcategory", .text).notNull()
            t.column("message", .text).notNull()
            t.column("file", .text)
            t.column("line", .integer)
            t.column("function", .text)
            t.column("signature", .text).notNull()
            t.column("same_as_previous", .boolean).notNull()
            t.uniqueKey(["run_id", "round"])
        }
        try db.create(table: "interaction") { t in
            t.autoIncrementedPrimaryKey("id")
            t.column("run_id", .integer).notNull().indexed().references("run", onDelete: .cascade)
            t.column("round", .integer).notNull()
            t.column("ordinal", .integer).notNull()
            t.column("kind", .text).notNull()
            t.column("text", .text).notNull()
            t.column("template_hash", .text)
            t.uniqueKey(["run_id", "round", "ordinal"])
        }
    }

    private static func createTrainingTables(_ db: Database) throws {
        try db.create(table: "capture") { t in
            t.autoIncrementedPrimaryKey("id")
            t.column("run_id", .integer).notNull().indexed().references("run", onDelete: .cascade)
            t.column("dataset_hash", .text).notNull()
            t.column("epochs", .integer)
            t.column("seed", .integer).notNull()
            t.column("status", .text).notNull()
            t.column("facts", .text)
            t.column("pipeline", .text)
            t.column("stated", .text)
            t.column("refusals", .text).notNull()
            t.column("failure", .text)
            t.column("seconds", .double)
            t.column("created_at", .datetime).notNull()
        }
        try db.create(table: "training") { t in
            t.autoIncrementedPrimaryKey("id")
            t.column("run_id", .integer).notNull().indexed().references("run", onDelete: .cascade)
            t.column("engine", .text).notNull()
            t.column("seed", .integer).notNull()
            t.column("epochs", .integer)
            t.column("dataset_hash", .text).notNull()
            t.column("status", .text).notNull()
            t.column("failure", .text)
            t.column("threads", .integer)
            t.column("stopped_at_epoch", .integer)
            t.column("best_epoch", .integer)
            t.column("seconds", .double)
            t.column("started_at", .datetime).notNull()
            t.column("ended_at", .datetime)
            t.uniqueKey(["run_id", "engine", "seed"])
        }
        try db.create(table: "epoch") { t in
            t.primaryKey {
                t.column("training_id", .integer).references("training", onDelete: .cascade)
                t.column("epoch", .integer)
            }
            t.column("train_loss", .double)
            t.column("validation_loss", .double)
            t.column("common_bce", .double)
            t.column("common_soft_dice", .double)
            t.column("seconds", .double)
        }
        try db.create(table: "validation_batch") { t in
            t.primaryKey {
                t.column("training_id", .integer).references("training", onDelete: .cascade)
                t.column("epoch", .integer)
                t.column("batch", .integer)
            }
            t.column("dice", .double).notNull()
        }
        for table in ["test_batch", "held_out_batch"] {
            try db.create(table: table) { t in
                t.primaryKey {
                    t.column("training_id", .integer).references("training", onDelete: .cascade)
                    t.column("batch", .integer)
                }
                t.column("dice", .double).notNull()
            }
        }
        try db.create(table: "held_out") { t in
            t.primaryKey {
                t.column("training_id", .integer).references("training", onDelete: .cascade)
                t.column("sample", .text)
            }
            t.column("dice", .double).notNull()
            t.column("model_grid_dice", .double)
        }
        try db.create(table: "dataset_reference") { t in
            t.primaryKey {
                t.column("dataset", .text)
                t.column("dataset_hash", .text)
            }
            t.column("samples", .integer).notNull()
            t.column("best_threshold", .double).notNull()
            t.column("best_threshold_dice", .double).notNull()
            t.column("mean_mask_dice", .double).notNull()
        }
        try db.create(table: "parity") { t in
            t.autoIncrementedPrimaryKey("id")
            t.column("run_id", .integer).notNull().indexed().references("run", onDelete: .cascade)
            t.column("seed", .integer).notNull()
            t.column("steps", .integer).notNull()
            t.column("largest_loss_difference", .double).notNull()
            t.column("swift_losses", .text).notNull()
            t.column("pytorch_losses", .text).notNull()
            t.column("created_at", .datetime).notNull()
            t.uniqueKey(["run_id", "seed"])
        }
    }

    /// What a study is doing: its jobs, and the process that works on them. What is done stands in the tables above.
    private static func createStudyTables(_ db: Database) throws {
        try db.create(table: "study") { t in
            t.primaryKey("name", .text)
            t.column("title", .text).notNull()
            t.column("file", .text).notNull()
            t.column("file_hash", .text).notNull()
            t.column("budget_money", .double)
            t.column("budget_hours", .double)
            t.column("process", .text)
            t.column("first_begun_at", .datetime).notNull()
            t.column("begun_at", .datetime).notNull()
            t.column("seen_at", .datetime).notNull()
            t.column("earlier_seconds", .double).notNull()
            t.column("ending", .text)
        }
        try db.create(table: "job") { t in
            t.primaryKey("id", .text)
            t.column("position", .integer).notNull()
            t.column("kind", .text).notNull()
            t.column("needs", .text).notNull()
            t.column("state", .text).notNull()
            t.column("fault", .text)
            t.column("reason", .text)
            t.column("process", .text)
            t.column("started_at", .datetime)
            t.column("ended_at", .datetime)
            t.column("seconds", .double)
            t.column("expected_seconds", .double)
            t.column("expected_cost", .double)
        }
    }

    /// How often the rows of each run were changed, by whichever process: who has read a study reads only what is new of it.
    ///
    /// Triggers do it, so that no statement can forget to. Rows of a run that is gone are left: its number is never given again.
    private static func countChanges(_ db: Database) throws {
        try db.create(table: "run_change") { t in
            t.primaryKey("run_id", .integer)
            t.column("count", .integer).notNull()
        }
        let byRun = ["exchange", "round", "error", "interaction", "capture", "training", "parity"]
        let byTraining = ["epoch", "validation_batch", "test_batch", "held_out_batch", "held_out"]
        for (event, row) in [("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")] {
            try count(event, of: "run", as: "VALUES (\(row).id, 1)", db)
            for table in byRun { try count(event, of: table, as: "VALUES (\(row).run_id, 1)", db) }
            for table in byTraining {
                try count(event, of: table, as: "SELECT run_id, 1 FROM training WHERE id = \(row).training_id", db)
            }
        }
    }

    private static func count(_ event: String, of table: String, as values: String, _ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TRIGGER run_change_\(table)_\(event.lowercased()) AFTER \(event) ON "\(table)" BEGIN
                  INSERT INTO run_change (run_id, count) \(values) ON CONFLICT (run_id) DO UPDATE SET count = count + 1;
                END
                """)
    }

    /// Networks that no language model wrote, trained on the same data.
    private static func createBaselineTables(_ db: Database) throws {
        try db.create(table: "baseline") { t in
            t.autoIncrementedPrimaryKey("id")
            t.column("engine", .text).notNull()
            t.column("dataset", .text).notNull()
            t.column("budget", .text).notNull()
            t.column("seed", .integer).notNull()
            t.column("dataset_hash", .text).notNull()
            t.column("epochs", .integer)
            t.column("iterations", .integer).notNull()
            t.column("wall_seconds", .double)
            t.column("status", .text).notNull()
            t.column("failure", .text)
            t.column("version", .text)
            t.column("device", .text)
            t.column("threads", .integer)
            t.column("batch_size", .integer)
            t.column("patch_height", .integer)
            t.column("patch_width", .integer)
            t.column("postprocessing", .boolean)
            t.column("seconds", .double)
            t.column("inference_seconds", .double)
            t.column("started_at", .datetime).notNull()
            t.column("ended_at", .datetime)
            t.uniqueKey(["engine", "dataset", "budget", "seed"])
        }
        try db.create(table: "baseline_epoch") { t in
            t.primaryKey {
                t.column("baseline_id", .integer).references("baseline", onDelete: .cascade)
                t.column("epoch", .integer)
            }
            t.column("train_loss", .double)
            t.column("validation_loss", .double)
            t.column("pseudo_dice", .double)
            t.column("learning_rate", .double)
            t.column("seconds", .double)
        }
        try db.create(table: "baseline_held_out") { t in
            t.primaryKey {
                t.column("baseline_id", .integer).references("baseline", onDelete: .cascade)
                t.column("sample", .text)
            }
            t.column("dice", .double).notNull()
        }
    }
}
