import Foundation
import ResultStore
import Statistics

/// Two groups, or all groups of a question, compared on one dataset or over all.
struct CohortComparison: Sendable {
    var question: CohortQuestion
    /// Nil: the mean over all datasets.
    var dataset: String?
    var first: Side
    /// Nil where more than two groups are compared at once.
    var second: Side?
    /// Median of the first less median of the second, with a bootstrap over models and the images inside them.
    var difference: Double?
    var interval: ConfidenceInterval?
    var result: TestResult?
    /// Why there is no test.
    var remark: String?

    struct Side: Sendable {
        var name: String
        var values: [Double]
    }

    /// What a test of two groups could reach at best, every model of one above every one of the other: 1 / C(m + n, m), twice
    /// that two-sided.
    static func smallestP(_ m: Int, _ n: Int, _ alternative: Alternative = .twoSided) -> Double {
        guard m > 0, n > 0 else { return 1 }
        // ln C(m + n, m) by the gamma function.
        let combinations = lgamma(Double(m + n + 1)) - lgamma(Double(m + 1)) - lgamma(Double(n + 1))
        return min(1, sides(alternative) * exp(-combinations))
    }

    /// What a signed-rank test of n pairs could reach at best: 1 / 2ⁿ, twice that two-sided.
    static func smallestP(pairs n: Int, _ alternative: Alternative = .twoSided) -> Double {
        min(1, sides(alternative) * pow(0.5, Double(n)))
    }

    private static func sides(_ alternative: Alternative) -> Double { alternative == .twoSided ? 2 : 1 }

    /// Fewer models a group than this leave Kruskal and Wallis's χ² a poor approximation.
    static let fewestForManyGroups = 5

    /// A p is given only where the sizes allow one of at most this.
    static let level = 0.05
}

extension StudyEvidence {
    /// Every comparison of a question, by dataset and over all; p corrected over them as the plan says.
    func comparisons(_ question: CohortQuestion) -> [CohortComparison] {
        let cohorts = cohorts(question)
        guard cohorts.count > 1 else { return [] }
        let datasets = Set(comparableRuns.map(\.record.dataset))
        var found: [CohortComparison] = []
        for dataset in datasets.sorted().map(Optional.some) + [nil] {
            let groups = cohorts.map { ($0.name, scores(of: $0, dataset, datasets)) }.filter { !$0.1.isEmpty }
            guard groups.count > 1 else { continue }
            if question == .vendor {
                found.append(compareAll(question, dataset, groups))
            } else {
                for a in groups.indices {
                    for b in groups.indices where a < b {
                        found.append(compare(question, dataset, groups[a], groups[b]))
                    }
                }
            }
        }
        return corrected(found, by: plan.correction(of: question))
    }

    private typealias Group = (name: String, scores: [ModelScore])

    /// A group's results, one a model; where models are compared, one a run of a model that has several.
    private func scores(of cohort: Cohort, _ dataset: String?, _ datasets: Set<String>) -> [ModelScore] {
        guard cohort.question == .model else {
            return dataset.map { Self.scores(cohort.runs, dataset: $0) }
                ?? Self.scoresOverAll(cohort.runs, datasets: datasets)
        }
        let runs = cohort.runs.filter { $0.record.dataset == dataset }
        let scores = runs.compactMap { ModelScore(model: $0.label, dataset: $0.record.dataset, runs: [$0]) }
        return scores.count > 1 ? scores : []
    }

    private func compare(_ question: CohortQuestion, _ dataset: String?, _ a: Group, _ b: Group) -> CohortComparison {
        question.isPaired ? comparePaired(question, dataset, a, b) : compareApart(question, dataset, a, b)
    }

    /// Different models in the groups: Mann and Whitney.
    private func compareApart(_ question: CohortQuestion, _ dataset: String?, _ a: Group, _ b: Group)
        -> CohortComparison
    {
        let (x, y) = (a.scores.map(\.dice), b.scores.map(\.dice))
        var comparison = CohortComparison(
            question: question, dataset: dataset, first: .init(name: a.name, values: x),
            second: .init(name: b.name, values: y))
        comparison.difference = Self.differenceOfMedians([x, y])
        if x.count > 1, y.count > 1 {
            // Images of several datasets are not resampled together: over all, models only.
            let level: HierarchicalLevel = dataset == nil ? .units : .unitsAndItems
            comparison.interval =
                try? Statistics.hierarchicalBootstrap(
                    [a.scores.map(\.unit), b.scores.map(\.unit)], level: level,
                    resampling: Resampling(resamples: 2000, seed: plan.seed), statistic: Self.differenceOfMedians
                ).interval
        }
        let alternative = plan.alternative(of: question)
        test(
            &comparison, "\(x.count) against \(y.count)", CohortComparison.smallestP(x.count, y.count, alternative),
            alternative
        ) { () throws(StatisticsError) in try Statistics.mannWhitney(x, y, alternative: alternative) }
        return comparison
    }

    /// The same models in both groups: Wilcoxon's signed ranks of the models that have both.
    private func comparePaired(
        _ question: CohortQuestion, _ dataset: String?, _ a: Group, _ b: Group
    ) -> CohortComparison {
        let others = Dictionary(b.scores.map { ($0.model, $0) }, uniquingKeysWith: { first, _ in first })
        let pairs = a.scores.compactMap { score in others[score.model].map { (score, $0) } }
        let (x, y) = (pairs.map(\.0.dice), pairs.map(\.1.dice))
        var comparison = CohortComparison(
            question: question, dataset: dataset, first: .init(name: a.name, values: x),
            second: .init(name: b.name, values: y))
        comparison.difference = Self.differenceOfMedians([x, y])
        if pairs.count > 1 {
            comparison.interval =
                try? Statistics.bootstrapPairs(
                    x, y, resampling: Resampling(resamples: 2000, seed: plan.seed), method: .percentile
                ) { Self.differenceOfMedians([$0, $1]) }.interval
        }
        let alternative = plan.alternative(of: question)
        test(
            &comparison, "\(pairs.count) models with both",
            CohortComparison.smallestP(pairs: pairs.count, alternative), alternative
        ) { () throws(StatisticsError) in try Statistics.signedRank(x, y, alternative: alternative) }
        return comparison
    }

    /// Tests where the sizes allow a p worth having, and says why not elsewhere.
    private func test(
        _ comparison: inout CohortComparison, _ sizes: String, _ best: Double, _ alternative: Alternative,
        _ test: () throws(StatisticsError) -> TestResult
    ) {
        guard best <= CohortComparison.level else {
            let sided = alternative == .twoSided ? "two-sided" : "one-sided"
            comparison.remark =
                "no test: \(sizes) cannot give a \(sided) p below \(ReportTable.Cell.fixed(best, 2))"
            return
        }
        do {
            comparison.result = try test()
        } catch {
            comparison.remark = "no test: \(error)"
        }
    }

    /// More than two groups of different models: Kruskal and Wallis.
    private func compareAll(_ question: CohortQuestion, _ dataset: String?, _ groups: [Group]) -> CohortComparison {
        let values = groups.map { $0.scores.map(\.dice) }
        var comparison = CohortComparison(
            question: question, dataset: dataset,
            first: .init(name: "\(groups.count) groups", values: values.flatMap { $0 }), second: nil)
        let fewest = values.map(\.count).min() ?? 0
        guard fewest >= CohortComparison.fewestForManyGroups else {
            comparison.remark =
                "no test: the smallest group has \(fewest) model\(fewest == 1 ? "" : "s"), and \(CohortComparison.fewestForManyGroups) are needed in each"
            return comparison
        }
        do {
            comparison.result = try Statistics.kruskalWallis(values)
        } catch {
            comparison.remark = "no test: \(error)"
        }
        return comparison
    }

    private func corrected(_ comparisons: [CohortComparison], by method: MultipleTesting) -> [CohortComparison] {
        let tested = comparisons.indices.filter { comparisons[$0].result != nil }
        guard let results = try? Statistics.corrected(tested.compactMap { comparisons[$0].result }, by: method) else {
            return comparisons
        }
        var comparisons = comparisons
        for (index, result) in zip(tested, results) { comparisons[index].result = result }
        return comparisons
    }

    private static func differenceOfMedians(_ groups: [[Double]]) -> Double {
        (Statistics.median(groups[0]) ?? .nan) - (Statistics.median(groups[1]) ?? .nan)
    }
}
