import Foundation
import Testing

/// `generation-probe`, the loop in a process of its own.
enum Probe {
    struct Ended: Sendable {
        var status: Int32
        var wasKilled: Bool
        var output: String
        var errors: String
    }

    /// Where the test binaries lie.
    static func executable() throws -> URL {
        let me = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        var candidates = [me.deletingLastPathComponent()]
        // The test program may be loaded by a helper of the toolchain.
        candidates += CommandLine.arguments.map { URL(filePath: $0).deletingLastPathComponent() }
        for folder in candidates {
            let probe = folder.appending(path: "generation-probe")
            if FileManager.default.isExecutableFile(atPath: probe.path) { return probe }
        }
        throw Missing()
    }

    struct Missing: Error, CustomStringConvertible {
        var description: String {
            "generation-probe was not built: run the tests with `swift build --build-tests` first"
        }
    }

    /// Starts a program, and kills it after a while where `killAfter` is given.
    static func run(_ program: URL, _ arguments: [String], killAfter: Duration? = nil) async throws -> Ended {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        let ended = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in ended.continuation.finish() }
        try process.run()
        if let killAfter {
            let pid = process.processIdentifier
            try await Task.sleep(for: killAfter)
            if process.isRunning { kill(pid, SIGKILL) }
        }
        for await _ in ended.stream {}
        process.waitUntilExit()
        return Ended(
            status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
            output: String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self),
            errors: String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self))
    }
}
