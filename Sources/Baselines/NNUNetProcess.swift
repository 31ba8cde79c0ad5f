import Foundation

/// The driver as a child process, which lives as long as this one holds the other end of its standard input.
struct NNUNetProcess {
    enum End: Sendable, Hashable {
        case exited(Int32)
        case signalled(Int32)
    }

    var interpreter: URL
    var driver: URL
    /// Takes what nnU-Net prints; appended to.
    var log: URL

    /// Runs to the end, and tells twice a second that it does.
    ///
    /// - Throws: `BaselineError`; `CancellationError` when the task is cancelled, after the child has ended.
    func run(_ arguments: [String], tick: () throws -> Void) async throws -> End {
        let process = Process()
        let input = Pipe()
        process.executableURL = interpreter
        process.arguments = [driver.appending(path: "run.py").path(percentEncoded: false)] + arguments
        process.environment = Self.environment(ProcessInfo.processInfo.environment)
        process.standardInput = input
        let output = try openLog()
        defer { try? output.close() }
        process.standardOutput = output
        process.standardError = output
        do {
            try process.run()
        } catch {
            throw BaselineError.notInstalled(
                path: "\(interpreter.path(percentEncoded: false)) does not start", remedy: "run scripts/setup")
        }
        do {
            while process.isRunning {
                try await Task.sleep(for: .milliseconds(500))
                try tick()
            }
        } catch {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
            throw error
        }
        process.waitUntilExit()
        try? input.fileHandleForWriting.close()
        try tick()
        return process.terminationReason == .uncaughtSignal
            ? .signalled(process.terminationStatus) : .exited(process.terminationStatus)
    }

    private func openLog() throws(BaselineError) -> FileHandle {
        let path = log.path(percentEncoded: false)
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        guard let handle = FileHandle(forWritingAtPath: path), (try? handle.seekToEnd()) != nil else {
            throw .file(path: path, reason: "cannot be written")
        }
        return handle
    }

    /// What the child gets of this process's variables: nothing that names folders of nnU-Net's or holds a key.
    static func environment(_ own: [String: String]) -> [String: String] {
        let kept: Set = [
            "PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_HOME",
            "XDG_CACHE_HOME",
        ]
        // Waiting threads sleep after a short spin: beside another program, spinning without end takes ten times as long. Workers
        // have one thread each; the driver sets its own number.
        let settings = ["PYTHONDONTWRITEBYTECODE": "1", "GOMP_SPINCOUNT": "20000", "OMP_NUM_THREADS": "1"]
        return own.filter { kept.contains($0.key) }.merging(settings) { _, new in new }
    }

    /// The variables by which nnU-Net would find folders, and which are set for other work of the user's.
    static func foreignVariables(_ own: [String: String]) -> [String] {
        own.keys.filter { $0.hasPrefix("nnUNet_") && own[$0]?.isEmpty == false }.sorted()
    }
}
