import Foundation
import Studies
import Synchronization
import Training

/// A plan on the terminal: the rounds of a conversation, a bar a training, a line a job.
final class StudyProgress: Sendable {
    private struct State {
        var rounds: RoundProgress?
        var bar: TrainingBar?
    }

    private let state = Mutex(State())

    func show(_ event: StudyEvent) {
        switch event {
        case .began(.generate(let model)):
            state.withLock { $0.rounds = RoundProgress(title: model, maxRounds: 0) }
        case .began(let job): begin(job)
        case .generation(_, let event): state.withLock { $0.rounds }?.show(event)
        case .training(_, let step): update(step)
        case .note(let line): Terminal.note("llmbench: \(line)")
        case .finished(let job, let seconds): finish(job, seconds: seconds)
        case .failed(let job, let reason):
            end(quietly: true)
            Terminal.note("\(job): failed: \(reason)")
        }
    }

    private func begin(_ job: StudyJob) {
        state.withLock { $0.bar = TrainingBar(title: job.description) }
    }

    private func update(_ step: TrainingProgress) {
        state.withLock { $0.bar }?.update(step)
    }

    private func finish(_ job: StudyJob, seconds: Double) {
        if case .generate = job { return state.withLock { $0.rounds = nil } }
        // A job that an earlier call had done ends at once and needs no line.
        end(quietly: seconds <= 0.5)
    }

    private func end(quietly: Bool) {
        let bar = state.withLock { state in
            defer { state.bar = nil }
            return state.bar
        }
        bar?.finish(quietly: quietly)
    }
}
