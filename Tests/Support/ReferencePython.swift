import Foundation

/// Python as an independent implementation, run live by tests.
public enum ReferencePython {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    /// The interpreter that `scripts/test` sets up: `LLMBENCH_PYTHON`, else the newest in the cache; `nil` where there is none.
    public static var interpreter: URL? {
        if let path = ProcessInfo.processInfo.environment["LLMBENCH_PYTHON"], !path.isEmpty {
            return URL(filePath: path)
        }
        let cache = FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache/llmbench/python")
        let found = try? FileManager.default.contentsOfDirectory(at: cache, includingPropertiesForKeys: nil)
        return (found ?? []).map { $0.appending(path: "bin/python") }
            .filter { FileManager.default.isExecutableFile(atPath: $0.path) }.max { $0.path < $1.path }
    }

    /// What a script of `Tests/Fixtures` prints about the input that it finds in a file, its only argument.
    ///
    /// - Parameter script: below `Tests/Fixtures`.
    /// - Throws: `Failure` with the script's message, also where there is no interpreter.
    public static func run(_ script: String, input: Data) throws -> Data {
        guard let interpreter else {
            throw Failure(description: "No Python to compare with: run scripts/test, or set LLMBENCH_PYTHON.")
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (source, target, log) = (
            folder.appending(path: "input"), folder.appending(path: "output"), folder.appending(path: "log")
        )
        try input.write(to: source)
        try Data().write(to: target)
        try Data().write(to: log)
        let process = Process()
        process.executableURL = interpreter
        process.arguments = [fixtures.appending(path: script).path, source.path]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        process.standardOutput = try FileHandle(forWritingTo: target)
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(script) failed:\n\((try? String(contentsOf: log, encoding: .utf8)) ?? "")")
        }
        return try Data(contentsOf: target)
    }

    /// `Tests/Fixtures`.
    public static var fixtures: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")
    }
}
