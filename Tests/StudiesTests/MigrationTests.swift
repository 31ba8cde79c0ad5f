import Foundation
import GRDB
import Testing

@testable import ResultStore

@Suite("A store of version 1")
struct MigrationTests {
    @Test("is brought up to date, and keeps what it has")
    func migrates() throws {
        let place = try StudyPlace()
        let path = place.workspace.database(study: "old")
        try FileManager.default.createDirectory(
            at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        let key = RunKey(
            study: "old", dataset: "disc", model: "small", target: "pytorch", promptHash: "00000000", index: 1)
        try {
            let queue = try DatabaseQueue(path: path.path)
            try Schema.migrator.migrate(queue, upTo: "v1")
            try queue.write { db in
                #expect(try Int.fetchOne(db, sql: "PRAGMA user_version") == 1)
                #expect(try !db.tableExists("job"))
                try Self.insertRun(key, db)
            }
            try queue.close()
        }()
        let store = try ResultStore(path: path)
        #expect(try store.runs().map(\.path) == [key.path])
        #expect(try store.jobs().isEmpty && store.study() == nil)
        var job = JobRecord(id: "generate/small", position: 0, kind: "generate", needs: ["a", "b"], state: .held)
        job.reason = "no money"
        try store.storeJobs([job])
        #expect(try store.jobs() == [job])
        let version = try DatabaseQueue(path: path.path).read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
        #expect(version == 10 && Schema.version == 10)
    }

    /// As versions before 4 did: without the columns that they did not know.
    private static func insertRun(_ key: RunKey, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO run (path, study, dataset, model, target, prompt_hash, run_index, provider, endpoint_model, fixture,
                template_hash, dataset_hash, max_rounds, loop_after, sandboxed, status, started_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, 'replay', '', 1, '', '', 20, 3, 1, 'running', '2026-01-01 00:00:00.000')
                """,
            arguments: [key.path, key.study, key.dataset, key.model, key.target, key.promptHash, key.index])
    }

    @Test("and one of version 2: trainings without the time of a prediction, no baselines")
    func fromVersion2() throws {
        let place = try StudyPlace()
        let path = place.workspace.database(study: "older")
        try FileManager.default.createDirectory(
            at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        let key = RunKey(
            study: "older", dataset: "disc", model: "small", target: "pytorch", promptHash: "00000000", index: 1)
        try {
            let queue = try DatabaseQueue(path: path.path)
            try Schema.migrator.migrate(queue, upTo: "v2")
            try queue.write { db in
                try Self.insertRun(key, db)
                try db.execute(
                    sql: """
                        INSERT INTO training (run_id, engine, seed, epochs, dataset_hash, status, started_at)
                        VALUES (1, 'swift', 0, 8, 'h', 'evaluated', '2026-01-01 00:00:00.000')
                        """)
            }
            try queue.close()
        }()
        let store = try ResultStore(path: path)
        let trainings = try store.trainings(run: 1)
        #expect(trainings.map(\.epochs) == [8] && trainings.first?.inferenceSeconds == nil)
        #expect(try store.baselines().isEmpty && store.integrityProblems().isEmpty)
    }

    @Test("and one of version 3: what its runs' cards said is not known, and changes are counted from then on")
    func fromVersion3() throws {
        let place = try StudyPlace()
        let path = place.workspace.database(study: "older")
        try FileManager.default.createDirectory(
            at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        let key = RunKey(
            study: "older", dataset: "disc", model: "small", target: "pytorch", promptHash: "00000000", index: 1)
        try {
            let queue = try DatabaseQueue(path: path.path)
            try Schema.migrator.migrate(queue, upTo: "v3")
            try queue.write { try Self.insertRun(key, $0) }
            try queue.close()
        }()
        let store = try ResultStore(path: path)
        let run = try #require(try store.runs().first)
        #expect(run.vendor == nil && run.openWeights == nil && run.provider == "replay")
        #expect(try store.runStates(study: "older") == [RunState(run: 1, changes: 0)])
        #expect(try store.integrityProblems().isEmpty)
        _ = try store.setStatus(.succeeded, reason: nil, of: run)
        #expect(try store.runStates(study: "older") == [RunState(run: 1, changes: 1)])
    }

    @Test("and one of version 4: baselines without the time of the network alone")
    func fromVersion4() throws {
        let place = try StudyPlace()
        let path = place.workspace.database(study: "older")
        try FileManager.default.createDirectory(
            at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        try {
            let queue = try DatabaseQueue(path: path.path)
            try Schema.migrator.migrate(queue, upTo: "v4")
            try queue.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO baseline (engine, dataset, budget, seed, dataset_hash, epochs, iterations, status,
                        inference_seconds, started_at)
                        VALUES ('swift', 'd', '1x1', 0, 'h', 1, 1, 'evaluated', 6, '2026-01-01 00:00:00.000')
                        """)
            }
            try queue.close()
        }()
        let store = try ResultStore(path: path)
        let baseline = try #require(try store.baselines().first)
        #expect(baseline.inferenceSeconds == 6 && baseline.networkSeconds == nil)
        #expect(try store.integrityProblems().isEmpty)
    }

    @Test("and one of version 6: what it has keeps its hash, and there are no drawings")
    func fromVersion6() throws {
        let place = try StudyPlace()
        let path = place.workspace.database(study: "older")
        try FileManager.default.createDirectory(
            at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        let key = RunKey(
            study: "older", dataset: "disc", model: "small", target: "pytorch", promptHash: "00000000", index: 1)
        try {
            let queue = try DatabaseQueue(path: path.path)
            try Schema.migrator.migrate(queue, upTo: "v6")
            try queue.write { try Self.insertRun(key, $0) }
            try queue.close()
        }()
        let store = try ResultStore(path: path)
        #expect(try store.drawingSets().isEmpty && store.integrityProblems().isEmpty)
        func bytes() throws -> Data {
            var all = Data()
            try store.forEachResultByte { all.append($0) }
            return all
        }
        let before = try bytes()
        var set = DrawingSetRecord(
            path: "older/disc/control-ellipse/polygon/0", study: "older", dataset: "disc", datasetHash: "h",
            drawer: "control-ellipse", kind: .control, shape: "polygon", draws: 1,
            startedAt: Date(timeIntervalSince1970: 0))
        set = try store.beginDrawingSet(set)
        #expect(try bytes() != before)
        #expect(try store.runs().map(\.path) == [key.path])
    }

    @Test(
        "and one that met version 9 before version 8: it gets the tables of the sweep and keeps its rows"
    )
    func version9Before8() throws {
        let place = try StudyPlace()
        let path = place.workspace.database(study: "older")
        try FileManager.default.createDirectory(
            at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        let key = RunKey(
            study: "older", dataset: "disc", model: "small", target: "pytorch", promptHash: "00000000", index: 1)
        try {
            let queue = try DatabaseQueue(path: path.path)
            try Schema.migrator.migrate(queue, upTo: "v7")
            // The migrator of a build that had version 9 and not yet version 8.
            var without8 = DatabaseMigrator()
            for version in 1...7 { without8.registerMigration("v\(version)") { _ in } }
            without8.registerMigration("v9") { db in
                try db.alter(table: "run") { t in
                    t.add(column: "refines", .text)
                    t.add(column: "refinement", .integer)
                }
                try db.execute(sql: "PRAGMA user_version = 9")
            }
            try without8.migrate(queue)
            try queue.write { db in
                #expect(try !db.tableExists("sweep_training"))
                try Self.insertRun(key, db)
                try db.execute(sql: "UPDATE run SET refines = 'older/disc/small', refinement = 1")
            }
            try queue.close()
        }()
        let store = try ResultStore(path: path)
        let run = try #require(try store.runs().first)
        #expect(run.refines == "older/disc/small" && run.refinement == 1)
        let training = try store.beginSweepTraining(
            SweepTrainingRecord(
                dataset: "disc", datasetHash: "h", network: "unet", labels: 10, seed: 0, size: 64, steps: 100,
                recipe: "r", startedAt: Date(timeIntervalSince1970: 0)))
        #expect(try store.sweepTrainings().map(\.id) == [training.id])
        #expect(try store.integrityProblems().isEmpty)
        let queue = try DatabaseQueue(path: path.path)
        #expect(try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == 10)
        // Opening it again changes nothing.
        #expect(try ResultStore(path: path).sweepTrainings().count == 1)
    }
}
