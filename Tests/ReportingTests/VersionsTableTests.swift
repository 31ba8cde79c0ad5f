import Foundation
import ResultStore
import Testing
import Training

@testable import Reporting

/// A run and versions of its program in a real store; every number is written here and stands for nothing.
private struct RefinedStudy {
    let workspace: Workspace
    let store: ResultStore
    let base = RunKey(study: "r", dataset: "d", model: "m", target: "pytorch", promptHash: "11111111", index: 1)

    init() throws {
        workspace = Workspace(
            root: FileManager.default.temporaryDirectory.appending(path: "llmbench-versions-\(UUID().uuidString)"))
        store = try ResultStore(path: workspace.database(study: "r"))
        try add(base, dice: [0.5, 0.6])
    }

    func remove() { try? FileManager.default.removeItem(at: workspace.root) }

    func version(_ number: Int, ran: Bool = true, dice: [Double]) throws {
        let key = RunKey(
            study: RefinedVersion.study(of: "r"), dataset: "d", model: "m", target: "pytorch",
            promptHash: "0000000\(number)", index: 1)
        try add(key, refinement: number, ran: ran, dice: dice)
    }

    /// - Parameter dice: on the validation part, by epoch; none where the program was not trained.
    private func add(_ key: RunKey, refinement: Int? = nil, ran: Bool = true, dice: [Double]) throws {
        var record = RunRecord(
            key: key, provider: "openai", refines: refinement.map { _ in base.path }, refinement: refinement,
            datasetHash: "h")
        record.status = ran ? .succeeded : .roundLimit
        let id = try #require(try store.beginRun(record).id)
        guard !dice.isEmpty else { return }
        var training = try store.beginTraining(
            TrainingRecord(runId: id, engine: .emitted, seed: 4, epochs: dice.count, datasetHash: "h"))
        let number = try #require(training.id)
        for (epoch, value) in dice.enumerated() {
            try store.storeEpoch(
                EpochRecord(
                    trainingId: number, epoch: epoch + 1, trainLoss: 1 - value, validationLoss: 1 - value,
                    commonBce: nil, commonSoftDice: nil, seconds: 1), validationDice: [value - 0.1, value + 0.1])
        }
        try store.storeHeldOut(
            [HeldOutRecord(trainingId: number, sample: "s", dice: 0.3, modelGridDice: nil)], batches: [0.3],
            training: number)
        (training.status, training.bestEpoch) = (.evaluated, dice.count)
        try store.updateTraining(training)
    }
}

@Suite("The table of versions")
struct VersionsTableTests {
    @Test("has each version with its validation Dice and what was kept, and no other table counts them")
    func table() throws {
        let study = try RefinedStudy()
        defer { study.remove() }
        #expect(try StudyEvidence(store: study.store, study: "r").versionsTable() == nil)
        try study.version(1, dice: [0.4, 0.7, 0.8])
        try study.version(2, ran: false, dice: [])
        let evidence = try StudyEvidence(store: study.store, study: "r")
        let table = try #require(evidence.versionsTable())
        let rows = table.rows.map { Dictionary(uniqueKeysWithValues: zip(table.columns.map(\.key), $0.map(\.shown))) }
        #expect(rows.map { $0["version"] } == ["0", "1", "2"])
        #expect(rows.map { $0["validation_dice"] } == ["0.6000", "0.8000", "–"])
        #expect(
            rows.map { $0["kept_epoch"] } == ["2", "3", "–"]
                && rows.map { $0["engine"] } == ["emitted", "emitted", "–"])
        #expect(
            rows.map { $0["seed"] } == ["4", "4", "–"] && rows.map { $0["held_out_dice"] } == ["0.3000", "0.3000", "–"])
        #expect(rows.map { $0["choice"] } == ["–", "kept", "its code did not run: round limit"])
        #expect(rows[1]["files"] == "generated/r.refined/d/m/pytorch/00000001/run-01")
        #expect(evidence.runs.count == 1 && evidence.diceTable().rows.count == 1)
        #expect(evidence.tables(about: .dice).contains { $0.name == "versions" })
    }

    @Test("follows a running study: a version is news, and nothing is none")
    func follows() throws {
        let study = try RefinedStudy()
        defer { study.remove() }
        var reader = StudyReader(study: "r")
        #expect(try reader.news(from: study.store)?.runs.map(\.versions.count) == [0])
        #expect(try reader.news(from: study.store) == nil)
        try study.version(1, dice: [0.7])
        #expect(try reader.news(from: study.store)?.runs.map(\.versions.count) == [2])
        #expect(try reader.news(from: study.store) == nil)
        try study.version(2, dice: [0.9])
        let later = try #require(try reader.news(from: study.store)?.runs.first?.versions)
        #expect(later.map(\.isKept) == [false, false, true])
    }

    @Test("stands on the run's page")
    func page() throws {
        let study = try RefinedStudy()
        defer { study.remove() }
        func page() throws -> String {
            let evidence = try StudyEvidence(store: study.store, study: "r")
            let page = try ReportPage(evidence: evidence, workspace: study.workspace)
            return String(decoding: try #require(try page.contents(of: "runs/1-m.html")), as: UTF8.self)
        }
        #expect(try !page().contains(#"id="versions""#))
        try study.version(1, dice: [0.7])
        let text = try page()
        #expect(text.contains(#"id="versions""#) && text.contains(##"href="#versions""##), "\(text)")
        #expect(text.contains("generated/r.refined/d/m/pytorch/00000001/run-01"))
    }
}
