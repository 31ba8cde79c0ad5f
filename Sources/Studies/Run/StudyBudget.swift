import Foundation
import ResultStore
import Synchronization

/// The budget of a study, asked while its jobs run: before each request that is paid for, and before each version of a program.
///
/// Requests that are on their way count as what they are expected to cost, so that several conversations cannot exceed the budget
/// together. A reply that turns out dearer than expected can, by that difference.
final class StudyBudget: Sendable {
    private let limits: StudyFile.Budget
    private let store: ResultStore
    /// US dollars expected of the requests that are on their way.
    private let pending = Mutex(0.0)

    init(_ limits: StudyFile.Budget, store: ResultStore) {
        self.limits = limits
        self.store = store
    }

    /// Lets a request out.
    ///
    /// - Parameter cost: US dollars that it is expected to cost; nil where nothing is paid or the price is not known.
    /// - Returns: to be called once what it cost is stored.
    /// - Throws: `BudgetReached`, `StoreError`.
    func admit(_ cost: Double?) throws -> @Sendable () -> Void {
        guard let limit = limits.money, let cost else { return {} }
        try pending.withLock { pending in
            let spent = try store.moneySpent()
            guard spent + pending + cost <= limit else {
                throw BudgetReached(
                    reason:
                        "the budget of \(StudyNumbers.money(limit)) would be exceeded: \(StudyNumbers.money(spent)) are spent, "
                        + "\(StudyNumbers.money(pending)) expected of requests on their way, \(StudyNumbers.money(cost)) of the next one"
                )
            }
            pending += cost
        }
        return { [self] in pending.withLock { $0 = max(0, $0 - cost) } }
    }

    /// Lets a version of a program begin.
    ///
    /// - Parameter seconds: that it is expected to take.
    /// - Throws: `BudgetReached`, `StoreError`.
    func admitVersion(seconds: Double) throws {
        guard let limit = limits.hours, let elapsed = try store.study()?.elapsedSeconds else { return }
        guard elapsed + seconds <= limit * 3600 else {
            throw BudgetReached(
                reason: "the budget of \(limit) h would be exceeded: \(StudyNumbers.duration(elapsed)) are used, "
                    + "\(StudyNumbers.duration(seconds)) expected of the next version")
        }
    }
}

/// The budget does not hold what comes next. What is done is stored, and the job goes on from there where there is more.
struct BudgetReached: Error, Hashable, CustomStringConvertible {
    var reason: String

    var description: String { reason }
}
