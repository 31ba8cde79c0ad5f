import ResultStore
import Statistics

/// How long a conversation was watched until its pipeline ran.
struct SurvivedRounds: Sendable, Hashable {
    /// Replies fed back: 0 where the first reply ran.
    var rounds: Int
    /// Otherwise the conversation ended, or goes on, without a pipeline that runs: censored.
    var ran: Bool
}

/// The share of conversations whose pipeline runs, by replies fed back: one minus the curve of Kaplan and Meier (1958).
///
/// A conversation that used up its rounds is censored there, as one that still goes on: what more rounds would have done is not
/// known. One that ended for want of context is censored too, though it could not have gone on, so that shares beyond it are, if
/// anything, too high.
struct RoundsToSuccess: Sendable {
    /// Success within so many replies fed back.
    struct Share: Sendable, Hashable {
        var rounds: Int
        var share: Double
        var interval: ConfidenceInterval?
        /// Whether some conversation was censored earlier, so that the share is the curve's and no count's.
        var isEstimate: Bool
    }

    let conversations: [SurvivedRounds]
    private let curve: SurvivalCurve?

    init(_ conversations: [SurvivedRounds]) {
        self.conversations = conversations
        curve = try? SurvivalCurve(conversations.map { SurvivalTime(time: Double($0.rounds), isEvent: $0.ran) })
    }

    init(_ runs: [StudyEvidence.Run]) {
        self.init(runs.compactMap(\.roundsToSuccess))
    }

    var count: Int { conversations.count }
    var succeeded: Int { conversations.count { $0.ran } }
    /// The longest that any was watched.
    var last: Int { conversations.map(\.rounds).max() ?? 0 }

    /// Replies fed back until half of the conversations run; nil where fewer do.
    var median: Int? { curve?.median.map { Int($0) } }

    /// Conversations that had not run and were still watched when reply `rounds` was checked.
    func atRisk(_ rounds: Int) -> Int { conversations.count { $0.rounds >= rounds } }

    /// Conversations whose watch ended at `rounds` without a pipeline that runs.
    func censored(at rounds: Int) -> Int { conversations.count { !$0.ran && $0.rounds == rounds } }

    /// Success within `rounds` replies fed back; nil without conversations, and beyond what was watched unless all ran.
    ///
    /// The interval is Wilson's where every conversation was watched so long, otherwise the one from log(−log S) with Greenwood's
    /// variance (Kalbfleisch and Prentice 2002, section 1.4), which does not exist for none and all.
    func within(_ rounds: Int) -> Share? {
        guard let curve, rounds <= last || succeeded == count else { return nil }
        let step = curve.steps.last { $0.time <= Double(rounds) }
        let isEstimate = conversations.contains { !$0.ran && $0.rounds < rounds }
        let share = 1 - (step?.survival ?? 1)
        let interval: ConfidenceInterval? =
            isEstimate
            ? step?.interval.map {
                ConfidenceInterval(lower: 1 - $0.upper, upper: 1 - $0.lower, level: $0.level)
            }
            : try? Statistics.shareInterval(
                successes: conversations.count { $0.ran && $0.rounds <= rounds }, of: count)
        return Share(rounds: rounds, share: share, interval: interval, isEstimate: isEstimate)
    }
}
