import Studies
import Synchronization
import Training

/// Versions of a program on the terminal: the conversation of each, then the bar of its training.
final class RefinementProgress: Sendable {
    private let title: String
    private let maxRounds: Int
    private let rounds = Mutex<(version: Int, progress: RoundProgress)?>(nil)
    private let bar = Mutex<(version: Int, bar: TrainingBar)?>(nil)

    init(title: String, maxRounds: Int) {
        self.title = title
        self.maxRounds = maxRounds
    }

    func show(_ event: Refinement.Event) {
        switch event {
        case .conversation(let version, let event):
            endTraining()
            conversation(version).show(event)
        case .training(let version, let step): training(version).update(step)
        case .ended(let reason):
            endTraining()
            Terminal.note("\(title)  no further version: \(Printable.line(reason, limit: 200))")
        }
    }

    func close() {
        endTraining()
        rounds.withLock { $0?.progress.close() }
    }

    /// Ends what is shown of a training that failed or was stopped: nothing says "done".
    func abandon() {
        bar.withLock { bar in
            bar?.bar.abandon()
            bar = nil
        }
    }

    private func conversation(_ version: Int) -> RoundProgress {
        rounds.withLock { rounds in
            if let rounds, rounds.version == version { return rounds.progress }
            rounds?.progress.close()
            let progress = RoundProgress(title: "\(title) version \(version)", maxRounds: maxRounds)
            rounds = (version, progress)
            return progress
        }
    }

    private func training(_ version: Int) -> TrainingBar {
        bar.withLock { bar in
            if let bar, bar.version == version { return bar.bar }
            bar?.bar.finish()
            let new = TrainingBar(title: "\(title) version \(version): training")
            bar = (version, new)
            return new
        }
    }

    private func endTraining() {
        bar.withLock { bar in
            bar?.bar.finish()
            bar = nil
        }
    }
}
