import ResultStore
import Statistics

extension StudyEvidence {
    /// Spread from run to run inside each model: standard deviation, quartiles, range.
    public func variabilityTable() -> ReportTable {
        var table = ReportTable(
            name: "variability", title: "Run-to-run spread",
            columns: [
                .init("model", key: "model"), .init("dataset", key: "dataset"), .init("target", key: "target"),
                .init("prompt", key: "prompt"), .init("quantity", key: "quantity"),
                .init("runs", key: "runs", numeric: true),
                .init("mean", key: "mean", numeric: true), .init("sd", key: "sd", numeric: true),
                .init("median", key: "median", numeric: true), .init("IQR", key: "iqr", numeric: true),
                .init("least", key: "min", numeric: true), .init("most", key: "max", numeric: true),
                .init("range", key: "range", numeric: true),
            ])
        for group in repeatedRuns {
            for quantity in RunQuantity.all {
                let values = group.values(quantity)
                guard let least = values.min(), let most = values.max() else { continue }
                func number(_ value: Double?) -> ReportTable.Cell {
                    value.map { .number($0, digits: quantity.digits) } ?? .missing
                }
                table.rows.append([
                    .text(group.model), .text(group.dataset), .text(group.target), .text(group.prompt),
                    .text(quantity.title), .integer(values.count), number(Statistics.mean(values)),
                    number(Statistics.standardDeviation(values)), number(Statistics.median(values)),
                    number(values.count > 1 ? Statistics.interquartileRange(values) : nil), number(least), number(most),
                    number(values.count > 1 ? most - least : nil),
                ])
            }
        }
        table.notes = [
            "runs: those that have the quantity; a run without a pipeline that runs has no Dice, and one without a capture no choices. sd: "
                + "sample standard deviation (n − 1); IQR: quartiles of type 7. One run has no spread: a dash."
        ]
        return table
    }

    /// Spread compared between models, and divided into the part between models and the part between runs of one.
    public func spreadTable() -> ReportTable {
        var table = ReportTable(
            name: "spread", title: "Spread between and within models",
            columns: [
                .init("dataset", key: "dataset"), .init("quantity", key: "quantity"),
                .init("models", key: "models", numeric: true), .init("runs", key: "runs", numeric: true),
                .init("sd between", key: "sd_between", numeric: true),
                .init("sd within", key: "sd_within", numeric: true),
                .init("share between", key: "icc", numeric: true), .init("test of equal spread", key: "test"),
                .init("F", key: "statistic", numeric: true), .init("p", key: "p", numeric: true),
                .init("p (Holm)", key: "p_holm", numeric: true), .init("eta²", key: "eta_squared", numeric: true),
                .init("its 95 % interval", key: "eta_squared_interval"), .init("remark", key: "remark"),
            ])
        let all = spreads()
        let tested = all.indices.filter { all[$0].result != nil }
        let corrected = (try? Statistics.corrected(tested.compactMap { all[$0].result }, by: .holm)) ?? []
        let results = Dictionary(zip(tested, corrected), uniquingKeysWith: { first, _ in first })
        table.rows = all.enumerated().map { Self.row($1, results[$0] ?? $1.result) }
        table.notes = [
            "sd between and within: square roots of the variance components of a one-way random-effects model (Searle, Casella and "
                + "McCulloch 1992, section 3.6), a negative estimate shown as 0; share between: the intraclass correlation. Models with a "
                + "single run count for the part between.",
            "Test: Brown and Forsythe (1974), of the models with \(Self.fewestForSpread) runs or more; eta² is the models' share of "
                + "the absolute deviations' sum of squares, with a BCa bootstrap. p (Holm): corrected over this table.",
        ]
        if let fixtureNote { table.notes.append(fixtureNote) }
        return table
    }

    /// With fewer, the deviations from the median are mostly its own.
    private static let fewestForSpread = 5

    private struct Spread {
        var dataset: String
        var quantity: RunQuantity
        var groups: [[Double]]
        var result: TestResult?
        var remark: String?
    }

    private func spreads() -> [Spread] {
        let real = Set(comparableRuns.map(\.record.path))
        let groups = repeatedRuns.filter { group in group.runs.contains { real.contains($0.record.path) } }
        return Set(groups.map(\.dataset)).sorted().flatMap { dataset in
            RunQuantity.all.compactMap { quantity -> Spread? in
                let values = groups.filter { $0.dataset == dataset }.map { $0.values(quantity) }.filter { !$0.isEmpty }
                guard values.count > 1 else { return nil }
                var spread = Spread(dataset: dataset, quantity: quantity, groups: values)
                let enough = values.filter { $0.count >= Self.fewestForSpread }
                guard enough.count > 1 else {
                    spread.remark =
                        "no test: \(enough.count) model\(enough.count == 1 ? "" : "s") with \(Self.fewestForSpread) runs or more, and two are needed"
                    return spread
                }
                do {
                    spread.result = try Statistics.brownForsythe(enough)
                } catch {
                    spread.remark = "no test: \(error)"
                }
                return spread
            }
        }
    }

    private static func row(_ spread: Spread, _ result: TestResult?) -> [ReportTable.Cell] {
        let components = VarianceComponents(spread.groups)
        func number(_ value: Double?, _ digits: Int) -> ReportTable.Cell {
            value.map { .number($0, digits: digits) } ?? .missing
        }
        let digits = spread.quantity.digits + 1
        return [
            .text(spread.dataset), .text(spread.quantity.title), .integer(spread.groups.count),
            .integer(spread.groups.reduce(0) { $0 + $1.count }),
            number(components?.between.squareRoot(), digits), number(components?.within.squareRoot(), digits),
            number(components?.intraclassCorrelation, 2),
            result.map {
                .text("\($0.test), df \($0.degreesOfFreedom.map { "\(Int($0))" }.joined(separator: ", "))")
            } ?? .missing,
            number(result?.statistic, 2), probability(result?.p), probability(result?.correction?.adjustedP),
            number(result?.effect.value, 2), interval(result?.effect.interval, digits: 2),
            spread.remark.map { .text($0) } ?? .missing,
        ]
    }

    /// Choices that are words: how many different ones a model made over its runs.
    public func choiceSpreadTable() -> ReportTable {
        var table = ReportTable(
            name: "choice-spread", title: "Choices from run to run",
            columns: [
                .init("model", key: "model"), .init("dataset", key: "dataset"), .init("choice", key: "choice"),
                .init("runs", key: "runs", numeric: true), .init("different", key: "distinct", numeric: true),
                .init("which, how often", key: "counts"),
            ])
        let words = ["optimizer", "scheduler", "loss", "conv_block", "upsampling", "encoder_channels", "image_size"]
        for group in repeatedRuns {
            for choice in Choice.all where words.contains(choice.key) {
                let values = group.runs.compactMap { run in run.facts.flatMap { choice.real($0, run.pipeline)?.shown } }
                guard !values.isEmpty else { continue }
                let counts = Dictionary(values.map { ($0, 1) }, uniquingKeysWith: +)
                    .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                table.rows.append([
                    .text(group.model), .text(group.dataset), .text(choice.title), .integer(values.count),
                    .integer(counts.count), .text(counts.map { "\($0.key) ×\($0.value)" }.joined(separator: ", ")),
                ])
            }
        }
        table.notes = ["runs: those with a capture. Read from the captured graph and the objects of the run."]
        return table
    }
}
