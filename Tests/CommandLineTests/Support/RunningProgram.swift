import Foundation

/// A program while it runs, for tests that interrupt or kill it.
final class RunningProgram {
    private let process = Process()
    private let ended = AsyncStream<Void>.makeStream()
    private let scratch: Scratch
    private var file: URL { scratch.url.appending(path: "err") }

    init(_ program: Program, _ arguments: [String]) throws {
        scratch = try Scratch()
        process.executableURL = program.executable
        process.arguments = arguments
        process.currentDirectoryURL = program.folder
        process.standardOutput = FileHandle.nullDevice
        let file = scratch.url.appending(path: "err")
        try Data().write(to: file)
        process.standardError = try FileHandle(forWritingTo: file)
        let ended = ended.continuation
        process.terminationHandler = { _ in ended.finish() }
        try process.run()
    }

    /// What it wrote for the user so far.
    var errors: String { get throws { String(decoding: try Data(contentsOf: file), as: UTF8.self) } }

    struct EndedBefore: Error, CustomStringConvertible {
        var description: String
    }

    /// Waits until it has said this.
    ///
    /// - Throws: where it ends without.
    func says(_ text: String) async throws {
        while true {
            let isOver = !process.isRunning
            let errors = try errors
            if errors.contains(text) { return }
            if isOver { throw EndedBefore(description: "it ended and did not say '\(text)': \(errors)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func interrupt() { process.interrupt() }

    /// At once, where it still runs.
    func kill() { if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) } }

    /// - Returns: its exit status; of a signal its number below 0.
    func end() async -> Int32 {
        for await _ in ended.stream {}
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
}
