import Files
import Foundation
import Hashing

/// The Python that generated code runs on: an interpreter of the host, and where it lies inside the sandbox.
///
/// A virtual environment is mounted at `/python`, so that the paths in a traceback, which are sent to models, are the same on
/// every machine. An interpreter below `/usr` is used where it is. What the environment's interpreter links to outside of both
/// (a Python that a version manager installed) is mounted at its own path.
public struct PythonEnvironment: Sendable, Hashable {
    /// The interpreter on the host.
    public let interpreter: URL
    /// Its path inside the sandbox.
    public let interpreterInside: String
    /// What must be mounted, all read-only.
    public let mounts: [SandboxRequest.Mount]

    /// What it holds.
    public let stack: PythonStack

    /// What mends an interpreter that cannot be used.
    private let remedy: String

    /// Finds the interpreter: the one that the stack's variable names, else the environment that `scripts/setup` made for this
    /// requirements file.
    ///
    /// - Parameters:
    ///   - requirements: The stack's requirements file at the project's root; its SHA-256 names the environment.
    ///   - environment: The variables of the process, a parameter for tests.
    /// - Throws: `SandboxError.environmentBroken` that names the path and the command that makes it.
    public static func locate(
        _ stack: PythonStack = .pytorch, requirements: URL?,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(SandboxError) -> PythonEnvironment {
        if let path = environment[stack.variable], !path.isEmpty {
            return try PythonEnvironment(
                interpreter: URL(filePath: path), stack: stack, hint: "check \(stack.variable)")
        }
        guard let requirements, let content = try? Data(contentsOf: requirements) else {
            throw .environmentBroken(
                reason:
                    "neither \(stack.variable) is set nor is there a \(stack.requirements) to find it by; run \(stack.remedy)"
            )
        }
        let hash = SHA256.hexadecimal(content).prefix(16)
        let cache =
            environment["XDG_CACHE_HOME"].map { URL(filePath: $0, directoryHint: .isDirectory) }
            ?? URL(filePath: environment["HOME"] ?? NSHomeDirectory(), directoryHint: .isDirectory)
            .appending(path: ".cache", directoryHint: .isDirectory)
        return try PythonEnvironment(
            interpreter: cache.appending(path: "llmbench/\(stack.folder)/\(hash)/bin/python"), stack: stack)
    }

    /// The environment of a stack for the project at `root`.
    ///
    /// - Throws: `SandboxError.environmentBroken`.
    public static func locate(_ stack: PythonStack, root: URL) throws(SandboxError) -> PythonEnvironment {
        try locate(stack, requirements: root.appending(path: stack.requirements))
    }

    /// - Parameters:
    ///   - stack: What it holds.
    ///   - hint: What mends a missing interpreter, for the sentence of the error; the stack's command when not given.
    /// - Throws: `SandboxError.environmentBroken` when there is no such program.
    public init(
        interpreter: URL, stack: PythonStack = .pytorch, hint: String? = nil
    ) throws(SandboxError) {
        let path = interpreter.standardizedFileURL.path(percentEncoded: false)
        remedy = hint ?? "run \(stack.remedy)"
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw .environmentBroken(
                reason: "there is no Python interpreter at \(path); \(remedy)")
        }
        self.stack = stack
        self.interpreter = URL(filePath: path)
        let root = self.interpreter.deletingLastPathComponent().deletingLastPathComponent()
        let isVirtual = FileManager.default.fileExists(atPath: root.appending(path: "pyvenv.cfg").path)
        if isVirtual || !Self.isBelowUsr(path) {
            interpreterInside = "/python/bin/\(interpreter.lastPathComponent)"
            let prefixes = Self.prefixes(behind: path, except: root.path(percentEncoded: false))
            mounts =
                [.init(host: root, inside: "/python")] + prefixes.map { .init(host: URL(filePath: $0), inside: $0) }
        } else {
            interpreterInside = path
            mounts = []
        }
    }

    private static func isBelowUsr(_ path: String) -> Bool { path.hasPrefix("/usr/") || path.hasPrefix("/bin/") }

    /// The installations that a chain of links leads through: the folder above each link target's `bin`.
    private static func prefixes(behind path: String, except root: String) -> [String] {
        let root = root.hasSuffix("/") ? root : root + "/"
        var prefixes: [String] = []
        var current = path
        for _ in 0..<16 {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: current) else { break }
            let folder = (current as NSString).deletingLastPathComponent
            current = ((target.hasPrefix("/") ? target : folder + "/" + target) as NSString).standardizingPath
            let binaries = (current as NSString).deletingLastPathComponent
            let prefix = (binaries as NSString).deletingLastPathComponent
            guard !current.hasPrefix(root), !isBelowUsr(current), prefix != "/", !prefixes.contains(prefix) else {
                continue
            }
            prefixes.append(prefix)
            // The folder itself may be a link to the versioned one that the interpreter was built for.
            let real = URL(filePath: prefix).resolvingSymlinksInPath().path(percentEncoded: false)
            let trimmed = real.hasSuffix("/") ? String(real.dropLast()) : real
            if trimmed != prefix, !prefixes.contains(trimmed) { prefixes.append(trimmed) }
        }
        return prefixes
    }

    /// Starts the interpreter inside the sandbox, where it computes one line and imports nothing: about a tenth of a second.
    ///
    /// - Throws: `SandboxError.environmentBroken` for a program that is no Python 3; `CancellationError` where the caller ended it.
    public func requirePython(in runner: any SandboxRunner) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-python-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // No program that repeats what it is given says this.
        let program = "import sys; print('-'.join(['python', str(sys.version_info[0]), 'runs']))"
        let request = SandboxRequest(
            command: [interpreterInside, "-c", program], mounts: [], workingDirectory: "/tmp",
            limits: SandboxLimits(wallSeconds: 120, cpuSeconds: 60),
            standardOutput: folder.appending(path: "stdout"), standardError: folder.appending(path: "stderr"))
        let outcome = try await runner.run(request)
        if outcome.termination == .stopped { throw CancellationError() }
        let said = (try? String(contentsOf: request.standardOutput, encoding: .utf8)) ?? ""
        guard outcome.succeeded, said.split(separator: "\n").last == "python-3-runs" else {
            throw SandboxError.environmentBroken(
                reason: "\(interpreter.path(percentEncoded: false)) does not run Python 3; \(remedy)")
        }
    }

    /// Imports what pipelines import, inside the sandbox, and returns the versions.
    ///
    /// Takes the seconds that PyTorch or TensorFlow need to start (about 10 with cold caches).
    ///
    /// - Parameter modules: the stack's when not given.
    /// - Throws: `SandboxError.environmentBroken` with the first module that fails and why.
    public func verify(
        in runner: some SandboxRunner, modules: [String]? = nil
    ) async throws -> [String: String] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-python-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = """
            import importlib, json, platform, sys
            versions = {"python": platform.python_version()}
            for name in sys.argv[1:]:
                try:
                    module = importlib.import_module(name)
                except BaseException as error:
                    print(json.dumps({"failed": name, "why": f"{type(error).__name__}: {error}"}))
                    sys.exit(3)
                versions[name] = str(getattr(module, "__version__", "installed"))
            print(json.dumps({"versions": versions}))
            """
        let request = SandboxRequest(
            command: [interpreterInside, "-c", program] + (modules ?? stack.modules), mounts: [],
            workingDirectory: "/tmp",
            limits: SandboxLimits(wallSeconds: 600, cpuSeconds: 300),
            standardOutput: folder.appending(path: "stdout"), standardError: folder.appending(path: "stderr"))
        let outcome = try await runner.run(request)
        let lines = ((try? String(contentsOf: request.standardOutput, encoding: .utf8)) ?? "").split(separator: "\n")
        let answer = lines.last.flatMap { try? JSONDecoder().decode(Answer.self, from: Data($0.utf8)) }
        if let versions = answer?.versions, outcome.succeeded { return versions }
        if let failed = answer?.failed {
            throw SandboxError.environmentBroken(
                reason: "\(interpreter.path) cannot import \(failed): \(answer?.why ?? ""); run \(stack.remedy)")
        }
        let said = (try? String(contentsOf: request.standardError, encoding: .utf8)) ?? ""
        let last = said.split(separator: "\n").last.map(String.init) ?? "\(outcome.termination)"
        throw SandboxError.environmentBroken(
            reason: "\(interpreter.path) does not run: \(printable(last)); run \(stack.remedy)")
    }
}

/// What the program that tries the imports prints last.
private struct Answer: Decodable {
    var versions: [String: String]?
    var failed: String?
    var why: String?
}
