import Foundation
import ResultStore
import Testing

@testable import Reporting

@Suite("A baseline in the reports")
struct BaselineReportTests {
    /// The sample study with nnU-Net in two seeds, 0.05 below the learner on every image and its seeds 0.02 apart.
    private func study() throws -> SampleStudy {
        let sample = try SampleStudy()
        for (seed, offset) in [(0, -0.04), (1, -0.06)] {
            var record = try sample.store.beginBaseline(
                BaselineRecord(
                    engine: .nnunetv2, dataset: "d", budget: "50x250", seed: seed, datasetHash: "h", epochs: 50,
                    iterations: 250))
            record.status = .evaluated
            record.inferenceSeconds = 6
            let rows = (0..<12).map {
                BaselineHeldOutRecord(
                    baselineId: record.id ?? -1, sample: "s\($0)", dice: 0.7 + 0.02 * Double($0) + offset)
            }
            try sample.store.storeBaselineHeldOut(rows, of: record)
        }
        return sample
    }

    private func rows(_ table: ReportTable) -> [[String: ReportTable.Cell]] {
        table.rows.map { Dictionary(uniqueKeysWithValues: zip(table.columns.map(\.key), $0)) }
    }

    @Test func `is the first row of the table of Dice, its budget in its name`() throws {
        let sample = try study()
        defer { sample.remove() }
        let first = try #require(rows(try sample.evidence().diceTable()).first)
        #expect(first["model"] == .text("nnU-Net, 50 × 250 iterations") && first["engine"] == .text("nnunetv2"))
        #expect(first["verdict"] == .text("baseline") && first["images"] == .integer(12))
        #expect(first["threshold_dice"]?.shown == "0.310")
    }

    @Test func `each model has its difference to it, paired by image`() throws {
        let sample = try study()
        defer { sample.remove() }
        let tables = try sample.evidence().tables(about: .dice)
        #expect(tables.map(\.name) == ["dice", "baseline-differences"])
        let found = rows(tables[1])
        #expect(found.map { $0["model"]?.shown } == ["flatline", "learner"], "the one that never ran has none")
        let learner = try #require(found.last)
        #expect(learner["difference"]?.shown == "0.050" && learner["baseline_seeds"] == .integer(2))
        // The learner's advantage is the same on every image: no interval is left to estimate.
        #expect(learner["interval"] == .missing || learner["interval"]?.shown == "0.050 – 0.050")
        let flatline = try #require(found.first)
        // Of means 0.1375 and 0.76.
        guard case .number(let difference, 3) = flatline["difference"] else {
            Issue.record("no difference")
            return
        }
        #expect(abs(difference + 0.6225) < 1e-9)
        let bounds = try #require(flatline["interval"]?.shown).components(separatedBy: " – ").compactMap(Double.init)
        #expect(bounds.count == 2 && bounds[0] < -0.6225 && bounds[1] > -0.6225 && bounds[1] - bounds[0] < 0.05)
    }

    @Test func `stands first in the figure, and where there is none nothing changes`() throws {
        let sample = try study()
        defer { sample.remove() }
        let figure = try #require(try sample.evidence().figures(about: .dice).first)
        let folder = sample.workspace.root.appending(path: "figures")
        let files = try figure.write(to: folder, formats: [.svg])
        #expect(try Data(contentsOf: #require(files.first)).count > 500)
        let without = try SampleStudy()
        defer { without.remove() }
        #expect(try without.evidence().tables(about: .dice).map(\.name) == ["dice"])
    }

    @Test func `has seconds an image beside those of trainings that were timed`() throws {
        let sample = try study()
        defer { sample.remove() }
        let found = rows(try sample.evidence().inferenceTable())
        #expect(found.first?["seconds_per_image"] == .number(0.5, digits: 4))
        #expect(found.last?["seconds_per_image"] == .missing)
    }
}
