/// Lets requests out: so many at once, none that a budget may not hold, and the first by itself.
///
/// Until one drawing of the set has an answer, a single request is on its way, so that a server that takes no pictures is asked once. Under a
/// budget, what is on its way counts as the dearest drawing so far, and a request that does not fit beside it waits for it.
actor RequestAdmission {
    /// No more requests leave, since another failed; its error is the one to report.
    struct Stopped: Error {}

    /// What the drawings of the set cost so far.
    struct Spending {
        var costs: [Double]
        var settled: Int
    }

    /// US dollars.
    private let budget: Double?
    /// Drawings that were asked for in all.
    private let planned: Int
    private let spending: @Sendable () throws -> Spending
    /// Whether any drawing of the set has its answer.
    private var isProven: Bool
    private var isStopped = false
    private var inFlight = 0
    private var reserved = 0.0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(budget: Double?, planned: Int, spending: @escaping @Sendable () throws -> Spending) throws {
        (self.budget, self.planned, self.spending) = (budget, planned, spending)
        isProven = try spending().settled > 0
    }

    /// Returns what is set aside for the request, once it may leave. Each is given back by `release`.
    ///
    /// - Parameter expected: US dollars, where nothing was paid for yet.
    /// - Throws: `DrawingError.budgetReached`, `Stopped`, `CancellationError`.
    func admit(expected: Double) async throws -> Double {
        while true {
            try Task.checkCancellation()
            guard !isStopped else { throw Stopped() }
            if isProven || inFlight == 0 {
                guard let budget else {
                    inFlight += 1
                    return 0
                }
                let state = try spending()
                let spent = state.costs.reduce(0, +)
                // Alone, a request is expected to cost what those before it did on average.
                let average = state.costs.isEmpty ? expected : spent / Double(state.costs.count)
                let next = inFlight == 0 ? average : state.costs.max() ?? .infinity
                if spent + reserved + next <= budget {
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

    func stop() {
        isStopped = true
        wake()
    }

    private func wake() {
        let all = waiting
        waiting = []
        for continuation in all { continuation.resume() }
    }
}
