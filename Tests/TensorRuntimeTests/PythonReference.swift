import Foundation
import Testing

/// Runs PyTorch for reference values.
enum PythonReference {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// The interpreter that `scripts/test` sets up: `LLMBENCH_PYTHON`, else the newest one in the cache.
    static func interpreter() throws -> URL {
        if let path = ProcessInfo.processInfo.environment["LLMBENCH_PYTHON"], !path.isEmpty {
            return URL(filePath: path)
        }
        let cache = FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache/llmbench/python")
        let found = try? FileManager.default.contentsOfDirectory(at: cache, includingPropertiesForKeys: nil)
        let interpreters = (found ?? []).map { $0.appending(path: "bin/python") }
            .filter { FileManager.default.isExecutableFile(atPath: $0.path) }
        guard let interpreter = interpreters.max(by: { $0.path < $1.path }) else {
            throw Failure(description: "No Python with PyTorch: run scripts/test, or set LLMBENCH_PYTHON.")
        }
        return interpreter
    }

    /// Runs a script of Tests/Fixtures/runtime and returns what it printed; its failure is a failure here.
    @discardableResult
    static func run(_ script: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = try interpreter()
        let file = fixtures.appending(path: script)
        process.arguments = [file.path] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["OMP_NUM_THREADS": "1"]) { $1 }
        let (output, errors) = (Pipe(), FileManager.default.temporaryDirectory.appending(path: "\(UUID()).log"))
        try Data().write(to: errors)
        defer { try? FileManager.default.removeItem(at: errors) }
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let log = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
            throw Failure(description: "\(script) failed:\n\(log)")
        }
        return text
    }

    /// Where reference values come from: PyTorch run now, or files that `eager_reference.py store` wrote earlier.
    enum Source: Sendable {
        case live, stored
    }

    /// The stored values, and PyTorch where it is there.
    static var sources: [Source] { [.stored] + ((try? interpreter()) == nil ? [] : [.live]) }

    /// Gives `body` a folder of reference values: what the script writes into its last argument, or the stored ones.
    static func withValues<R>(
        _ source: Source, _ script: String, _ arguments: [String], _ body: (URL) throws -> R
    ) throws -> R {
        guard source == .live else { return try body(fixtures.appending(path: "stored")) }
        return try withFolder { folder in
            try run(script, arguments + [folder.path])
            return try body(folder)
        }
    }

    static var fixtures: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/runtime")
    }

    /// The folder of the package that records graphs from PyTorch, as in the capture of a pipeline.
    static var captureHelper: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/Capture/Helper")
    }

    /// A folder that is gone after `body`.
    static func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    /// The seed of this run's random cases, printed so that a failure can be had again. `sample` is the seed outside of
    /// `scripts/verify`, for trainings whose rounding grows exponentially: any bound on those is passed by most seeds, not by all.
    static func seed(_ test: String, sample: Int? = nil) -> Int {
        let given = ProcessInfo.processInfo.environment["LLMBENCH_TEST_SEED"].flatMap { Int($0) }
        let seed = (isVerifying ? nil : sample) ?? given ?? Int.random(in: 0..<1_000_000)
        print("\(test): LLMBENCH_TEST_SEED=\(seed)")
        return seed
    }

    /// Whether the full count is asked for.
    static var isVerifying: Bool { ProcessInfo.processInfo.environment["LLMBENCH_VERIFY"] == "1" }
}
