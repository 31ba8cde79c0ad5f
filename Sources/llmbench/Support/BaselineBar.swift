import Baselines
import ResultStore
import Synchronization

/// The progress of a baseline: the stage until training begins, then a bar over all steps or over the time.
final class BaselineBar: Sendable {
    private struct State {
        var bar: ProgressBar
        var isCounting = false
        /// Steps done, which what comes after training leaves where they are.
        var done = 0
    }

    /// Steps of the bar where the time is the limit.
    private static let parts = 1000

    private let title: String
    private let state: Mutex<State>

    init(title: String) {
        self.title = title
        state = Mutex(State(bar: ProgressBar(title: title, total: 0)))
    }

    var observer: BaselineStage.Observer {
        .init(
            progress: { self.update($0) },
            epoch: { epoch in
                // Where standard error is no terminal, the epochs are the record of what happened.
                guard !Terminal.current().isInteractive else { return }
                Terminal.note("\(self.title)  \(Self.line(epoch))")
            }, note: { Terminal.note("llmbench: \($0)") })
    }

    func finish() { state.withLock { $0.bar }.finish() }

    /// Ends the bar of what failed, where it has not ended yet.
    func abandon() { state.withLock { $0.bar }.abandon() }

    private func update(_ progress: BaselineProgress) {
        guard let epoch = progress.epoch, let iteration = progress.iteration, let iterations = progress.iterations
        else {
            let (bar, done) = state.withLock { ($0.bar, $0.done) }
            return bar.update(done, note: progress.stage)
        }
        let total = progress.epochs.map { $0 * iterations } ?? Self.parts
        let done =
            progress.epochs.map { _ in (epoch - 1) * iterations + iteration }
            ?? Int((progress.share ?? 0) * Double(Self.parts))
        let bar = state.withLock { state in
            if !state.isCounting { state = State(bar: ProgressBar(title: title, total: total), isCounting: true) }
            state.done = max(state.done, done)
            return state.bar
        }
        let loss = progress.loss.map { "  loss \(ProgressText.fourDigits($0))" } ?? ""
        bar.update(done, note: "epoch \(epoch), step \(iteration)/\(iterations)\(loss)")
    }

    private static func line(_ epoch: BaselineEpochRecord) -> String {
        func shown(_ value: Double?) -> String { value.map { ProgressText.fourDigits($0) } ?? "none" }
        return "epoch \(epoch.epoch)  loss \(shown(epoch.trainLoss)), validation \(shown(epoch.validationLoss)), "
            + "pseudo Dice \(shown(epoch.pseudoDice)), \(Int((epoch.seconds ?? 0).rounded())) s"
    }
}
