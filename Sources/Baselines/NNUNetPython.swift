import Foundation
import Hashing

/// The Python that has nnU-Net: an environment of its own beside the one of generated code, which must not be able to import it.
public struct NNUNetPython: Sendable, Hashable {
    /// The version of the package that baselines are made with.
    public static let version = "2.8.1"

    public let interpreter: URL

    /// What `run.py check` finds.
    struct Versions: Decodable, Sendable, Hashable {
        var python: String
        var nnunetv2: String?
        var torch: String?
    }

    public init(interpreter: URL) {
        self.interpreter = interpreter
    }

    /// Finds the interpreter: `LLMBENCH_NNUNET_PYTHON`, else the environment that `scripts/setup` made for these two files of
    /// requirements, whose SHA-256 names it.
    ///
    /// - Parameters:
    ///   - root: The folder with `requirements.txt` and `requirements-nnunet.txt`.
    ///   - environment: The variables of the process, a parameter for tests.
    /// - Throws: `BaselineError.notInstalled`.
    public static func locate(
        root: URL, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(BaselineError) -> NNUNetPython {
        if let path = environment["LLMBENCH_NNUNET_PYTHON"], !path.isEmpty {
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw .notInstalled(
                    path: "LLMBENCH_NNUNET_PYTHON names \(path), where there is no interpreter",
                    remedy: "correct it, or unset it and run scripts/setup")
            }
            return NNUNetPython(interpreter: URL(filePath: path))
        }
        let files = ["requirements.txt", "requirements-nnunet.txt"].map { root.appending(path: $0) }
        let contents = files.compactMap { try? Data(contentsOf: $0) }
        guard contents.count == files.count else {
            throw .notInstalled(
                path: "\(root.path(percentEncoded: false)) has no requirements-nnunet.txt to find it by",
                remedy: "run this inside a checkout, or set LLMBENCH_NNUNET_PYTHON")
        }
        let hash = SHA256.hexadecimal(contents[0] + contents[1]).prefix(16)
        let cache =
            environment["XDG_CACHE_HOME"].map { URL(filePath: $0, directoryHint: .isDirectory) }
            ?? URL(filePath: environment["HOME"] ?? NSHomeDirectory(), directoryHint: .isDirectory)
            .appending(path: ".cache", directoryHint: .isDirectory)
        let interpreter = cache.appending(path: "llmbench/nnunet/\(hash)/bin/python")
        let path = interpreter.path(percentEncoded: false)
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw .notInstalled(path: "there is no interpreter at \(path)", remedy: "run scripts/setup")
        }
        return NNUNetPython(interpreter: interpreter)
    }

    /// Refuses an interpreter without nnU-Net or with another version of it.
    ///
    /// Reads what is installed and imports nothing: about a tenth of a second. A baseline takes what this returns, so that it is asked
    /// once, before the first of several.
    ///
    /// - Throws: `BaselineError`.
    public func verify() async throws -> NNUNetInstallation {
        guard let driver = DriverFiles.url else { throw BaselineError.driverMissing }
        let path = interpreter.path(percentEncoded: false)
        let process = Process()
        let output = Pipe()
        process.executableURL = interpreter
        process.arguments = [driver.appending(path: "run.py").path(percentEncoded: false), "check"]
        process.environment = NNUNetProcess.environment(ProcessInfo.processInfo.environment)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw BaselineError.notInstalled(path: "\(path) does not start", remedy: "run scripts/setup")
        }
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard let versions = try? JSONDecoder().decode(Versions.self, from: said), process.terminationStatus == 0
        else { throw BaselineError.notInstalled(path: "\(path) does not run Python", remedy: "run scripts/setup") }
        guard let found = versions.nnunetv2 else {
            throw BaselineError.notInstalled(path: "\(path) has no nnunetv2", remedy: "run scripts/setup")
        }
        guard found == Self.version else { throw BaselineError.wrongVersion(path: path, found: found) }
        return NNUNetInstallation(
            interpreter: interpreter,
            version: "nnunetv2 \(found), torch \(versions.torch ?? "missing"), Python \(versions.python)")
    }
}

/// An interpreter that was found to have nnU-Net in the version that baselines are made with; `NNUNetPython.verify` makes them.
public struct NNUNetInstallation: Sendable, Hashable {
    public let interpreter: URL
    /// `nnunetv2 2.8.1, torch 2.15.0, Python 3.11.2`
    public let version: String

    fileprivate init(interpreter: URL, version: String) {
        (self.interpreter, self.version) = (interpreter, version)
    }
}
