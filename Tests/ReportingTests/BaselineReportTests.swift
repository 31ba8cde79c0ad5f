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
            (record.inferenceSeconds, record.networkSeconds) = (6, 3)
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

    @Test func `and every pipeline may train one number of epochs; what each model had chosen is said and marked`()
        throws
    {
        let sample = try study()
        defer { sample.remove() }
        var evidence = try sample.evidence()
        let index = try #require(evidence.runs.firstIndex { $0.label == "learner" })
        #expect(evidence.runs[index].ownEpochs == 6)
        #expect(
            try !DrawnFigure(evidence.figures(about: .losses)[0]).marks.contains { $0.label.contains("own choice") })
        // As a study with `epochs: 6` leaves it, of a model that had chosen 4.
        evidence.runs[index].capture?.epochs = 6
        evidence.runs[index].capture?.pipeline = #"{"epochs": 6, "own_epochs": 4, "batch_size": 8}"#
        let dice = rows(evidence.diceTable())
        #expect(dice.first?["epochs"] == .integer(50) && dice.first?["own_epochs"] == .missing)
        let row = try #require(dice.first { $0["model"] == .text("learner") })
        #expect(row["epochs"] == .integer(6) && row["own_epochs"] == .integer(4))
        let losses = rows(evidence.lossesTable()).filter { $0["model"] == .text("learner") }
        #expect(!losses.isEmpty && losses.allSatisfy { $0["own_epochs"] == .integer(4) })
        let choices = try #require(rows(evidence.hyperparametersTable()).first { $0["model"] == .text("learner") })
        #expect(choices["epochs"] == .integer(4))
        #expect(rows(evidence.trainingsTable(of: evidence.runs[index])).first?["own_epochs"] == .integer(4))
        let figures = evidence.figures(about: .losses)
        #expect(figures.count == 2)
        for figure in figures {
            let marks = try DrawnFigure(figure).marks.filter { $0.label == "learner: its own choice, 4 epochs" }
            #expect(marks.count == 1, "\(figure.name)")
        }
        #expect(
            try RunCurves(evidence.runs[index]).figures.allSatisfy { figure in
                try DrawnFigure(figure).marks.contains { $0.label.hasSuffix("its own choice, 4 epochs") }
            })
        // A choice that was not seen is not made up, and one beyond the end is said at the end.
        evidence.runs[index].capture?.pipeline = #"{"epochs": 6, "own_epochs": null}"#
        #expect(evidence.runs[index].ownEpochs == nil)
        #expect(rows(evidence.diceTable()).first { $0["model"] == .text("learner") }?["own_epochs"] == .missing)
        evidence.runs[index].capture?.pipeline = #"{"epochs": 6, "own_epochs": 40}"#
        let beyond = try DrawnFigure(evidence.figures(about: .losses)[0])
        #expect(beyond.marks.contains { $0.label == "learner: its own choice, 40 epochs" })
    }

    @Test func `has seconds an image beside those of trainings that were timed`() throws {
        let sample = try study()
        defer { sample.remove() }
        let found = rows(try sample.evidence().inferenceTable())
        #expect(found.first?["seconds_per_image"] == .number(0.25, digits: 4))
        #expect(found.first?["file_to_file_seconds_per_image"] == .number(0.5, digits: 4))
        #expect(
            found.last?["seconds_per_image"] == .missing && found.last?["file_to_file_seconds_per_image"] == .missing)
    }

    @Test func `stands first and grey among the repeats of models, a dot a seed, where it has the quantity`() throws {
        let figure = RunStripsFigure(
            quantities: [
                .init(title: "held-out Dice", digits: 3, isLogarithmic: false),
                .init(title: "epochs", digits: 0, isLogarithmic: false),
            ],
            strips: [
                .init(label: "m0", values: [[0.8, 0.7], [20, 30]]),
                .init(label: "nnU-Net", values: [[0.75, 0.76], []], isBaseline: true),
            ])
        #expect(figure.strips.map(\.label) == ["nnU-Net", "m0"])
        let marks = try DrawnFigure(figure).marks
        let dice = marks.filter { $0.label.contains("held-out Dice") }
        #expect(dice.count { $0.label.hasPrefix("nnU-Net:") } == 2 && dice.count { $0.label.hasPrefix("m0:") } == 2)
        let heights = Dictionary(grouping: dice, by: { $0.label.prefix(2) }).mapValues { $0.map(\.y).max() ?? 0 }
        #expect((heights["nn"] ?? 1) < (heights["m0"] ?? 0), "the baseline lies above")
        #expect(!marks.contains { $0.label.hasPrefix("nnU-Net: epochs") })
    }

    @Test func `is in the strips of a study that repeats its models`() throws {
        let sample = try study()
        defer { sample.remove() }
        var evidence = try sample.evidence()
        #expect(evidence.figures(about: .variability).isEmpty, "one run each")
        let learner = try #require(evidence.runs.first { $0.label == "learner" })
        evidence.runs.append(learner)
        let figure = try #require(evidence.figures(about: .variability).first)
        let baseline = try DrawnFigure(figure).marks.filter { $0.label.hasPrefix("nnU-Net, 50 × 250 iterations: ") }
        #expect(
            baseline.map(\.label).sorted()
                == ["0.75", "0.77"].map { "nnU-Net, 50 × 250 iterations: held-out Dice \($0)" })
    }
}
