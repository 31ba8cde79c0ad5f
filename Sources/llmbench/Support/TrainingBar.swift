import Synchronization
import Training

/// The progress of a job that may train: the time that passes until the first batch tells how many there are, then a bar over
/// the batches of all epochs.
final class TrainingBar: Sendable {
    private struct State {
        var bar: ProgressBar
        var isCounting = false
    }

    private let title: String
    private let state: Mutex<State>
    private let ticker: Task<Void, Never>

    init(title: String) {
        self.title = title
        let waiting = ProgressBar(title: title, total: 0)
        state = Mutex(State(bar: waiting))
        ticker = Task {
            while !Task.isCancelled {
                waiting.update(0)
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    deinit { ticker.cancel() }

    var observer: TrainingObserver {
        TrainingObserver(progress: { self.update($0) }, note: { Terminal.note("llmbench: \($0)") })
    }

    func update(_ step: TrainingProgress) {
        let total = step.epochs * step.batches
        let bar = state.withLock { state in
            if total > 0, !state.isCounting {
                ticker.cancel()
                state = State(bar: ProgressBar(title: title, total: total), isCounting: true)
            }
            return state.bar
        }
        let loss = step.loss.map { "  loss \(ProgressText.fourDigits($0))" } ?? ""
        guard total > 0 else { return bar.update(0, note: "epoch \(step.epoch), batch \(step.batch)\(loss)") }
        bar.update((step.epoch - 1) * step.batches + step.batch, note: "epoch \(step.epoch)/\(step.epochs)\(loss)")
    }

    /// Ends the bar and leaves a line that says how long it took.
    func finish() {
        ticker.cancel()
        state.withLock { $0.bar }.finish()
    }

    /// Ends the bar of what failed or was stopped, where it has not ended yet: nothing says "done".
    func abandon() {
        ticker.cancel()
        state.withLock { $0.bar }.abandon()
    }
}
