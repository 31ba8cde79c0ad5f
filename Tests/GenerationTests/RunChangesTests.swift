import Foundation
import GRDB
import ResultStore
import Testing

@Suite("Changes of the store by run")
struct RunChangesTests {
    private let bench: Workbench

    init() throws {
        bench = try Workbench()
    }

    private func changes(_ store: ResultStore, _ run: Int64) throws -> Int {
        let state = try store.runStates(study: "default").first { $0.run == run }
        return try #require(state).changes
    }

    /// Rows of every kind that belong to a run, and what was done to them.
    @Test("every insertion, update and deletion of a run's rows counts for it, and for no other")
    func counted() throws {
        let store = try bench.store()
        let one = try #require(try store.beginRun(RunRecord(key: Workbench.key(1), provider: "p")).id)
        let two = try #require(try store.beginRun(RunRecord(key: Workbench.key(2), provider: "p")).id)
        #expect(try changes(store, one) == 1 && changes(store, two) == 1)
        var training = try store.beginTraining(
            TrainingRecord(runId: one, engine: .swift, seed: 0, epochs: 2, datasetHash: "h"))
        let id = try #require(training.id)
        var before = try changes(store, one)
        func changed(_ what: String, _ body: () throws -> Void) throws {
            try body()
            let now = try changes(store, one)
            #expect(now > before, "\(what): \(now)")
            #expect(try changes(store, two) == 1, "\(what)")
            before = now
        }
        let epoch = EpochRecord(trainingId: id, epoch: 1, trainLoss: 1, validationLoss: nil)
        try changed("an epoch") { try store.storeEpoch(epoch, validationDice: [0.5]) }
        try changed("the same epoch again") { try store.storeEpoch(epoch, validationDice: [0.5]) }
        try changed("test batches") { try store.storeTestBatches([0.5], training: id) }
        try changed("held-out images") {
            try store.storeHeldOut(
                [HeldOutRecord(trainingId: id, sample: "s", dice: 0.5, modelGridDice: nil)], batches: [0.5],
                training: id)
        }
        try changed("the end of a training") {
            training.status = .evaluated
            try store.updateTraining(training)
        }
        try changed("a capture") {
            _ = try store.storeCapture(
                CaptureRecord(runId: one, datasetHash: "h", epochs: nil, seed: 0, status: .captured))
        }
        try changed("parity") {
            try store.storeParity(
                ParityRecord(
                    runId: one, seed: 0, steps: 1, largestLossDifference: 0, swiftLosses: [1], pytorchLosses: [1]))
        }
        try changed("a request") {
            var exchange = try store.insertExchange(
                ExchangeRecord(runId: one, round: 0, ordinal: 0, requestHash: "r"))
            exchange.status = .complete
            try store.updateExchange(exchange)
        }
        try changed("a round") {
            try store.finishRound(
                RoundRecord(runId: one, round: 0, outcome: .error, files: [], codeLines: 1),
                error: ErrorRecord(
                    runId: one, round: 0, errorClass: "E", subcategory: "other", message: "m", signature: "s"),
                interactions: [InteractionRecord(runId: one, round: 0, ordinal: 0, kind: .error, text: "t")])
        }
        try changed("a training that is forgotten") { try store.deleteTraining(training) }
        #expect(try store.integrityProblems().isEmpty)
    }

    /// What belongs to a run is found by what its keys refer to: a table that is added without triggers is found here.
    @Test("every table with rows of a run or a training is counted")
    func complete() throws {
        let store = try bench.store()
        let queue = try DatabaseQueue(path: store.path.path)
        let (tables, triggers) = try queue.read { db in
            let names = try String.fetchAll(
                db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            let owned = try names.filter { name in
                let owners = try db.foreignKeys(on: name).map(\.destinationTable)
                return name == "run"
                    || (name != "run_change" && (owners.contains("run") || owners.contains("training")))
            }
            return (owned, Set(try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'")))
        }
        #expect(tables.count > 10)
        for table in tables {
            for event in ["insert", "update", "delete"] {
                #expect(triggers.contains("run_change_\(table)_\(event)"), "\(table), \(event)")
            }
        }
    }
}
