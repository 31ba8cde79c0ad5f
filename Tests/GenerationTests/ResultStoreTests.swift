import Foundation
import GRDB
import Testing

@testable import ResultStore

@Suite("The result store")
struct ResultStoreTests {
    let bench: Workbench

    init() throws {
        bench = try Workbench()
    }

    private var path: URL { bench.workspace.database(study: "default") }

    @Test("a database of a newer version is refused and not touched")
    func newerVersion() throws {
        do { _ = try bench.store() }
        do {
            let queue = try DatabaseQueue(path: path.path)
            try queue.write { try $0.execute(sql: "PRAGMA user_version = \(Schema.version + 1)") }
            try queue.close()
        }
        let before = try contents()
        #expect(throws: StoreError.newerVersion(path: path.path)) { try bench.store() }
        #expect(try contents() == before)
        #expect(
            StoreError.newerVersion(path: "bench.sqlite").description
                == "bench.sqlite was written by a newer llmbench and was left untouched: use that version, or another --study"
        )
    }

    @Test("a migration that this version does not know is refused even where the number says nothing")
    func unknownMigration() throws {
        let store = try bench.store()
        try store.write("adding a migration") {
            try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('v99')")
        }
        #expect(throws: StoreError.newerVersion(path: path.path)) { try bench.store() }
    }

    /// A folder of its own for copies.
    private func temporary() throws -> URL {
        let folder = bench.workspace.root.appending(path: "temporary", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    private func copy(of database: URL) throws -> ResultStore {
        let unwritable = try #require(try UnwritableDatabase(any: database, temporary: temporary()))
        return ResultStore(path: database, copy: try unwritable.copy())
    }

    @Test("a copy to be read has what a killed writer left in its log, takes no writes, and leaves nothing behind")
    func copyToBeRead() throws {
        let writer = try bench.store()
        _ = try writer.beginRun(bench.record())
        // As a kill leaves it: the log is not folded in while the writer is open.
        let left = bench.workspace.root.appending(path: "left", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: left, withIntermediateDirectories: true)
        let database = left.appending(path: "bench.sqlite")
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: path.path + suffix, toPath: database.path + suffix)
        }
        let files = ["", "-wal"].map { URL(filePath: database.path + $0) }
        let before = try files.map { try Data(contentsOf: $0) }
        #expect(!before[1].isEmpty)
        // Through a link, too, beside which there is no log.
        let link = bench.workspace.root.appending(path: "link.sqlite")
        try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "left/bench.sqlite")
        for place in [database, link] {
            let store = try copy(of: place)
            #expect(try store.runs() == writer.runs())
            #expect(try store.runs().count == 1)
            #expect(throws: StoreError.unusable(path: place.path, reason: "Read-only file system")) {
                try store.beginRun(bench.record())
            }
        }
        #expect(try files.map { try Data(contentsOf: $0) } == before)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: left.path).sorted()
                == ["bench.sqlite", "bench.sqlite-wal"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary().path).isEmpty)
    }

    @Test("a copy of an older version is brought up to date, its original is not")
    func copyOfOlder() throws {
        try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: path.path)
        try Schema.migrator.migrate(queue, upTo: "v4")
        func version(_ db: any DatabaseReader) throws -> Int? {
            try db.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM grdb_migrations") }
        }
        #expect(try version(queue) == 4)
        try queue.close()
        let store = try copy(of: path)
        #expect(try store.runs().isEmpty)
        #expect(try store.read("counting") { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM grdb_migrations") } == 10)
        #expect(try version(DatabaseQueue(path: path.path)) == 4)
    }

    @Test("a copy of what is foreign or of a newer version is refused, also where only the log says so")
    func copyOfOthers() throws {
        let other = bench.workspace.root.appending(path: "other.sqlite")
        let foreign = try DatabasePool(path: other.path)
        try foreign.write { try $0.execute(sql: "CREATE TABLE foo (a)") }
        #expect(throws: StoreError.foreign(path: other.path, reason: "is a database of something else than llmbench")) {
            try copy(of: other)
        }
        let store = try bench.store()
        try store.write("adding a migration") {
            try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('v99')")
        }
        #expect(throws: StoreError.newerVersion(path: path.path)) { try copy(of: path) }
    }

    @Test("what is written all the time is not copied in between, and that is said")
    func copyOfBusy() throws {
        do { _ = try bench.store() }
        // As one that was changed a moment ago, however long this takes.
        let soon = Date(timeIntervalSinceNow: 0.9)
        try FileManager.default.setAttributes([.modificationDate: soon], ofItemAtPath: path.path)
        var unwritable = try #require(try UnwritableDatabase(any: path, temporary: temporary()))
        unwritable.attempts = 1
        let error = #expect(throws: StoreError.self) { try unwritable.copy() }
        #expect(error == .busy(path: path.path, doing: "copying it to be read"))
    }

    @Test("a copy that has no room or no folder is said with the folder's name, not the study's")
    func copyWithoutRoom() throws {
        do { _ = try bench.store() }
        let unwritable = try #require(
            UnwritableDatabase(any: path, temporary: URL(filePath: "/dev/null", directoryHint: .isDirectory)))
        let error = #expect(throws: StoreError.self) { try unwritable.copy() }
        guard case .unusable(let named, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(named.hasPrefix("/dev/null/") && reason == "Not a directory")
    }

    @Test("a file that is no database is refused and not touched")
    func notADatabase() throws {
        try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        try String(repeating: "no database ", count: 20).write(to: path, atomically: true, encoding: .utf8)
        let before = try contents()
        #expect(throws: StoreError.notAStore(path: path.path)) { try bench.store() }
        #expect(try contents() == before)
    }

    @Test("beginning a run twice gives the same run")
    func beginTwice() throws {
        let store = try bench.store()
        let first = try store.beginRun(bench.record())
        let again = try bench.store().beginRun(bench.record())
        #expect(first == again)
        #expect(try store.runs().count == 1)
    }

    @Test("a round stored again replaces itself with its error and its interactions")
    func roundAgain() throws {
        let store = try bench.store()
        let id = try #require(try store.beginRun(bench.record()).id)
        let round = RoundRecord(runId: id, round: 0, outcome: .error, files: [], codeLines: 3)
        let error = ErrorRecord(
            runId: id, round: 0, errorClass: "NameError", subcategory: "other", message: "m", signature: "s")
        let said = InteractionRecord(runId: id, round: 0, ordinal: 0, kind: .error, text: "t")
        for _ in 0..<3 { try store.finishRound(round, error: error, interactions: [said]) }
        #expect(try store.rounds(run: id).count == 1)
        #expect(try store.errors(run: id).count == 1)
        #expect(try store.interactions(run: id).count == 1)
        try store.finishRound(round, error: nil, interactions: [])
        #expect(try store.errors(run: id).isEmpty)
    }

    @Test("a round that cannot be stored whole is not stored at all")
    func roundIsOneTransaction() throws {
        let store = try bench.store()
        let id = try #require(try store.beginRun(bench.record()).id)
        let said = InteractionRecord(runId: id, round: 0, ordinal: 0, kind: .error, text: "t")
        #expect(throws: StoreError.self) {
            try store.finishRound(
                RoundRecord(runId: id, round: 0, outcome: .error, files: [], codeLines: 0), error: nil,
                interactions: [said, said])
        }
        #expect(try store.rounds(run: id).isEmpty)
    }

    @Test("an error names what was being done")
    func errorsSayWhat() throws {
        let store = try bench.store()
        let error = #expect(throws: StoreError.self) {
            try store.insertExchange(ExchangeRecord(runId: 999, round: 4, ordinal: 0, requestHash: "h"))
        }
        #expect(error?.description.contains("recording the request of round 4") == true)
        #expect(error?.description.contains("FOREIGN KEY") == true)
    }

    @Test("a run is found by any unique part of its path's end")
    func namedRuns() throws {
        let store = try bench.store()
        for index in 1...2 {
            _ = try store.beginRun(RunRecord(key: Workbench.key(index), provider: "p"))
        }
        #expect(try store.run(named: "run-02", study: "default").runIndex == 2)
        #expect(try store.run(named: Workbench.key(1).path, study: "default").runIndex == 1)
        #expect(try store.run(named: "00000000/run-01/", study: "default").runIndex == 1)
        #expect(throws: StoreError.noSuchRun(name: "run-07", study: "default")) {
            try store.run(named: "run-07", study: "default")
        }
        let error = #expect(throws: StoreError.self) { try store.run(named: "scripted", study: "default") }
        guard case .ambiguousRun(_, let candidates) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(candidates.count == 2)
    }

    @Test("trainings come back as they were stored, and an epoch stored again replaces itself")
    func trainings() throws {
        let store = try bench.store()
        let run = try #require(try store.beginRun(bench.record()).id)
        var training = try store.beginTraining(
            TrainingRecord(runId: run, engine: .swift, seed: 1, epochs: 2, datasetHash: "d", threads: 2))
        let id = try #require(training.id)
        #expect(
            try store.beginTraining(TrainingRecord(runId: run, engine: .swift, seed: 1, epochs: 9, datasetHash: "d")).id
                == id)
        for epoch in [1, 2, 2] {
            try store.storeEpoch(
                EpochRecord(
                    trainingId: id, epoch: epoch, trainLoss: 0.5, validationLoss: nil, commonBce: 0.4,
                    commonSoftDice: 0.7, seconds: 3), validationDice: [0.1, 0.2, 0.3])
        }
        try store.storeHeldOut(
            [HeldOutRecord(trainingId: id, sample: "a", dice: 0.9, modelGridDice: 0.91)], batches: [0.9], training: id)
        try store.storeTestBatches([0.8, 0.7], training: id)
        training.status = .evaluated
        training.seconds = 12
        try store.updateTraining(training)
        #expect(try store.trainings(run: run).map(\.status) == [.evaluated])
        #expect(try store.epochs(training: id).map(\.epoch) == [1, 2])
        #expect(try store.epochs(training: id)[0].commonSoftDice == 0.7)
        #expect(try store.epochs(training: id)[0].validationLoss == nil)
        #expect(try store.validationBatches(training: id).map(\.dice) == [0.1, 0.2, 0.3, 0.1, 0.2, 0.3])
        #expect(try store.heldOut(training: id).map(\.modelGridDice) == [0.91])
        #expect(try store.heldOutBatches(training: id).map(\.dice) == [0.9])
        #expect(try store.testBatches(training: id).map(\.dice) == [0.8, 0.7])
        try store.deleteTraining(training)
        #expect(try store.epochs(training: id).isEmpty)
        #expect(try store.heldOut(training: id).isEmpty)
    }

    @Test("captures, references and parity measurements replace their predecessors")
    func replacing() throws {
        let store = try bench.store()
        let run = try #require(try store.beginRun(bench.record()).id)
        for status in [CaptureRecord.Status.failed, .captured] {
            _ = try store.storeCapture(
                CaptureRecord(
                    runId: run, datasetHash: "d", epochs: nil, seed: 0, status: status, facts: "{}",
                    refusals: ["uses two optimizers"]))
        }
        #expect(try store.captures(run: run).map(\.status) == [.captured])
        #expect(try store.captures(run: run)[0].refusals == ["uses two optimizers"])
        for dice in [0.1, 0.2] {
            try store.storeReference(
                DatasetReferenceRecord(
                    dataset: "tiny", datasetHash: "d", samples: 3, bestThreshold: 0.5, bestThresholdDice: dice,
                    meanMaskDice: 0.3))
            try store.storeParity(
                ParityRecord(
                    runId: run, seed: 1, steps: 2, largestLossDifference: dice, swiftLosses: [1, 0.5],
                    pytorchLosses: [1, 0.25]))
        }
        #expect(try store.references().map(\.bestThresholdDice) == [0.2])
        #expect(try store.parities(run: run).map(\.largestLossDifference) == [0.2])
        #expect(try store.parities(run: run)[0].pytorchLosses == [1, 0.25])
    }

    @Test("many writers on one file wait for each other")
    func concurrentWriters() async throws {
        let stores = try (0..<4).map { _ in try bench.store() }
        let id = try #require(try stores[0].beginRun(bench.record()).id)
        try await withThrowingTaskGroup { group in
            for (number, store) in stores.enumerated() {
                group.addTask {
                    for round in 0..<20 {
                        _ = try store.insertExchange(
                            ExchangeRecord(runId: id, round: round, ordinal: number, requestHash: "h"))
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try stores[0].exchanges(run: id).count == 80)
    }

    /// The bytes of everything in the database's folder, by name.
    private func contents() throws -> [String: Data] {
        let folder = path.deletingLastPathComponent()
        var found: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            found[name] = try Data(contentsOf: folder.appending(path: name))
        }
        return found
    }
}
