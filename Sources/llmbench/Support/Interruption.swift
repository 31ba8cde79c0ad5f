import Foundation

/// Hears the first Ctrl-C, or a polite kill, as a wish; the second is what it always is.
final class Interruption {
    private let sources: [any DispatchSourceSignal]

    init(_ wish: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                signal(number, SIG_DFL)
                wish()
            }
            source.resume()
            return source
        }
    }

    func end() {
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
}

extension Interruption {
    /// Runs work that can be broken off: the first Ctrl-C, or polite kill, cancels it; the second ends at once.
    ///
    /// - Throws: as `work`; `CommandFailure` where it was cancelled.
    static func cancelling<Value: Sendable>(
        saying note: String, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let task = Task { try await work() }
        let interruption = Interruption {
            Terminal.note("\(note); Ctrl-C again ends at once")
            task.cancel()
        }
        defer { interruption.end() }
        do {
            return try await task.value
        } catch is CancellationError {
            throw CommandFailure.environment("stopped; the same command goes on from here")
        }
    }
}
