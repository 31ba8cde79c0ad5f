import ResultStore

/// One error of a conversation, from the reply that brought it to the one whose check no longer shows it.
///
/// An error is known again by its signature. A reply without usable files tells nothing of the error before it, which stays open
/// beneath the extraction error; a clarification is no check. Each reply belongs to the episode whose error was fed back last, so
/// that what it took is counted once.
struct ErrorEpisode: Sendable, Hashable {
    enum End: Sendable, Hashable {
        /// The conversation ended, or goes on, with the error.
        case open
        /// The reply that mended it ran.
        case ran
        /// The reply that mended it met another error: one it brought, or one that this had hidden.
        case another
        /// Likewise, and the other one had been met before in this conversation.
        case returned
    }

    /// What the replies to an error took.
    struct Effort: Sendable, Hashable {
        var replies = 0
        /// Of wall clock: waiting for replies and check runs.
        var seconds = 0.0
        /// Read and written; nil where an endpoint's count is missing.
        var tokens: Int? = 0
        /// US$; nil where a price is not known.
        var cost: Double? = 0

        static func + (left: Effort, right: Effort) -> Effort {
            Effort(
                replies: left.replies + right.replies, seconds: left.seconds + right.seconds,
                tokens: left.tokens.flatMap { tokens in right.tokens.map { tokens + $0 } },
                cost: left.cost.flatMap { cost in right.cost.map { cost + $0 } })
        }
    }

    var errorClass: String
    var subcategory: String
    var signature: String
    var firstRound: Int
    /// How many checks or replies showed it.
    var sightings = 1
    var end = End.open
    var effort = Effort()

    var isMended: Bool { end != .open }

    fileprivate init(_ error: ErrorRecord) {
        errorClass = error.errorClass
        subcategory = error.subcategory
        signature = error.signature
        firstRound = error.round
    }
}

extension StudyEvidence.Run {
    /// The errors of the conversation in the order in which they were met.
    var errorEpisodes: [ErrorEpisode] {
        var log = EpisodeLog(run: self)
        for round in rounds.sorted(by: { $0.round < $1.round }) { log.append(round) }
        return log.episodes
    }

    /// Replies fed back until the pipeline ran, or until now where it has not; nil before the first reply is checked.
    var roundsToSuccess: SurvivedRounds? {
        if let clean = rounds.filter({ $0.outcome == .clean }).map(\.round).min() {
            return SurvivedRounds(rounds: clean, ran: true)
        }
        return rounds.map(\.round).max().map { SurvivedRounds(rounds: $0, ran: false) }
    }
}

/// Makes episodes of rounds.
private struct EpisodeLog {
    private let run: StudyEvidence.Run
    private let errors: [Int: ErrorRecord]
    private(set) var episodes: [ErrorEpisode] = []
    /// Indices of what is not mended: at most one error of a check, and one of a reply above it.
    private var pending: [Int] = []

    init(run: StudyEvidence.Run) {
        self.run = run
        errors = Dictionary(run.errorRecords.map { ($0.round, $0) }, uniquingKeysWith: { first, _ in first })
    }

    mutating func append(_ round: RoundRecord) {
        if let asked = pending.last { episodes[asked].effort = episodes[asked].effort + effort(of: round) }
        switch round.outcome {
        case .clarification: return
        case .clean: close(.ran)
        case .error, .contract, .extraction:
            guard let error = errors[round.round] else { return }
            meet(error, isExtraction: round.outcome == .extraction)
        }
    }

    private mutating func meet(_ error: ErrorRecord, isExtraction: Bool) {
        let known = pending.first { episodes[$0].signature == error.signature }
        let before = Set(episodes.map(\.signature))
        if let known {
            // The error itself again. What lay above it is mended and led back to it.
            while let top = pending.last, top != known {
                episodes[top].end = .returned
                pending.removeLast()
            }
            episodes[known].sightings += 1
            return
        }
        let end: ErrorEpisode.End = before.contains(error.signature) ? .returned : .another
        if isExtraction {
            if let top = pending.last, episodes[top].errorClass == error.errorClass {
                episodes[top].end = end
                pending.removeLast()
            }
        } else {
            close(end)
        }
        episodes.append(ErrorEpisode(error))
        pending.append(episodes.count - 1)
    }

    private mutating func close(_ end: ErrorEpisode.End) {
        for index in pending { episodes[index].end = end }
        pending = []
    }

    /// What one reply and its check took, the requests that were lost or failed on the way too.
    private func effort(of round: RoundRecord) -> ErrorEpisode.Effort {
        let asked = run.exchanges.filter { $0.round == round.round }
        let tokens = asked.map { exchange in
            exchange.inputTokens.flatMap { read in exchange.outputTokens.map { read + $0 } }
        }
        return ErrorEpisode.Effort(
            replies: 1, seconds: asked.compactMap(\.totalSeconds).reduce(0, +) + (round.checkSeconds ?? 0),
            tokens: tokens.contains(nil) || tokens.isEmpty ? nil : tokens.compactMap { $0 }.reduce(0, +),
            cost: asked.contains { $0.cost == nil } || asked.isEmpty ? nil : asked.compactMap(\.cost).reduce(0, +))
    }
}
