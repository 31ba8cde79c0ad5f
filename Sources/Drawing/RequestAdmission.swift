/// Lets requests out: so many at once, none that a budget may not hold, and the first by itself.
///
/// Until one drawing of the set has an answer, a single request is on its way, so that a server that takes no pictures is asked once. Under a
/// budget each request is expected to cost what its own text and pictures are estimated at, or what the dearest of its kind cost so far,
/// whichever is more; what is on its way counts as that, and a request that does not fit beside it waits for it. The first of a kind, of which
/// nobody knows yet what an endpoint charges, waits until nothing is on its way.
actor RequestAdmission {
    /// No more requests leave, since another failed; its error is the one to report.
    struct Stopped: Error {}

    /// What the drawings of the set cost so far.
    struct Spending {
        /// US dollars of each request, with its kind: which turn or look it asks for. Later ones show more, and cost more.
        var costs: [(kind: Int, cost: Double)]
        var settled: Int
    }

    /// US dollars.
    private let budget: Double?
    /// Drawings that were asked for in all.
    private let planned: Int
    private let stop: DrawingStop?
    private let spending: @Sendable () throws -> Spending
    /// Whether any drawing of the set has its answer.
    private var isProven: Bool
    private var isStopped = false
    private var inFlight = 0
    private var reserved = 0.0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(
        budget: Double?, planned: Int, stop: DrawingStop? = nil, spending: @escaping @Sendable () throws -> Spending
    ) throws {
        (self.budget, self.planned, self.stop, self.spending) = (budget, planned, stop, spending)
        isProven = try spending().settled > 0
    }

    /// Returns what is set aside for the request, once it may leave. Each is given back by `release`.
    ///
    /// - Parameters:
    ///   - kind: the turn or look that is asked for.
    ///   - expected: US dollars, estimated from the request itself.
    /// - Throws: `DrawingError.budgetReached`, `Stopped`; `CancellationError` where the task was cancelled or a stop was wished for.
    func admit(kind: Int, expected: Double) async throws -> Double {
        while true {
            try Task.checkCancellation()
            guard !isStopped else { throw Stopped() }
            if stop?.isRequested ?? false { throw CancellationError() }
            if isProven || inFlight == 0 {
                guard let budget else {
                    inFlight += 1
                    return 0
                }
                let state = try spending()
                let spent = state.costs.reduce(0) { $0 + $1.cost }
                let alike = state.costs.filter { $0.kind == kind }
                // Of a kind that was never paid for, as much as the dearest of any.
                let next = max(expected, (alike.isEmpty ? state.costs : alike).map(\.cost).max() ?? 0)
                if !alike.isEmpty || inFlight == 0, spent + reserved + next <= budget {
                    inFlight += 1
                    reserved += next
                    return next
                }
                guard inFlight > 0 else {
                    throw DrawingError.budgetReached(
                        budget: budget, spent: spent, next: next, settled: state.settled, planned: planned)
                }
            }
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    /// - Parameter isAnswered: whether the request came to a drawing, readable or not.
    func release(_ reservation: Double, isAnswered: Bool) {
        inFlight -= 1
        // Sums of floating-point numbers do not come back to zero by themselves.
        reserved = inFlight == 0 ? 0 : reserved - reservation
        isProven = isProven || isAnswered
        wake()
    }

    /// After a failure: whoever waits is refused.
    func close() {
        isStopped = true
        wake()
    }

    private func wake() {
        let all = waiting
        waiting = []
        for continuation in all { continuation.resume() }
    }
}
