import Foundation
import Studies
import Synchronization
import Training

/// A plan on the terminal: the rounds of a conversation, a bar a training, a line a job.
final class StudyProgress: Sendable {
    private struct State {
        var rounds: RoundProgress?
        var bar: ProgressBar?
        var ticker: Task<Void, Never>?
    }

    private let state = Mutex(State())

    func show(_ event: StudyEvent) {
        switch event {
        case .began(.generate(let model)):
            state.withLock { $0.rounds = RoundProgress(title: model, maxRounds: 0) }
        case .began(let job): begin(job)
        case .generation(_, let event): state.withLock { $0.rounds }?.show(event)
        case .training(let job, let step): update(job, step)
        case .note(let line): Terminal.note("llmbench: \(line)")
        case .finished(let job, let seconds): finish(job, seconds: seconds)
        case .failed(let job, let reason):
            end()
            Terminal.note("\(job): failed: \(reason)")
        }
    }

    /// Jobs that tell nothing about their progress get a line with the time that passes.
    private func begin(_ job: StudyJob) {
        let bar = ProgressBar(title: job.description, total: 0)
        let ticker = Task {
            var seconds = 0
            while !Task.isCancelled {
                bar.update(seconds)
                seconds += 1
                try? await Task.sleep(for: .seconds(1))
            }
        }
        state.withLock { state in
            state.bar = bar
            state.ticker = ticker
        }
    }

    private func update(_ job: StudyJob, _ step: TrainingProgress) {
        let bar = state.withLock { state in
            // The first batch tells how many there are.
            if let ticker = state.ticker {
                ticker.cancel()
                state.ticker = nil
                state.bar = ProgressBar(title: job.description, total: step.epochs * step.batches)
            }
            return state.bar
        }
        let loss = step.loss.map { "  loss \(Float($0))" } ?? ""
        bar?.update((step.epoch - 1) * step.batches + step.batch, note: "epoch \(step.epoch)/\(step.epochs)\(loss)")
    }

    private func finish(_ job: StudyJob, seconds: Double) {
        if case .generate = job { return state.withLock { $0.rounds = nil } }
        let bar = end()
        // A job that an earlier call had done ends at once and needs no line.
        if seconds > 0.5 { bar?.finish() }
    }

    @discardableResult
    private func end() -> ProgressBar? {
        state.withLock { state in
            defer { (state.bar, state.ticker) = (nil, nil) }
            state.ticker?.cancel()
            return state.bar
        }
    }
}
