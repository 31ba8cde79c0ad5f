import Foundation
import Generation
import Studies
import Synchronization

/// A study on the terminal: a line for what ended, and below it a few lines that live, one for the whole and one for each job that
/// runs. Where standard error is no terminal, plain lines: what began and ended, and twice a minute where the rest is.
final class StudyProgress: Sendable {
    private struct Part {
        var job: StudyJob
        var began = ContinuousClock.now
        var note = ""
    }

    private struct State {
        var parts: [Part] = []
        var tally: StudyTally?
        var drawn = 0
        var isClosed = false
        /// A person is reading a prompt or pasting a reply.
        var isQuiet = false
        var lastPlain = ContinuousClock.now
    }

    private let study: Study
    private let terminal: Terminal
    private let state = Mutex(State())
    private let ticker = Mutex<Task<Void, Never>?>(nil)
    private let began = ContinuousClock.now

    init(_ study: Study, terminal: Terminal = .current()) {
        self.study = study
        self.terminal = terminal
        ticker.withLock { $0 = Task { [weak self] in await self?.tick() } }
    }

    func close() {
        ticker.withLock { $0?.cancel() }
        state.withLock { state in
            erase(&state)
            state.isClosed = true
        }
    }

    func show(_ event: StudyEvent) {
        state.withLock { state in
            switch event {
            case .tally(let tally): state.tally = tally
            case .note(let line): say("llmbench: \(Printable.line(line))", &state)
            case .began(let job): begin(job, &state)
            case .progress(let job, let step): progress(job, step, &state)
            case .finished(let job, let note, let seconds): finish(job, note, seconds, &state)
            case .failed(let job, let reason):
                remove(job, &state)
                say("\(job): failed: \(Printable.line(reason))", &state)
            case .left(let job, let kind, let reason):
                remove(job, &state)
                say("\(job): \(kind.rawValue): \(Printable.line(reason))", &state)
            }
            // Steps come by the thousand: the ticker draws them.
            if case .progress = event, state.drawn > 0 { return }
            draw(&state)
        }
    }

    private func begin(_ job: StudyJob, _ state: inout State) {
        state.parts.append(Part(job: job))
        if isByHand(job) {
            erase(&state)
            state.isQuiet = true
        }
        if !terminal.isInteractive, job.kind != .evaluate { say("\(job): begun", &state) }
    }

    private func remove(_ job: StudyJob, _ state: inout State) {
        state.parts.removeAll { $0.job == job }
        state.isQuiet = state.parts.contains { isByHand($0.job) }
    }

    /// Whether a person may be reading a prompt while it runs.
    private func isByHand(_ job: StudyJob) -> Bool {
        [.generate, .refine].contains(job.kind) && study.participant(job.model)?.source == .manual
    }

    private func finish(_ job: StudyJob, _ note: String?, _ seconds: Double, _ state: inout State) {
        remove(job, &state)
        let tail = note.map { ": \(Printable.line($0))" } ?? ""
        say("\(job): done in \(StudyNumbers.duration(seconds))\(tail)", &state)
    }

    private func progress(_ job: StudyJob, _ step: JobProgress, _ state: inout State) {
        guard let index = state.parts.firstIndex(where: { $0.job == job }) else { return }
        switch step {
        case .note(let line): say("\(job): \(Printable.line(line))", &state)
        case .training(let step):
            let loss = step.loss.map { ", loss \(ProgressText.fourDigits($0))" } ?? ""
            state.parts[index].note =
                step.epochs > 0
                ? "epoch \(step.epoch)/\(step.epochs), batch \(step.batch)/\(step.batches)\(loss)"
                : "epoch \(step.epoch), batch \(step.batch)\(loss)"
        case .conversation(let event):
            if let note = ConversationText.note(event) { state.parts[index].note = note }
            if let line = ConversationText.line(event) { say("\(job.subject): \(line)", &state) }
        }
    }

    /// A line that stays.
    private func say(_ line: String, _ state: inout State) {
        erase(&state)
        Terminal.note(line)
    }

    private func erase(_ state: inout State) {
        guard state.drawn > 0 else { return }
        write("\r\u{1b}[\(state.drawn)A\u{1b}[J")
        state.drawn = 0
    }

    private func draw(_ state: inout State) {
        guard terminal.isInteractive, !state.isClosed, !state.isQuiet, let tally = state.tally else { return }
        erase(&state)
        var lines = [whole(tally)]
        for part in state.parts {
            let time = ProgressBar.format(ContinuousClock.now - part.began)
            lines.append("  \(part.job)  \(time)  \(part.note)")
        }
        write(lines.map { clipped($0) + "\n" }.joined())
        state.drawn = lines.count
    }

    private func whole(_ tally: StudyTally) -> String {
        let settled = tally.done + tally.failed + tally.skipped + tally.held
        let cells = 24
        let filled = tally.total > 0 ? settled * cells / tally.total : 0
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: cells - filled)
        let money = tally.spent > 0 ? "  \(StudyNumbers.money(tally.spent))" : ""
        let left = tally.remainingSeconds > 0 ? "  about \(StudyNumbers.duration(tally.remainingSeconds)) left" : ""
        return "\(study.name)  \(bar)  \(settled)/\(tally.total) jobs  "
            + "\(ProgressBar.format(ContinuousClock.now - began))\(left)\(money)"
    }

    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
            state.withLock { state in
                if terminal.isInteractive { return draw(&state) }
                guard !state.isClosed, ContinuousClock.now - state.lastPlain >= .seconds(30) else { return }
                state.lastPlain = .now
                for part in state.parts {
                    let time = ProgressBar.format(ContinuousClock.now - part.began)
                    Terminal.note("\(part.job): \(time)\(part.note.isEmpty ? "" : ", \(part.note)")")
                }
                if let tally = state.tally, !state.parts.isEmpty { Terminal.note(whole(tally)) }
            }
        }
    }

    private func clipped(_ line: String) -> String {
        line.count < terminal.width ? line : String(line.prefix(max(10, terminal.width - 1)))
    }

    private func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}

/// What a conversation is doing, in words.
enum ConversationText {
    /// For the line that lives; nil leaves it as it is.
    static func note(_ event: GenerationEvent) -> String? {
        switch event {
        case .asking(let round, let feedback):
            "round \(round): sent \(feedback.isEmpty ? "the prompt" : feedback.map(\.rawValue).joined(separator: " and "))"
        case .receiving(let round, let bytes): "round \(round): reply, \(bytes / 1024) KiB"
        case .checking(let round, _): "round \(round): check run"
        default: nil
        }
    }

    /// A line that stays; nil where nothing lasting happened.
    static func line(_ event: GenerationEvent) -> String? {
        switch event {
        case .lost(let round, let bytes): "round \(round): a reply was cut after \(bytes) bytes; asking again"
        case .finished(let round, let error, let hint):
            "round \(round.round): \(RoundProgress.outcome(round, error))\(hint ? "; a hint follows" : "")"
        case .ended(let run): "\(run.status.rawValue): \(run.endReason ?? "")"
        default: nil
        }
    }
}

/// Numbers in progress lines.
enum ProgressText {
    static func fourDigits(_ value: Double) -> String {
        value.isFinite ? "\((value * 1e4).rounded() / 1e4)" : "\(value)"
    }
}
