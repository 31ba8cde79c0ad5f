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
                var run = RunRecord(key: key, provider: "replay", fixture: true)
                try run.insert(db)
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
        #expect(version == 3 && Schema.version == 3)
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
                var run = RunRecord(key: key, provider: "replay", fixture: true)
                try run.insert(db)
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
}
