import Drawing
import ResultStore
import Synchronization

/// Drawings on the terminal while they are made.
final class DrawingProgress: Sendable {
    private struct State {
        var done = 0
        var failed = 0
        var kept = 0
        var bar: ProgressBar?
    }

    private let title: String
    private let state: Mutex<State>

    init(title: String, total: Int) {
        self.title = title
        state = Mutex(State(bar: ProgressBar(title: title, total: total)))
    }

    func show(_ event: DrawingEvent) {
        switch event {
        case .asking: break
        case .receiving(let sample, let draw, let bytes): update("\(sample) draw \(draw): \(bytes) bytes")
        case .settled(let drawing, let isNew):
            state.withLock {
                $0.done += 1
                $0.kept += isNew ? 0 : 1
                $0.failed += drawing.status == .failed ? 1 : 0
            }
            update(drawing.sample)
        case .lost(let drawing):
            Terminal.note("\(title)  \(drawing.sample), draw \(drawing.draw): a reply was cut; asking again")
        }
    }

    private func update(_ note: String) {
        let (bar, done, failed) = state.withLock { ($0.bar, $0.done, $0.failed) }
        bar?.update(done, note: failed > 0 ? "\(note), \(failed) failed" : note)
    }

    func stopping() {
        Terminal.note(
            "\(title)  stopping: replies on their way are awaited and what was drawn is scored; Ctrl-C again ends at once"
        )
    }

    /// Ends the bar without a line, for what failed.
    func close() {
        state.withLock { $0.bar = nil }
    }

    /// Ends the bar and leaves a line that says how long it took.
    func finish() {
        let (bar, kept) = state.withLock { state in
            defer { state.bar = nil }
            return (state.bar, state.kept)
        }
        bar?.finish(note: kept > 0 ? "\(kept) were there already" : "")
    }
}

extension DrawingSession {
    /// Draws with a progress line. The first Ctrl-C, or polite kill, is a wish: nothing more is asked, replies on their way are awaited, what
    /// was drawn is scored; the second ends at once.
    ///
    /// - Throws: as `run`; `CancellationError` where it was stopped.
    func run(
        part: DrawingRecord.Part = .heldOut, limit: Int?, budget: Double?, parallel: Int,
        refinement: StoredRefinement? = nil, showing progress: DrawingProgress
    ) async throws {
        let stop = DrawingStop()
        let interruption = Interruption {
            stop.request()
            progress.stopping()
        }
        defer { interruption.end() }
        _ = try await run(
            part: part, limit: limit, budget: budget, parallel: parallel, refinement: refinement, stop: stop,
            observe: progress.show)
    }
}
