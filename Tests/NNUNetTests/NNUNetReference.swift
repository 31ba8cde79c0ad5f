import Foundation
import Testing

/// Runs nnunetv2 for reference values.
enum NNUNetReference {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// An interpreter with nnunetv2: `LLMBENCH_NNUNET_PYTHON`.
    static var interpreter: URL? {
        guard let path = ProcessInfo.processInfo.environment["LLMBENCH_NNUNET_PYTHON"], !path.isEmpty else {
            return nil
        }
        return URL(filePath: path)
    }

    /// Where reference values come from: nnunetv2 run now, or files that the same script wrote earlier.
    enum Source: Sendable {
        case live, stored
    }

    /// The stored values, and nnunetv2 where it is there.
    static var sources: [Source] { [.stored] + (interpreter == nil ? [] : [.live]) }

    /// The scripts and what they stored.
    static var folder: URL { URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Reference") }

    /// Runs a script of `Reference`; its failure is a failure here.
    static func run(_ script: String, _ arguments: [String]) throws {
        guard let interpreter else { throw Failure(description: "set LLMBENCH_NNUNET_PYTHON") }
        let process = Process()
        process.executableURL = interpreter
        process.arguments = [folder.appending(path: script).path] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["OMP_NUM_THREADS": "1"]) { $1 }
        let log = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).log")
        try Data().write(to: log)
        defer { try? FileManager.default.removeItem(at: log) }
        let handle = try FileHandle(forWritingTo: log)
        (process.standardOutput, process.standardError) = (handle, handle)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
            throw Failure(description: "\(script) failed:\n\(text.suffix(4000))")
        }
    }

    /// A folder that is gone after `body`.
    static func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    /// The file that a script writes, or the stored one of the name.
    static func withFile<R>(
        _ source: Source, _ script: String, _ name: String, arguments: [String] = [], _ body: (URL) throws -> R
    ) throws -> R {
        guard source == .live else { return try body(folder.appending(path: name)) }
        return try withFolder { temporary in
            let file = temporary.appending(path: name)
            try run(script, [file.path] + arguments)
            return try body(file)
        }
    }

    /// Whether the full count is asked for.
    static var isVerifying: Bool { ProcessInfo.processInfo.environment["LLMBENCH_VERIFY"] == "1" }
}
