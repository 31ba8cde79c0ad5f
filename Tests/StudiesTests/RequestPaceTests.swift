import Synchronization
import Testing

@testable import Studies

@Suite("Requests to one endpoint")
struct RequestPaceTests {
    /// A clock that stands still until it is moved, and who was told to wait until when.
    private final class Times: Sendable {
        let start = ContinuousClock.now
        private let state = Mutex<(now: Duration, waits: [Duration])>((.zero, []))

        func pace(perMinute: Int) -> RequestPace {
            RequestPace(
                perMinute: perMinute, now: { self.start + self.state.withLock { $0.now } },
                sleep: { moment in self.state.withLock { $0.waits.append(moment - self.start) } })
        }

        func move(to now: Duration) { state.withLock { $0.now = now } }
        var waits: [Duration] { state.withLock { $0.waits } }
    }

    @Test("leave one interval apart, whoever asks, and the first at once")
    func apart() async throws {
        let times = Times()
        let pace = times.pace(perMinute: 30)
        try await withThrowingTaskGroup { group in
            for _ in 0..<20 { group.addTask { try await pace.wait() } }
            try await group.waitForAll()
        }
        #expect(times.waits.sorted() == (0..<20).map { .seconds(2) * $0 })
    }

    @Test("do not make up for a pause by a burst")
    func pause() async throws {
        let times = Times()
        let pace = times.pace(perMinute: 60)
        try await pace.wait()
        times.move(to: .seconds(10))
        for _ in 0..<3 { try await pace.wait() }
        #expect(times.waits == [.zero, .seconds(10), .seconds(11), .seconds(12)])
    }

    @Test("that are called off do not leave")
    func cancelled() async throws {
        let pace = RequestPace(perMinute: 1)
        try await pace.wait()
        let second = Task { try await pace.wait() }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
    }
}
