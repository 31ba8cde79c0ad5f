import Synchronization

/// Places for work that may not all go on at once. Who waits is served in order, before anybody who only asks.
final class SlotPool: Sendable {
    private struct State {
        var free: Int
        var waiting: [(id: UInt64, continuation: CheckedContinuation<Void, any Error>)] = []
        var next: UInt64 = 0
    }

    private let state: Mutex<State>
    /// Hears of a place that became free and that nobody waited for.
    private let vacated: @Sendable () -> Void

    init(_ count: Int, vacated: @escaping @Sendable () -> Void = {}) {
        state = Mutex(State(free: max(1, count)))
        self.vacated = vacated
    }

    var hasRoom: Bool { state.withLock { $0.free > 0 && $0.waiting.isEmpty } }

    /// Takes a place if there is one and nobody waits.
    func tryTake() -> Bool {
        state.withLock { state in
            guard state.free > 0, state.waiting.isEmpty else { return false }
            state.free -= 1
            return true
        }
    }

    /// Waits for a place.
    ///
    /// - Throws: `CancellationError`.
    func take() async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isNow = state.withLock { state -> Bool in
                    if state.free > 0, state.waiting.isEmpty {
                        state.free -= 1
                        return true
                    }
                    state.waiting.append((id, continuation))
                    return false
                }
                if isNow { continuation.resume() } else if Task.isCancelled { giveUp(id) }
            }
        } onCancel: {
            giveUp(id)
        }
    }

    /// Gives a place back.
    func give() {
        let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        if let next { next.resume() } else { vacated() }
    }

    private func giveUp(_ id: UInt64) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard let index = state.waiting.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiting.remove(at: index).continuation
        }
        continuation?.resume(throwing: CancellationError())
    }
}
