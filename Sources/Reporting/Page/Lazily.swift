import Synchronization

/// A value that is made when it is first asked for, and kept.
final class Lazily<Value: Sendable>: Sendable {
    private let kept = Mutex<Value?>(nil)
    private let make: @Sendable () throws -> Value

    init(_ make: @escaping @Sendable () throws -> Value) {
        self.make = make
    }

    /// Whoever asks while it is made waits. What could not be made is tried again the next time.
    func value() throws -> Value {
        try kept.withLock { kept in
            if let kept { return kept }
            let value = try make()
            kept = value
            return value
        }
    }
}
