import ResultStore
import Statistics

extension StudyEvidence {
    /// All conversations together, and divided by the questions that have two groups; nil where nothing was checked yet.
    func roundsToSuccessFigure() -> RoundsToSuccessFigure? {
        guard let all = successCurve("all", runs) else { return nil }
        let questions: [CohortQuestion] = [.year, .reasoning, .target]
        let divided = questions.compactMap { question -> RoundsToSuccessFigure.Panel? in
            let groups = cohorts(question)
            let ordered = question == .year ? groups.reversed() : groups
            let curves = ordered.compactMap { successCurve($0.name, $0.runs) }
            return curves.count > 1 ? .init(title: "by \(question.title)", curves: curves) : nil
        }
        return RoundsToSuccessFigure(panels: [.init(title: "all conversations", curves: [all])] + divided)
    }

    private func successCurve(_ label: String, _ runs: [Run]) -> RoundsToSuccessFigure.Curve? {
        let models = Dictionary(grouping: runs, by: \.record.model).sorted { $0.key < $1.key }
            .map { $0.value.compactMap(\.roundsToSuccess) }.filter { !$0.isEmpty }
        let whole = RoundsToSuccess(models.flatMap { $0 })
        guard whole.count > 0 else { return nil }
        let band = successBand(models, to: whole.last)
        return RoundsToSuccessFigure.Curve(
            label: label, models: models.count, runs: whole.count,
            points: (0...whole.last).map { rounds in
                .init(
                    rounds: rounds, share: whole.within(rounds)?.share ?? 0, interval: band?[rounds],
                    atRisk: whole.atRisk(rounds), censored: whole.censored(at: rounds))
            })
    }

    /// The 2.5th and 97.5th percentile of the curve over models drawn with replacement, and runs within each: conversations
    /// of one model are not independent of each other (Davison and Hinkley 1997, section 3.8). Nil below three models.
    private func successBand(_ models: [[SurvivedRounds]], to last: Int) -> [ClosedRange<Double>]? {
        guard models.count >= 3 else { return nil }
        var generator = SplitMix64(seed: plan.seed)
        var shares = [[Double]](repeating: [], count: last + 1)
        for _ in 0..<1000 {
            var tally = SuccessTally(last: last)
            for _ in models {
                let drawn = models[generator.index(below: models.count)]
                for _ in drawn { tally.add(drawn[generator.index(below: drawn.count)]) }
            }
            for (rounds, share) in tally.shares.enumerated() { shares[rounds].append(share) }
        }
        return shares.map { values in
            let ends = [0.025, 0.975].map { Statistics.quantile(values, $0, type: .gumbel) }
            return (ends[0] ?? 0)...(ends[1] ?? 1)
        }
    }
}

/// Kaplan and Meier's estimate of whole rounds by counting, for resampling.
private struct SuccessTally {
    private var ran: [Int]
    private var censored: [Int]

    init(last: Int) {
        ran = Array(repeating: 0, count: last + 1)
        censored = ran
    }

    mutating func add(_ conversation: SurvivedRounds) {
        if conversation.ran { ran[conversation.rounds] += 1 } else { censored[conversation.rounds] += 1 }
    }

    /// By rounds, from 0.
    var shares: [Double] {
        var atRisk = ran.reduce(0, +) + censored.reduce(0, +)
        var without = 1.0
        return ran.indices.map { rounds in
            if atRisk > 0 { without *= 1 - Double(ran[rounds]) / Double(atRisk) }
            atRisk -= ran[rounds] + censored[rounds]
            return 1 - without
        }
    }
}
