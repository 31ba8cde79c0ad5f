import Foundation
import Testing

/// `llmbench` as a user starts it: a process of its own, with an environment that holds what it needs and nothing else.
struct Program {
    /// What one call left for the user to see.
    struct Outcome: Sendable, CustomStringConvertible {
        var command: String
        var status: Int32
        var output: String
        var errors: String

        var description: String { "$ \(command)\nexit \(status)\n\(output)\n\(errors)" }

        /// Lines of standard error.
        var lines: [String] { errors.split(separator: "\n").map(String.init) }

        /// Standard output as JSON: an object.
        func object() throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any], "\(self)")
        }

        /// Standard output as JSON: a list of objects.
        func objects() throws -> [[String: Any]] {
            try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]], "\(self)")
        }
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    var executable: URL
    /// Added to the environment; an empty value takes a variable out.
    var variables: [String: String] = [:]
    /// The current folder of the child.
    var folder: URL

    /// The product beside the test bundle.
    static func llmbench(in folder: URL, variables: [String: String] = [:]) throws -> Program {
        let me = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        // The test bundle may be loaded by a helper of the toolchain.
        let candidates = [me] + CommandLine.arguments.map { URL(filePath: $0) }
        for candidate in candidates {
            let program = candidate.deletingLastPathComponent().appending(path: "llmbench")
            if FileManager.default.isExecutableFile(atPath: program.path) {
                return Program(executable: program, variables: variables, folder: folder)
            }
        }
        throw Failure(description: "llmbench was not built: run the tests with `swift build --build-tests` first")
    }

    /// Runs the program to its end.
    ///
    /// - Throws: `Failure` when it takes longer than `limit`; it is killed then.
    func run(_ arguments: [String], input: String = "", limit: Duration = .seconds(180)) async throws -> Outcome {
        let scratch = try Scratch()
        let files = ["in", "out", "err"].map { scratch.url.appending(path: $0) }
        try Data(input.utf8).write(to: files[0])
        for file in files[1...] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = folder
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        let ended = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in ended.continuation.finish() }
        try process.run()
        let pid = process.processIdentifier
        let watchdog = Task {
            try await Task.sleep(for: limit)
            kill(pid, SIGKILL)
        }
        for await _ in ended.stream {}
        watchdog.cancel()
        process.waitUntilExit()
        func text(_ file: URL) throws -> String { String(decoding: try Data(contentsOf: file), as: UTF8.self) }
        let outcome = Outcome(
            command: ([executable.lastPathComponent] + arguments).joined(separator: " "),
            status: process.terminationStatus, output: try text(files[1]), errors: try text(files[2]))
        guard process.terminationReason == .exit else {
            throw Failure(
                description: "ended by signal \(process.terminationStatus), or took over \(limit):\n\(outcome)")
        }
        return outcome
    }

    private var environment: [String: String] {
        let own = ProcessInfo.processInfo.environment
        let kept = [
            "PATH", "HOME", "TMPDIR", "LANG", "LLMBENCH_PYTHON", "LLMBENCH_TENSORFLOW_PYTHON", "LLMBENCH_MARCH",
            "XDG_CACHE_HOME",
        ]
        var environment = own.filter { kept.contains($0.key) }
        environment["LLMBENCH_THREADS"] = "2"
        return environment.merging(variables) { _, new in new }.filter { !$0.value.isEmpty }
    }
}

/// A folder that goes with the value.
final class Scratch: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(
            path: "llmbench-cli-\(UUID().uuidString)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }
}
