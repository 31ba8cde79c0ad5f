import Synchronization

/// Lets requests leave at most so often: the next one may leave a fixed time after the last.
final class RequestPace: Sendable {
    private let interval: Duration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let sleep: @Sendable (ContinuousClock.Instant) async throws -> Void
    private let next = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameters:
    ///   - now: The time, for tests.
    ///   - sleep: Waits for a time, for tests.
    init(
        perMinute: Int, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        sleep: @escaping @Sendable (ContinuousClock.Instant) async throws -> Void = {
            try await Task.sleep(until: $0, clock: .continuous)
        }
    ) {
        interval = .seconds(60) / max(1, perMinute)
        self.now = now
        self.sleep = sleep
    }

    /// - Throws: `CancellationError`.
    func wait() async throws {
        let moment = next.withLock { next -> ContinuousClock.Instant in
            let moment = max(next ?? now(), now())
            next = moment + interval
            return moment
        }
        try await sleep(moment)
    }
}
