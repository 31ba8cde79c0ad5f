import Foundation
import Testing

/// `llmbench` in a process of its own.
struct Child: Sendable {
    struct Ended: Sendable, CustomStringConvertible {
        var status: Int32
        var wasKilled: Bool
        var output: String
        var errors: String
        var seconds: Double

        var description: String { "exit \(status)\n\(output)\n\(errors)" }
    }

    let executable: URL
    let folder: URL

    /// The product beside the test bundle.
    init(in folder: URL) throws {
        let me = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let candidates = [me] + CommandLine.arguments.map { URL(filePath: $0) }
        let programs = candidates.map { $0.deletingLastPathComponent().appending(path: "llmbench") }
        executable = try #require(
            programs.first { FileManager.default.isExecutableFile(atPath: $0.path) },
            "llmbench was not built: run the tests with `swift build --build-tests` first")
        self.folder = folder
    }

    /// Runs it to its end, or kills it after a while, which begins when `began` says so.
    func run(
        _ arguments: [String], killAfter moment: Duration? = nil, began: @escaping @Sendable () -> Bool = { true }
    ) async throws -> Ended {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = folder
        let files = ["out", "err"].map { folder.appending(path: "child-\(UUID().uuidString).\($0)") }
        for file in files { try Data().write(to: file) }
        defer { for file in files { try? FileManager.default.removeItem(at: file) } }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        let ended = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in ended.continuation.finish() }
        let start = ContinuousClock.now
        try process.run()
        let pid = process.processIdentifier
        let killer = moment.map { moment in
            Task {
                while !began() { try await Task.sleep(for: .milliseconds(20)) }
                try await Task.sleep(for: moment)
                kill(pid, SIGKILL)
            }
        }
        for await _ in ended.stream {}
        killer?.cancel()
        process.waitUntilExit()
        func text(_ file: URL) throws -> String { String(decoding: try Data(contentsOf: file), as: UTF8.self) }
        return Ended(
            status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
            output: try text(files[0]), errors: try text(files[1]), seconds: (ContinuousClock.now - start) / .seconds(1)
        )
    }
}
