import Foundation
import Synchronization

/// A progress bar on standard error; plain lines, at most one every five seconds, where that is no terminal.
final class ProgressBar: Sendable {
    private struct State {
        var done = 0
        var lastDrawn: ContinuousClock.Instant?
        var finished = false
    }

    private let title: String
    private let total: Int
    private let terminal: Terminal
    private let started = ContinuousClock.now
    private let state = Mutex(State())

    /// - Parameter total: units of work; 0 when it is not known, then no bar and no estimate are drawn.
    init(title: String, total: Int, terminal: Terminal = .current()) {
        self.title = title
        self.total = total
        self.terminal = terminal
    }

    func update(_ done: Int, note: String = "") {
        state.withLock { state in
            state.done = done
            let now = ContinuousClock.now
            let pause: Duration = terminal.isInteractive ? .milliseconds(100) : .seconds(5)
            if let last = state.lastDrawn, now - last < pause { return }
            guard !state.finished else { return }
            if !terminal.isInteractive, now - started < .seconds(2) { return }
            state.lastDrawn = now
            draw(done, note: note, at: now)
        }
    }

    /// Ends the bar and leaves one line that says what was done and how long it took.
    func finish(note: String = "") {
        state.withLock { state in
            guard !state.finished else { return }
            state.finished = true
            let clear = terminal.isInteractive ? "\r\u{1b}[K" : ""
            let tail = note.isEmpty ? "" : "  \(note)"
            write("\(clear)\(title)  done in \(Self.format(ContinuousClock.now - started))\(tail)\n")
        }
    }

    /// Ends the bar without a line where it has not ended yet: what it showed came to no end.
    func abandon() {
        state.withLock { state in
            guard !state.finished else { return }
            state.finished = true
            if terminal.isInteractive, state.lastDrawn != nil { write("\r\u{1b}[K") }
        }
    }

    private func draw(_ done: Int, note: String, at now: ContinuousClock.Instant) {
        let elapsed = now - started
        guard total > 0 else {
            let line = "\(title)  \(Self.format(elapsed))  \(note)"
            return write(terminal.isInteractive ? "\r\u{1b}[K" + clipped(line) : line + "\n")
        }
        let fraction = min(1, Double(done) / Double(total))
        let cells = 24
        let filled = Int(fraction * Double(cells))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: cells - filled)
        let left = fraction > 0.02 ? "  \(Self.format(elapsed * (1 / fraction - 1))) left" : ""
        let percent = Int(fraction * 100)
        let line = "\(title)  \(bar) \(percent) %  \(done)/\(total)\(left)  \(note)"
        write(
            terminal.isInteractive
                ? "\r\u{1b}[K" + clipped(line) : "\(title)  \(percent) %  \(done)/\(total)\(left)  \(note)\n")
    }

    private func clipped(_ line: String) -> String {
        line.count < terminal.width ? line : String(line.prefix(max(10, terminal.width - 1)))
    }

    private func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// `42 s`, `3 min 07 s`, `2 h 05 min`.
    static func format(_ duration: Duration) -> String {
        let seconds = Int(duration.components.seconds)
        if seconds < 60 { return "\(seconds) s" }
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        if seconds < 3600 { return "\(seconds / 60) min \(two(seconds % 60)) s" }
        return "\(seconds / 3600) h \(two(seconds % 3600 / 60)) min"
    }
}
