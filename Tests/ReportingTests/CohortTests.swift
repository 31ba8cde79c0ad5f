import Foundation
import ResultStore
import Statistics
import Testing

@testable import Reporting

private func rows(_ table: ReportTable) -> [[String: ReportTable.Cell]] {
    table.rows.map { Dictionary(zip(table.columns.map(\.key), $0), uniquingKeysWith: { first, _ in first }) }
}

private func number(_ cell: ReportTable.Cell?) -> Double? {
    switch cell {
    case .number(let value, _): value
    case .integer(let value): Double(value)
    default: nil
    }
}

@Suite("Cohorts are compared model by model")
struct CohortTests {
    @Test func `the unit is a model's mean over its runs, and the test is that of the statistics library`() throws {
        let study = try CohortStudy()
        defer { study.remove() }
        let table = rows(try study.evidence().cohortsTable())
        let row = try #require(table.first { $0["question"] == .text("cohort") && $0["dataset"] == .text("beta") })
        func means(_ parity: Int) throws -> [Double] {
            try (0..<10).filter { $0 % 2 == parity }.map { model in
                try #require(Statistics.mean(study.dice["beta"]?["m\(model)"] ?? []))
            }
        }
        let (newer, older) = (try means(1), try means(0))
        let expected = try Statistics.mannWhitney(newer, older)
        #expect(row["group_a"] == .text("2025") && row["group_b"] == .text("2024"))
        #expect(number(row["n_a"]) == 5 && number(row["n_b"]) == 5, "models, not runs or images")
        #expect(number(row["p"]).map { abs($0 - expected.p) < 1e-12 } == true)
        #expect(number(row["effect_size"]).map { abs($0 - expected.effect.value) < 1e-12 } == true)
        #expect(number(row["superiority"]).map { abs($0 - (expected.effect.value + 1) / 2) < 1e-12 } == true)
        let difference = try #require(Statistics.median(newer)) - (try #require(Statistics.median(older)))
        #expect(number(row["difference"]).map { abs($0 - difference) < 1e-12 } == true)
    }

    @Test func `every p stands with n, effect, interval, correction and method`() throws {
        let study = try CohortStudy()
        defer { study.remove() }
        let table = rows(try study.evidence().cohortsTable())
        #expect(Set(table.compactMap { $0["question"]?.shown }) == ["cohort", "reasoning", "weights", "vendor"])
        var families: [String: [(p: Double, holm: Double)]] = [:]
        for row in table {
            guard let p = number(row["p"]) else {
                #expect(row["remark"]?.shown.hasPrefix("no test: ") == true, "\(row)")
                continue
            }
            for key in ["n_a", "effect", "effect_size", "effect_interval", "p_corrected", "test", "family"] {
                #expect(row[key] != .missing, "\(key)")
            }
            families[row["question"]?.shown ?? "", default: []].append((p, try #require(number(row["p_corrected"]))))
        }
        #expect(families["cohort"]?.count == 4, "three datasets and over all")
        for (_, family) in families {
            let expected = try Statistics.adjusted(family.map(\.p), by: .holm)
            for (test, holm) in zip(family, expected) { #expect(abs(test.holm - holm) < 1e-12) }
        }
    }

    @Test func `groups too small for a test are shown with their numbers and no p`() throws {
        let study = try CohortStudy(models: 4)
        defer { study.remove() }
        let evidence = try study.evidence()
        for row in rows(evidence.cohortsTable()) {
            #expect(row["p"] == .missing && row["p_corrected"] == .missing)
            #expect(row["remark"]?.shown.hasPrefix("no test: ") == true)
            #expect(number(row["median_a"]) != nil)
        }
        #expect(
            rows(evidence.cohortGroupsTable()).contains { number($0["models"]) == 2 && number($0["mean_dice"]) != nil })
    }

    @Test(arguments: [(4, 4, 2.0 / 70), (3, 3, 0.1), (2, 8, 2.0 / 45), (1, 1, 1.0), (0, 5, 1.0)])
    func `the smallest p that sizes allow is that of complete separation`(m: Int, n: Int, expected: Double) throws {
        #expect(abs(CohortComparison.smallestP(m, n) - expected) < 1e-9)
        if m > 0, n > 0 {
            let separated = try Statistics.mannWhitney(
                (0..<m).map(Double.init), (0..<n).map { Double($0 + 100) }, method: .exact)
            #expect(abs(separated.p - CohortComparison.smallestP(m, n)) < 1e-9)
        }
    }

    @Test func `what a study set out to compare is tested as it says, and all else is exploratory`() throws {
        let study = try CohortStudy()
        defer { study.remove() }
        var evidence = try study.evidence()
        evidence.plan = ComparisonPlan(questions: [.year], alternative: .greater, correction: .bonferroni)
        let table = rows(evidence.cohortsTable())
        let planned = table.filter { $0["planned"] == .text("planned") }
        #expect(table.prefix(planned.count).map { $0["question"] } == planned.map { $0["question"] }, "planned first")
        #expect(Set(planned.compactMap { $0["question"]?.shown }) == ["cohort"])
        #expect(table.count > planned.count)
        for row in planned {
            #expect(row["alternative"] == .text("greater") && row["correction"] == .text("Bonferroni"), "\(row)")
            let (p, corrected) = (try #require(number(row["p"])), try #require(number(row["p_corrected"])))
            #expect(abs(corrected - min(1, 4 * p)) < 1e-12, "three datasets and over all")
        }
        let row = try #require(planned.first { $0["dataset"] == .text("beta") })
        func means(_ parity: Int) throws -> [Double] {
            try (0..<10).filter { $0 % 2 == parity }.map {
                try #require(Statistics.mean(study.dice["beta"]?["m\($0)"] ?? []))
            }
        }
        let expected = try Statistics.mannWhitney(try means(1), try means(0), alternative: .greater)
        #expect(number(row["p"]).map { abs($0 - expected.p) < 1e-12 } == true)
        for row in table.dropFirst(planned.count) where row["p"] != .missing {
            #expect(row["alternative"] == .text("two-sided") || row["alternative"] == .missing, "\(row)")
            #expect(row["correction"] == .text("Holm"))
        }
    }

    @Test func `models are compared over their runs where that is planned, and only there`() throws {
        let study = try CohortStudy(models: 3, runs: 5, datasets: ["alpha"])
        defer { study.remove() }
        var evidence = try study.evidence()
        #expect(!rows(evidence.cohortsTable()).contains { $0["question"] == .text("model") })
        evidence.plan = ComparisonPlan(questions: [.model, .prompt])
        let table = evidence.cohortsTable()
        let models = rows(table).filter { $0["question"] == .text("model") }
        #expect(models.count == 3, "every pair")
        let row = try #require(models.first)
        #expect(row["group_a"] == .text("m0") && row["group_b"] == .text("m1") && number(row["n_a"]) == 5)
        let expected = try Statistics.mannWhitney(
            study.dice["alpha"]?["m0"] ?? [], study.dice["alpha"]?["m1"] ?? [])
        #expect(number(row["p"]).map { abs($0 - expected.p) < 1e-12 } == true)
        #expect(table.notes.contains { $0.hasPrefix("Planned, but without two groups") && $0.contains("prompt") })
    }

    @Test(arguments: [(5, 5, 1.0 / 252), (3, 3, 0.05)])
    func `a one-sided test reaches half the two-sided p`(m: Int, n: Int, expected: Double) throws {
        #expect(abs(CohortComparison.smallestP(m, n, .greater) - expected) < 1e-9)
        #expect(abs(CohortComparison.smallestP(pairs: m, .less) - pow(0.5, Double(m))) < 1e-12)
    }

    @Test func `the same models under two targets are compared in pairs`() throws {
        let study = try CohortStudy(models: 8, datasets: ["alpha"])
        defer { study.remove() }
        var evidence = try study.evidence()
        for index in evidence.runs.indices where evidence.runs[index].record.runIndex == 2 {
            evidence.runs[index].record.target = "tensorflow"
        }
        let row = try #require(rows(evidence.cohortsTable()).first { $0["question"] == .text("target") })
        #expect(number(row["n_a"]) == 8 && number(row["n_b"]) == 8)
        #expect(row["test"]?.shown.hasPrefix("Wilcoxon") == true, "\(row)")
        let pairs = (0..<8).map { study.dice["alpha"]?["m\($0)"] ?? [] }
        let expected = try Statistics.signedRank(pairs.map { $0[0] }, pairs.map { $0[1] })
        #expect(number(row["p"]).map { abs($0 - expected.p) < 1e-12 } == true)
    }

    @Test func `vendors are compared at once, when each has models enough`() throws {
        let study = try CohortStudy(models: 10, datasets: ["alpha"])
        defer { study.remove() }
        var evidence = try study.evidence()
        let small = try #require(rows(evidence.cohortsTable()).first { $0["question"] == .text("vendor") })
        #expect(small["remark"]?.shown.contains("smallest group has 4 models") == true, "\(small)")
        for index in evidence.runs.indices {
            let model = Int(evidence.runs[index].record.model.dropFirst()) ?? 0
            evidence.runs[index].record.vendor = model < 5 ? "A" : "B"
        }
        let row = try #require(rows(evidence.cohortsTable()).first { $0["question"] == .text("vendor") })
        #expect(row["test"]?.shown.hasPrefix("Kruskal-Wallis") == true && number(row["p"]) != nil, "\(row)")
    }

    @Test
    func `groups are what the card said when the run was made, and the card of today only where that is not known`()
        throws
    {
        let study = try CohortStudy(models: 10, runs: 1, datasets: ["alpha"])
        defer { study.remove() }
        var evidence = try study.evidence()
        for model in 0..<10 { evidence.currentCards["m\(model)"] = ModelTraits(vendor: "C", openWeights: true) }
        #expect(evidence.cohorts(.vendor).map(\.name) == ["A", "B"])
        #expect(evidence.cohorts(.weights).map(\.name) == ["open", "closed"])
        #expect(evidence.currentCardsNote == nil)
        for index in evidence.runs.indices where evidence.runs[index].record.model == "m0" {
            // As a store of an earlier version gives it.
            evidence.runs[index].record.vendor = nil
            evidence.runs[index].record.openWeights = nil
        }
        #expect(evidence.cohorts(.vendor).map(\.name) == ["A", "B", "C"])
        let note = "Vendor and weights of 1 run of 1 model are what models.yaml says now"
        #expect(evidence.cohortsTable().notes.contains { $0.hasPrefix(note) })
        #expect(evidence.cohortGroupsTable().notes.contains { $0.hasPrefix(note) })
        evidence.currentCards = [:]
        #expect(evidence.cohorts(.vendor).map(\.name) == ["A", "B"], "a run of which nothing is known is in no group")
        #expect(evidence.currentCardsNote == nil)
    }

    @Test func `mean curves weigh each model once, on each dataset and over all, and say how many there are`() throws {
        let study = try CohortStudy()
        defer { study.remove() }
        let evidence = try study.evidence()
        let table = rows(evidence.cohortCurvesTable()).filter { $0["group"] == .text("all models") }
        #expect(table.count == 4 * CohortCurve.epochs)
        // A model's value in epoch 5 on each dataset, by hand.
        let models = Dictionary(grouping: evidence.runs, by: \.record.model).mapValues { runs in
            Dictionary(grouping: runs, by: \.record.dataset).mapValues { runs in
                Statistics.mean(runs.compactMap { $0.trainings[0].epochs[4].commonBce }) ?? .nan
            }
        }
        for place in CohortStudy.datasets + ["over all"] {
            let curve = table.filter { $0["dataset"] == .text(place) }
            #expect(number(curve[0]["models"]) == 10 && number(curve[19]["models"]) == 6, "four stop at 15 epochs")
            let values = models.values.map { $0[place] ?? Statistics.mean(Array($0.values)) ?? .nan }
            for (key, expected) in [
                ("mean_bce", Statistics.mean(values)), ("sd_bce", Statistics.standardDeviation(values)),
            ] {
                #expect(number(curve[4][key]).map { abs($0 - (expected ?? .nan)) < 1e-12 } == true, "\(place), \(key)")
            }
        }
        let figures = evidence.figures(about: .cohorts).map(\.name)
        #expect(figures.contains("mean-curves-year-bce") && figures.contains("mean-curves-year-soft-dice"))
    }

    @Test func `a model that lacks a dataset, or an epoch on one, is in no mean over all`() throws {
        let study = try CohortStudy(models: 4, runs: 1, datasets: ["alpha", "beta"])
        defer { study.remove() }
        var evidence = try study.evidence()
        evidence.runs.removeAll { $0.record.model == "m1" && $0.record.dataset == "beta" }
        let short = try #require(
            evidence.runs.firstIndex { $0.record.model == "m2" && $0.record.dataset == "alpha" })
        evidence.runs[short].trainings[0].epochs.removeAll { $0.epoch > 3 }
        func models(_ place: String, epoch: Int) -> Double? {
            rows(evidence.cohortCurvesTable()).first {
                $0["group"] == .text("all models") && $0["dataset"] == .text(place)
                    && number($0["epoch"]) == Double(epoch)
            }.flatMap { number($0["models"]) }
        }
        #expect(models("alpha", epoch: 3) == 4 && models("beta", epoch: 3) == 3)
        #expect(models("over all", epoch: 3) == 3, "m1 has no beta")
        #expect(models("over all", epoch: 4) == 2, "m2 has no fourth epoch on alpha")
        // Three panels are one figure with both measures.
        #expect(evidence.figures(about: .cohorts).map(\.name).contains("mean-curves-year"))
    }

    @Test func `a run that was trained from more seeds weighs no more than another`() throws {
        let study = try CohortStudy(models: 1, runs: 2, datasets: ["alpha"])
        defer { study.remove() }
        var evidence = try study.evidence()
        var second = evidence.runs[0].trainings[0]
        second.record.seed = 1
        for index in second.epochs.indices {
            second.epochs[index].commonBce = second.epochs[index].commonBce.map { $0 + 0.3 }
        }
        evidence.runs[0].trainings.append(second)
        let values = evidence.runs.map { run in
            Statistics.mean(run.trainings.compactMap { $0.epochs[0].commonBce }) ?? .nan
        }
        let curve = rows(evidence.cohortCurvesTable()).filter { $0["group"] == .text("all models") }
        #expect(
            curve.count == 15 && curve.allSatisfy { $0["dataset"] == .text("alpha") }, "one dataset has no over all")
        #expect(number(curve[0]["mean_bce"]).map { abs($0 - (Statistics.mean(values) ?? .nan)) < 1e-12 } == true)
        #expect(curve[0]["sd_bce"] == .missing)
    }

    @Test func `hand-written conversations never enter a statement about models`() throws {
        let study = try CohortStudy(datasets: ["alpha"])
        defer { study.remove() }
        var evidence = try study.evidence()
        for index in evidence.runs.indices where evidence.runs[index].record.model == "m9" {
            evidence.runs[index].record.fixture = true
        }
        let table = evidence.cohortsTable()
        let row = try #require(rows(table).first { $0["question"] == .text("cohort") })
        #expect(number(row["n_a"]) == 4, "m9 is left out")
        #expect(table.notes.contains { $0.contains("left out") })
        for index in evidence.runs.indices { evidence.runs[index].record.fixture = true }
        #expect(evidence.cohortsTable().notes.contains { $0.contains("nothing about any language model") })
    }
}

@Suite("Variability, cost and inference")
struct SpreadTests {
    /// F of the same numbers: `scipy.stats.f_oneway([1,2,4],[3,5],[9,8,7,10])` = 18.142857142857135 (scipy 1.17); MSW = (14/3 + 2 + 5) / 6, so
    /// σ²_between = MSW (F − 1) / n₀ with n₀ = (9 − 29/9) / 2.
    @Test func `variance components follow from the analysis of variance`() throws {
        let components = try #require(VarianceComponents([[1, 2, 4], [3, 5], [9, 8, 7, 10]]))
        let f = components.between * ((9 - 29.0 / 9) / 2) / components.within + 1
        #expect(abs(components.within - (14.0 / 3 + 2 + 5) / 6) < 1e-12)
        #expect(abs(f - reference) < 1e-9, "\(f)")
        #expect(VarianceComponents([[1, 2]]) == nil && VarianceComponents([[1], [2]]) == nil)
        let alike = try #require(VarianceComponents([[1, 3], [1, 3]]))
        #expect(alike.between == 0 && alike.intraclassCorrelation == 0)
        #expect(try #require(VarianceComponents([[1, 1], [1, 1]])).intraclassCorrelation == nil)
    }

    private let reference = 18.142857142857135

    @Test func `spread is of runs, and is tested from five runs a model on`() throws {
        let few = try CohortStudy(models: 3, runs: 2, datasets: ["alpha"])
        defer { few.remove() }
        let spread = rows(try few.evidence().spreadTable())
        #expect(spread.allSatisfy { $0["p"] == .missing && $0["remark"] != .missing })
        #expect(spread.contains { number($0["sd_within"]) != nil })
        let many = try CohortStudy(models: 3, runs: 5, datasets: ["alpha"])
        defer { many.remove() }
        let evidence = try many.evidence()
        let dice = try #require(rows(evidence.spreadTable()).first { $0["quantity"] == .text("held-out Dice") })
        let groups = (0..<3).map { many.dice["alpha"]?["m\($0)"] ?? [] }
        let expected = try Statistics.brownForsythe(groups)
        #expect(number(dice["p"]).map { abs($0 - expected.p) < 1e-12 } == true)
        let own = try #require(
            rows(evidence.variabilityTable()).first {
                $0["model"] == .text("m1") && $0["quantity"] == .text("held-out Dice")
            })
        #expect(number(own["sd"]).map { abs($0 - (Statistics.standardDeviation(groups[1]) ?? .nan)) < 1e-12 } == true)
        #expect(number(own["runs"]) == 5)
        let constant = try #require(rows(evidence.spreadTable()).first { $0["quantity"] == .text("learning rate") })
        #expect(constant["remark"]?.shown.contains("do not vary") == true, "\(constant)")
    }

    @Test func `one run has no spread`() throws {
        let study = try CohortStudy(models: 2, runs: 1, datasets: ["alpha"])
        defer { study.remove() }
        let row = try #require(rows(try study.evidence().variabilityTable()).first)
        #expect(
            row["sd"] == .missing && row["iqr"] == .missing && row["range"] == .missing && number(row["mean"]) != nil)
        #expect(try study.evidence().figures(about: .variability).isEmpty)
    }

    @Test func `money a pipeline counts the runs that failed, and a point of Dice only above the references`() throws {
        let study = try CohortStudy(models: 2, runs: 2, datasets: ["alpha"])
        defer { study.remove() }
        var evidence = try study.evidence()
        evidence.runs[0].record.status = .roundLimit
        let money = evidence.runs[0...1].reduce(0) { $0 + ($1.errors.totals.cost ?? 0) }
        var row = try #require(rows(evidence.modelCostTable()).first { $0["model"] == .text("m0") })
        #expect(number(row["cost_per_pipeline_usd"]).map { abs($0 - money) < 1e-12 } == true, "one of two ran")
        let points = 100 * ((Statistics.mean(study.dice["alpha"]?["m0"] ?? []) ?? .nan) - 0.42)
        #expect(number(row["cost_per_point_usd"]).map { abs($0 - money / points) < 1e-9 } == true)
        for index in evidence.references.indices { evidence.references[index].meanMaskDice = 0.99 }
        row = try #require(rows(evidence.modelCostTable()).first { $0["model"] == .text("m0") })
        #expect(row["cost_per_point_usd"] == .missing && number(row["points_over_reference"]) ?? 1 < 0)
        evidence.runs[1].errors.totals.cost = nil
        row = try #require(rows(evidence.modelCostTable()).first { $0["model"] == .text("m0") })
        #expect(row["cost_usd"] == .missing, "the price of one run is not known")
    }

    @Test func `inference sets the own test part beside the held-out images`() throws {
        let study = try CohortStudy(models: 1, runs: 1, datasets: ["alpha"])
        defer { study.remove() }
        let row = try #require(rows(try study.evidence().inferenceTable()).first)
        #expect(number(row["test_batches"]) == 2 && number(row["images"]) == Double(CohortStudy.images))
        let held = try #require(study.dice["alpha"]?["m0"]?.first)
        #expect(number(row["held_out_dice"]).map { abs($0 - held) < 1e-9 } == true)
        let (gap, test) = (try #require(number(row["gap"])), try #require(number(row["test_dice"])))
        #expect(abs(gap - (held - test)) < 1e-9)
    }

    @Test func `pipelines are read from the loaders`() throws {
        let study = try CohortStudy(models: 1, runs: 1, datasets: ["alpha"])
        defer { study.remove() }
        let row = try #require(rows(try study.evidence().pipelinesTable()).first)
        #expect(row["split_sizes"] == .text("2-1-0") && row["shuffle"] == .text("yes"))
        #expect(row["colour"] == .text("colour to grey") && row["pin_memory"] == .text("no"))
        #expect(row["main_features"] == .text("seeded, scheduler") && row["seeds"] == .text("none"))
        #expect(row["split_seed"] == .integer(42) && row["loading"] == .missing)
    }

    @Test func `choices of pipelines are counted over runs and models`() throws {
        let study = try CohortStudy(models: 3, runs: 2, datasets: ["alpha"])
        defer { study.remove() }
        let table = rows(try study.evidence().pipelineChoicesTable())
        let colours = table.filter { $0["choice"] == .text("colour") }
        #expect(colours.count == 1)
        #expect(colours[0]["value"] == .text("colour to grey"))
        #expect(number(colours[0]["models"]) == 3 && number(colours[0]["runs"]) == 6)
        #expect(!table.contains { $0["choice"] == .text("loading") }, "no capture tells it")
        let workers = table.filter { $0["choice"] == .text("workers") }
        #expect(workers.map { $0["value"] } == [.text("0"), .text("2")], "the most frequent value first")
        #expect(workers.map { number($0["runs"]) } == [4, 2])
    }

    @Test func `choices of two targets stand side by side`() throws {
        let study = try CohortStudy(models: 3, runs: 2, datasets: ["alpha"])
        defer { study.remove() }
        var evidence = try study.evidence()
        #expect(evidence.targetChoicesTable() == nil, "one target is compared with nothing")
        for index in evidence.runs.indices where evidence.runs[index].record.model == "m0" {
            evidence.runs[index].record.target = "tensorflow"
        }
        let table = try #require(evidence.targetChoicesTable())
        #expect(table.columns.map(\.key) == ["choice", "value", "pytorch", "tensorflow"])
        let found = rows(table)
        let colour = try #require(found.first { $0["choice"] == .text("colour") })
        #expect(colour["value"] == .text("colour to grey"))
        #expect(colour["pytorch"] == .text("4 of 4") && colour["tensorflow"] == .text("2 of 2"))
        let seed = try #require(found.first { $0["choice"] == .text("split seed") })
        #expect(seed["value"] == .text("median") && seed["tensorflow"] == .text("42 (n 2)"))
        #expect(!found.contains { $0["choice"] == .text("loading") }, "no capture tells it")
        #expect(evidence.tables(about: .pipelines).map(\.name).last == "target-choices")
    }
}
