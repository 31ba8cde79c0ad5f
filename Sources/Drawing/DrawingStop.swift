import Synchronization

/// The wish to stop: no further request leaves, those on their way are awaited, and what was drawn is scored.
///
/// Cancelling the task instead drops what is on its way, which may have been paid for.
public final class DrawingStop: Sendable {
    private let wish = Mutex(false)

    public init() {}

    /// Safe from any thread.
    public func request() { wish.withLock { $0 = true } }

    public var isRequested: Bool { wish.withLock { $0 } }
}
