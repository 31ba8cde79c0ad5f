import Foundation
import Testing

/// Chromium and the Python client that drives it: Tests/Fixtures/page.
enum Chromium {
    static let folder = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/page")

    static let whySkipped: Comment =
        "Chromium is not installed: `apt-get install chromium` (scripts/test does it), or name one in LLMBENCH_CHROMIUM"

    /// Where it is installed, and wherever it has to be: continuous integration sets LLMBENCH_REQUIRE_CHROMIUM.
    static var isWanted: Bool {
        let environment = ProcessInfo.processInfo.environment
        if environment["LLMBENCH_REQUIRE_CHROMIUM"] == "1" || environment["LLMBENCH_CHROMIUM"] != nil { return true }
        let folders = (environment["PATH"] ?? "").split(separator: ":")
        return folders.contains { folder in
            ["chromium", "chromium-browser", "google-chrome", "chrome"].contains {
                FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)")
            }
        }
    }

    /// Plays one scenario of scenarios.py, and records what it says where it fails.
    ///
    /// - Returns: whether it passed.
    @discardableResult
    static func run(
        _ scenario: String, _ arguments: [String], limit: Duration = .seconds(120)
    ) async throws -> Bool {
        let (status, said) = try await Python.run(["scenarios.py", scenario] + arguments, limit: limit)
        #expect(status == 0, "\(said.suffix(3000))")
        return status == 0
    }
}

/// The system's Python: the scripts need its standard library only.
enum Python {
    static func run(
        _ arguments: [String], input: Data = Data(), limit: Duration = .seconds(60)
    ) async throws -> (status: Int32, said: String) {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "llmbench-python-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let (given, said) = (scratch.appending(path: "in"), scratch.appending(path: "out"))
        try input.write(to: given)
        try Data().write(to: said)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-B"] + arguments
        process.currentDirectoryURL = Chromium.folder
        process.standardInput = try FileHandle(forReadingFrom: given)
        let output = try FileHandle(forWritingTo: said)
        process.standardOutput = output
        process.standardError = output
        let ended = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in ended.continuation.finish() }
        try process.run()
        let pid = process.processIdentifier
        let watchdog = Task {
            try await Task.sleep(for: limit)
            kill(pid, SIGTERM)
        }
        for await _ in ended.stream {}
        watchdog.cancel()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: try Data(contentsOf: said), as: UTF8.self))
    }
}
