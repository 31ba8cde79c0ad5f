import Files
import Foundation
import Sandbox

/// An independent implementation in Python as a child process that does one side of a benchmark (a script of `Benchmarks/`): it keeps
/// its data in memory and answers one JSON line to each command line.
final class PythonPeer {
    /// An answer; every field is there only where the command gives it.
    struct Answer: Decodable {
        var version: String?
        var seconds: Double?
        var loss: Double?
        /// A number that both sides compute.
        var value: Double?
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

    /// What errors call the other side.
    private let name: String

    /// Starts the child and waits until it has made its imports (some seconds for PyTorch).
    ///
    /// - Parameters:
    ///   - name: of the other side, for errors.
    ///   - script: below the checkout.
    /// - Throws: `CommandFailure.environment` when there is no interpreter, no script, or a package is missing.
    init(_ name: String, script: String, arguments: [String], threads: Int) throws {
        self.name = name
        let root = try Self.root(script)
        let python: PythonEnvironment
        do {
            python = try PythonEnvironment.locate(requirements: root.appending(path: "requirements.txt"))
        } catch {
            throw CommandFailure.environment("\(name) cannot be measured: \(error)")
        }
        process.executableURL = python.interpreter
        process.arguments = [root.appending(path: script).path] + arguments
        var environment = ProcessInfo.processInfo.environment
        environment["OMP_NUM_THREADS"] = "\(threads)"
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        process.environment = environment
        process.standardInput = input
        process.standardOutput = output
        do {
            try process.run()
        } catch {
            throw CommandFailure.environment(
                "\(python.interpreter.path) does not start: \(SystemReason.of(error) ?? "\(error)")")
        }
        version = try read(for: "the start").version ?? "of unknown version"
    }

    /// PyTorch with a network of the benchmarks.
    static func pytorch(network: BenchNetwork, threads: Int, layout: String) throws -> PythonPeer {
        try PythonPeer(
            "PyTorch", script: "Benchmarks/pytorch_bench.py",
            arguments: [
                "--network", network.kind.rawValue, "--base", "\(network.base)", "--size", "\(network.size)",
                "--threads", "\(threads)", "--layout", layout,
            ], threads: threads)
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

    /// Asks for something that takes time; the seconds as the other side measured them.
    func time(_ command: String) throws -> Double {
        guard let seconds = try ask(command).seconds else {
            throw CommandFailure.environment("\(name)'s side gave no time for '\(command)'")
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
                    throw CommandFailure.environment("\(name)'s side failed at '\(command)': \(error)")
                }
                return answer
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else {
                throw CommandFailure.environment("\(name)'s side ended at '\(command)'; its message stands above")
            }
            pending.append(more)
        }
    }

    /// The checkout: the folder with the benchmark script, from the current folder or the program's upwards.
    private static func root(_ script: String) throws -> URL {
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
