import Files
import Foundation
import Hashing

/// The Swift that generated code is compiled by and runs on: the toolchain of the host, and the prebuilt modules of `TensorRuntime`
/// and `PipelineKit` in a folder of their own (the kit).
///
/// Inside the sandbox the toolchain lies at `/swift` (at its own path when below `/usr`) and the kit at `/kit`, so that what a compiler
/// prints is the same on every machine. The clang modules that `PipelineKit` stands on (Cairo, libpng, …) are stood in for by empty
/// modules of the same names: the compiler wants them to exist, and nothing of them is part of a public declaration.
public struct SwiftEnvironment: Sendable, Hashable {
    /// `swiftc` on the host.
    public let compiler: URL
    /// The folder with `modules/` and `lib/` on the host.
    public let kit: URL
    /// Toolchain and kit, read-only.
    public let mounts: [SandboxRequest.Mount]
    /// The toolchain's folder inside the sandbox.
    let toolchainInside: String

    /// Swift modules that a compiler has to find, the libraries' own and those they stand on.
    static let modules = ["TensorRuntime", "PipelineKit", "Datasets", "Metrics", "Files", "Hashing"]
    /// Clang modules that have to exist.
    static let standIns = ["CCairo", "CXLSXWriter", "CPNG", "CZlib", "CCrypto"]
    static let library = "libPipelineKit.so"
    private static let remedy = "build it with: swift build -c release --product PipelineKit"

    /// Finds the compiler (`LLMBENCH_SWIFTC`, else `swiftc` on the path) and stages the modules that lie beside this executable
    /// (or in `LLMBENCH_SWIFT_MODULES`) below `cache/`, once for each content.
    ///
    /// - Parameters:
    ///   - cache: the workspace's.
    ///   - products: the folder with `Modules/` and the library.
    ///   - environment: The variables of the process, a parameter for tests.
    /// - Throws: `SandboxError.swiftMissing` that says what is missing and the command that makes it.
    public static func locate(
        cache: URL, products: URL? = nil, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(SandboxError) -> SwiftEnvironment {
        let stated = environment["LLMBENCH_SWIFT_MODULES"].flatMap { $0.isEmpty ? nil : URL(filePath: $0) }
        let beside = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
        guard let folder = products ?? stated ?? beside else {
            throw .swiftMissing(reason: "this executable does not know where it lies; set LLMBENCH_SWIFT_MODULES")
        }
        return try SwiftEnvironment(
            compiler: try findCompiler(environment),
            kit: try SwiftKit(products: folder, remedy: remedy).stage(in: cache))
    }

    private init(compiler: URL, kit: URL) throws(SandboxError) {
        self.compiler = compiler
        self.kit = kit
        // …/usr/bin/swiftc
        let root = compiler.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.path(percentEncoded: false)
        let isSystem = path == "/" || path.hasPrefix("/usr/")
        toolchainInside = isSystem ? (path == "/" ? "" : String(path.dropLast(path.hasSuffix("/") ? 1 : 0))) : "/swift"
        mounts = (isSystem ? [] : [.init(host: root, inside: "/swift")]) + [.init(host: kit, inside: "/kit")]
    }

    private static func findCompiler(_ environment: [String: String]) throws(SandboxError) -> URL {
        let candidates: [String]
        if let stated = environment["LLMBENCH_SWIFTC"], !stated.isEmpty {
            candidates = [stated]
        } else {
            candidates = (environment["PATH"] ?? "/usr/bin").split(separator: ":").map { "\($0)/swiftc" }
        }
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw .swiftMissing(
                reason: environment["LLMBENCH_SWIFTC"].map { "there is no compiler at LLMBENCH_SWIFTC=\($0)" }
                    ?? "there is no swiftc on the path: install Swift from https://www.swift.org/install")
        }
        // `swiftc` is a link to the driver, whose folder is the toolchain's.
        let folder = URL(filePath: found).resolvingSymlinksInPath().deletingLastPathComponent()
        return folder.appending(path: "swiftc")
    }

    /// Compiles everything at `/code` to `/build/pipeline`, unoptimised: messages and backtraces then name the lines as written, and
    /// what takes time runs in the libraries, which are optimised.
    func compileCommand(_ files: [String]) -> [String] {
        [
            "\(toolchainInside)/usr/bin/swiftc", "-swift-version", "5", "-Onone", "-gline-tables-only", "-module-name",
            "pipeline",
            "-module-cache-path", "/tmp/modules", "-I", "/kit/modules", "-L", "/kit/lib", "-lPipelineKit", "-j", "2",
            "-o", "/build/pipeline",
        ] + files.map { "/code/\($0)" }
    }

    /// Where the program finds its libraries, and how Swift's own backtracer reports a crash.
    var runEnvironment: [String: String] {
        [
            "LD_LIBRARY_PATH": "/kit/lib:\(toolchainInside)/usr/lib/swift/linux",
            "SWIFT_BACKTRACE":
                "enable=yes,color=no,interactive=no,output-to=stderr,threads=crashed,limit=32,images=none,"
                + "registers=none,sanitize=no,cache=no,symbolicate=full",
        ]
    }
}

extension SwiftEnvironment {
    /// The request that compiles a pipeline.
    ///
    /// - Parameters:
    ///   - code: folder with the files, mounted at `/code`.
    ///   - build: an empty folder that receives `pipeline`.
    public func compilation(
        of files: [String], code: URL, build: URL, limits: SandboxLimits, standardOutput: URL, standardError: URL
    ) -> SandboxRequest {
        SandboxRequest(
            command: compileCommand(files),
            mounts: mounts + [
                .init(host: code, inside: "/code"), .init(host: build, inside: "/build", writable: true),
            ],
            limits: limits, standardOutput: standardOutput, standardError: standardError)
    }

    /// The request that runs what was compiled.
    ///
    /// - Parameter mounts: data and whatever else it is to see; `/out` among them.
    public func execution(
        arguments: [String], code: URL, build: URL, mounts others: [SandboxRequest.Mount],
        environment: [String: String] = [:], limits: SandboxLimits, standardOutput: URL, standardError: URL
    ) -> SandboxRequest {
        SandboxRequest(
            command: ["/build/pipeline"] + arguments,
            mounts: mounts + [.init(host: code, inside: "/code"), .init(host: build, inside: "/build")] + others,
            environment: runEnvironment.merging(environment) { _, new in new }, limits: limits,
            standardOutput: standardOutput, standardError: standardError)
    }

    /// Compiles a program against the kit and runs it, in the sandbox.
    ///
    /// Takes some seconds; once it went well, the same kit and compiler are believed.
    ///
    /// - Parameter again: tries it even so.
    /// - Returns: seconds that compiling took; nil where an earlier call found it in order.
    /// - Throws: `SandboxError.swiftMissing` with what the compiler or the program said.
    @discardableResult
    public func verify(in runner: any SandboxRunner, again: Bool = false) async throws -> Double? {
        let stamp = kit.appending(path: "verified-by")
        let identity = try identity()
        if !again, (try? String(contentsOf: stamp, encoding: .utf8)) == identity { return nil }
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-swift-\(UUID().uuidString)")
        let (code, build) = (folder.appending(path: "code"), folder.appending(path: "build"))
        for url in [code, build] { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = """
            import PipelineKit
            import TensorRuntime

            let masks = try Tensor(shape: [1, 1, 2, 2], values: [0, 1, 1, 0])
            print(try meanDice(Variable(masks).value, masks))
            """
        try Data(program.utf8).write(to: code.appending(path: "main.swift"))
        let (output, errors) = (folder.appending(path: "stdout"), folder.appending(path: "stderr"))
        let limits = SandboxLimits(wallSeconds: 180, cpuSeconds: 180)
        let compiled = try await runner.run(
            compilation(
                of: ["main.swift"], code: code, build: build, limits: limits, standardOutput: output,
                standardError: errors))
        guard compiled.succeeded else { throw Self.failure("cannot compile against its modules", output, errors) }
        let ran = try await runner.run(
            execution(
                arguments: [], code: code, build: build, mounts: [], limits: limits, standardOutput: output,
                standardError: errors))
        guard ran.succeeded, (try? String(contentsOf: output, encoding: .utf8)) == "1.0\n" else {
            throw Self.failure("compiles programs that do not run", output, errors)
        }
        try? Data(identity.utf8).write(to: stamp, options: .atomic)
        return compiled.wallSeconds
    }

    /// Which compiler, and which version of it: a toolchain that was updated is tried again.
    private func identity() throws -> String {
        let attributes = try FileManager.default.attributesOfItem(
            atPath: compiler.resolvingSymlinksInPath().path(percentEncoded: false))
        let date = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        return "\(compiler.path(percentEncoded: false)) \(date)"
    }

    private static func failure(_ what: String, _ output: URL, _ errors: URL) -> SandboxError {
        let said = [errors, output].map { (try? String(contentsOf: $0, encoding: .utf8)) ?? "" }.joined(separator: "\n")
        let lines = said.split(separator: "\n")
        let line = lines.first { $0.contains("error:") } ?? lines.last ?? "nothing was printed"
        return .swiftMissing(
            reason: "the toolchain \(what) (\(printable(String(line.prefix(300))))); \(remedy)")
    }
}

/// The prebuilt modules as the package's build left them, and the folder that is shown to generated code.
struct SwiftKit {
    let products: URL
    let remedy: String

    /// - Returns: the staged folder, complete.
    /// - Throws: `SandboxError.swiftMissing`, `.diskFull`.
    func stage(in cache: URL) throws(SandboxError) -> URL {
        let sources =
            SwiftEnvironment.modules.map {
                ("modules/\($0).swiftmodule", products.appending(path: "Modules/\($0).swiftmodule"))
            }
            + [("lib/\(SwiftEnvironment.library)", products.appending(path: SwiftEnvironment.library))]
        var hash = SHA256()
        for (name, url) in sources {
            guard let data = try? Data(contentsOf: url, options: .mappedIfSafe) else {
                throw .swiftMissing(
                    reason:
                        "the prebuilt \(name.split(separator: "/").last ?? "") is not in \(products.path); \(remedy)")
            }
            hash.update(Data(name.utf8))
            hash.update(data)
        }
        let parent = cache.appending(path: "swift-kit", directoryHint: .isDirectory)
        let folder = parent.appending(path: String(hash.hexadecimal().prefix(16)), directoryHint: .isDirectory)
        if FileManager.default.fileExists(atPath: folder.path) { return folder }
        let partial = parent.appending(path: ".\(UUID().uuidString)", directoryHint: .isDirectory)
        do {
            for (name, url) in sources {
                let target = partial.appending(path: name)
                try FileManager.default.createDirectory(
                    at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
                try FileManager.default.copyItem(at: url, to: target)
            }
            // Backtraces are sent to models: they name functions of the libraries, not where this machine keeps their sources.
            let strip = try Process.run(
                URL(filePath: "/usr/bin/strip"),
                arguments: ["--strip-debug", partial.appending(path: "lib/\(SwiftEnvironment.library)").path])
            strip.waitUntilExit()
            guard strip.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
            let text = SwiftEnvironment.standIns.map { "module \($0) {}\n" }.joined()
            try Data(text.utf8).write(to: partial.appending(path: "modules/module.modulemap"))
            // Another process may have been faster; its folder holds the same.
            try? FileManager.default.moveItem(at: partial, to: folder)
            try? FileManager.default.removeItem(at: partial)
            removeOld(in: parent, except: folder)
            return folder
        } catch {
            try? FileManager.default.removeItem(at: partial)
            throw .swiftMissing(
                reason:
                    "its modules cannot be staged below \(parent.path) (\(SystemReason.of(error) ?? "\(error)")): free some space, and "
                    + "see that /usr/bin/strip is there (apt install binutils)")
        }
    }

    /// Kits of earlier builds, but for the last few, which another process may have mounted.
    private func removeOld(in parent: URL, except current: URL) {
        let keys: Set<URLResourceKey> = [.contentModificationDateKey]
        let found =
            (try? FileManager.default.contentsOfDirectory(at: parent, includingPropertiesForKeys: Array(keys))) ?? []
        let dated = found.filter { $0.lastPathComponent != current.lastPathComponent }.map { url in
            (url, (try? url.resourceValues(forKeys: keys).contentModificationDate) ?? .distantPast)
        }
        for (url, _) in dated.sorted(by: { $0.1 > $1.1 }).dropFirst(3) { try? FileManager.default.removeItem(at: url) }
    }
}
