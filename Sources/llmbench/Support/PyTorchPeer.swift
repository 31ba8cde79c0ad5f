import Foundation
import Sandbox

/// PyTorch as a child process that does one side of a benchmark (`Benchmarks/pytorch_bench.py`): it keeps its network in memory
/// and answers one JSON line to each command line.
final class PyTorchPeer {
    /// An answer; every field is there only where the command gives it.
    struct Answer: Decodable {
        var version: String?
        var seconds: Double?
        var loss: Double?
        /// Processor seconds of all threads.
        var cpu: Double?
        /// Bytes of memory resident at most, and after the imports.
        var peak: Int?
        var start: Int?
        var error: String?
    }

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var pending = Data()
    private(set) var version = ""

    /// Starts the child and waits until it has imported PyTorch (some seconds).
    ///
    /// - Throws: `CommandFailure.environment` when there is no interpreter, no script, or no PyTorch.
    init(network: BenchNetwork, threads: Int, layout: String) throws {
        let root = try Self.root()
        let python: PythonEnvironment
        do {
            python = try PythonEnvironment.locate(requirements: root.appending(path: "requirements.txt"))
        } catch {
            throw CommandFailure.environment("PyTorch cannot be measured: \(error)")
        }
        process.executableURL = python.interpreter
        process.arguments = [
            root.appending(path: Self.script).path, "--network", network.kind.rawValue, "--base", "\(network.base)",
            "--size", "\(network.size)", "--threads", "\(threads)", "--layout", layout,
        ]
        var environment = ProcessInfo.processInfo.environment
        environment["OMP_NUM_THREADS"] = "\(threads)"
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        process.environment = environment
        process.standardInput = input
        process.standardOutput = output
        do {
            try process.run()
        } catch {
            throw CommandFailure.environment("\(python.interpreter.path) does not start: \(error.localizedDescription)")
        }
        version = try read(for: "the start").version ?? "of unknown version"
    }

    deinit {
        try? input.fileHandleForWriting.close()
        if process.isRunning { process.waitUntilExit() }
    }

    /// Sends a command and waits for its answer.
    ///
    /// - Throws: `CommandFailure.environment` when the child died or reports an error.
    @discardableResult
    func ask(_ command: String) throws -> Answer {
        try input.fileHandleForWriting.write(contentsOf: Data((command + "\n").utf8))
        return try read(for: command)
    }

    /// Asks for something that takes time; the seconds as PyTorch's side measured them.
    func time(_ command: String) throws -> Double {
        guard let seconds = try ask(command).seconds else {
            throw CommandFailure.environment("PyTorch's side gave no time for '\(command)'")
        }
        return seconds
    }

    private func read(for command: String) throws -> Answer {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = pending[..<end]
                pending = Data(pending[(end + 1)...])
                guard let answer = try? JSONDecoder().decode(Answer.self, from: line) else { continue }
                if let error = answer.error {
                    throw CommandFailure.environment("PyTorch's side failed at '\(command)': \(error)")
                }
                return answer
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else {
                throw CommandFailure.environment("PyTorch's side ended at '\(command)'; its message stands above")
            }
            pending.append(more)
        }
    }

    private static let script = "Benchmarks/pytorch_bench.py"

    /// The checkout: the folder with the benchmark script, from the current folder or the program's upwards.
    private static func root() throws -> URL {
        let here = URL(filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
        let program = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        for start in [here, program] {
            var url = start.standardizedFileURL
            while url.path != "/" {
                if FileManager.default.fileExists(atPath: url.appending(path: script).path) { return url }
                url = url.deletingLastPathComponent().standardizedFileURL
            }
        }
        throw CommandFailure.environment("\(script) is neither in a folder above the current one nor above the program")
    }
}
