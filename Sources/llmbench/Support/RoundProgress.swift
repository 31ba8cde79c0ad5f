import Foundation
import Generation
import ResultStore
import Synchronization

/// A run on the terminal: one lasting line a round, and a line below it that lives.
final class RoundProgress: Sendable {
    private let title: String
    private let maxRounds: Int
    private let bar = Mutex<ProgressBar?>(nil)

    init(title: String, maxRounds: Int) {
        self.title = title
        self.maxRounds = maxRounds
    }

    func show(_ event: GenerationEvent) {
        switch event {
        case .alreadyEnded(let run): Terminal.note("\(title)  ended before: \(run.status.rawValue)")
        case .asking(let round, let feedback):
            let what = feedback.isEmpty ? "the prompt" : feedback.map(\.rawValue).joined(separator: " and ")
            begin("\(title)  round \(round): sent \(what), reply")
        case .receiving(_, let bytes): update(bytes, "\(bytes / 1024) KiB")
        case .adopted(let round): Terminal.note("\(title)  round \(round): its reply is on disk already")
        case .lost(let round, let bytes):
            Terminal.note("\(title)  round \(round): a reply was cut after \(bytes) bytes; asking again")
        case .replied(_, let tokens, _): end(tokens.map { "\($0) tokens" } ?? "")
        case .checking(let round, let changed):
            begin("\(title)  round \(round): check run (\(changed.joined(separator: ", ")))")
        case .finished(let round, let error, let hint):
            end("")
            Terminal.note(
                "\(title)  round \(round.round): \(Self.outcome(round, error))\(hint ? "; a hint follows" : "")")
        case .ended(let run): Terminal.note("\(title)  \(run.status.rawValue): \(run.endReason ?? "")")
        }
    }

    func close() {
        bar.withLock { $0 = nil }
    }

    static func outcome(_ round: RoundRecord, _ error: ErrorRecord?) -> String {
        guard let error else {
            return round.outcome == .clean
                ? "runs, contract kept" : "unclear where the code belongs; asking for whole files"
        }
        let place = error.file.map { " at \($0):\(error.line ?? 0)" } ?? ""
        let again = error.sameAsPrevious ? " (again)" : ""
        return "\(error.errorClass)\(place)\(again): \(Printable.line(error.message, limit: 100))"
    }

    private func begin(_ title: String) {
        bar.withLock { $0 = ProgressBar(title: title, total: 0) }
    }

    private func update(_ done: Int, _ note: String) {
        bar.withLock { $0 }?.update(done, note: note)
    }

    private func end(_ note: String) {
        let last = bar.withLock { bar in
            defer { bar = nil }
            return bar
        }
        last?.finish(note: note)
    }
}
