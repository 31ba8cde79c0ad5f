import ArgumentParser
import Baselines
import Endpoints
import Foundation
import Sandbox

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "What works on this machine, and the command that mends what does not.",
        discussion: """
              llmbench doctor
              llmbench doctor --json

            Exit status 0: everything that a run needs works; 3: something is missing.
            """)

    @Option(
        help:
            "The folder that holds models.yaml and requirements.txt. Found from the current folder upwards when not given."
    )
    var workspace: String?

    @OptionGroup var output: JSONOption

    func run() async throws {
        let bar = ProgressBar(title: "Checking", total: 0)
        bar.update(0)
        var checks = SandboxCheck.all()
        let root = folder()
        if checks.allSatisfy({ $0.status != .missing }) { checks.append(await pythonCheck(root)) }
        checks.append(await tensorflowCheck(root))
        checks.append(await swiftCheck(root))
        checks.append(await nnunetCheck(root))
        checks += [MachineCheck.processor(), MachineCheck.threads(), MachineCheck.memory(), MachineCheck.disk(root)]
        checks += [keys(), MachineCheck.ignored(root)].compactMap { $0 }
        bar.finish()
        if output.json { try JSONOption.print(checks) } else { show(checks) }
        let missing = checks.filter { $0.status == .missing }
        if !missing.isEmpty {
            throw CommandFailure.environment("not ready: \(missing.map(\.name).joined(separator: ", "))")
        }
    }

    private func folder() -> URL {
        var options = WorkspaceOptions()
        options.workspace = workspace
        options.study = "default"
        return (try? options.resolve().root)
            ?? URL(filePath: workspace ?? FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
    }

    private func pythonCheck(_ root: URL) async -> SandboxCheck {
        do {
            let python = try PythonEnvironment.locate(.pytorch, root: root)
            let versions = try await python.verify(in: try BubblewrapSandbox(python: python))
            let shown = ["python", "torch", "torchvision", "numpy"].compactMap { name in
                versions[name].map { "\(name) \($0)" }
            }
            return SandboxCheck(
                name: "Python", status: .working,
                detail: shown.joined(separator: ", ")
                    + " and \(versions.count - shown.count) more, imported in the sandbox")
        } catch {
            return SandboxCheck(name: "Python", status: .missing, detail: "\(error)", remedy: "scripts/setup")
        }
    }

    /// Only the target tensorflow needs it: without it, everything else works.
    private func tensorflowCheck(_ root: URL) async -> SandboxCheck {
        do {
            let python = try PythonEnvironment.locate(.tensorflow, root: root)
            let versions = try await python.verify(in: try BubblewrapSandbox(python: python))
            let shown = ["tensorflow", "keras"].compactMap { name in versions[name].map { "\(name) \($0)" } }
            return SandboxCheck(
                name: "TensorFlow", status: .working,
                detail: shown.joined(separator: ", ") + ", imported in the sandbox")
        } catch {
            return SandboxCheck(
                name: "TensorFlow", status: .degraded, detail: "no target tensorflow: \(error)",
                remedy: PythonStack.tensorflow.remedy)
        }
    }

    /// Only the target swift needs it: without it, everything else works.
    private func swiftCheck(_ root: URL) async -> SandboxCheck {
        do {
            let swift = try SwiftEnvironment.locate(
                cache: root.appending(path: "cache", directoryHint: .isDirectory))
            let seconds = try await swift.verify(in: try BubblewrapSandbox(), again: true) ?? 0
            return SandboxCheck(
                name: "Swift", status: .working,
                detail: "\(swift.compiler.path) compiles against PipelineKit in the sandbox "
                    + "(\(String(format: "%.1f", seconds)) s)")
        } catch {
            return SandboxCheck(
                name: "Swift", status: .degraded, detail: "\(error)",
                remedy: "swift build -c release --product PipelineKit")
        }
    }

    /// Only baselines need it: without it, everything else works.
    private func nnunetCheck(_ root: URL) async -> SandboxCheck {
        do {
            let installation = try await NNUNetPython.locate(root: root).verify()
            return SandboxCheck(name: "nnU-Net", status: .working, detail: installation.version)
        } catch {
            return SandboxCheck(
                name: "nnU-Net", status: .degraded, detail: "no baselines: \(error)", remedy: "scripts/setup")
        }
    }

    /// Names only: what a variable holds is nobody's business.
    private func keys() -> SandboxCheck? {
        var options = WorkspaceOptions()
        options.workspace = workspace
        options.study = "default"
        guard let cards = try? ModelsCommand.registry(options).cards else {
            return SandboxCheck(
                name: "models", status: .degraded, detail: "no readable models.yaml here",
                remedy: "run llmbench inside a checkout, or give --workspace")
        }
        let variables = Set(cards.compactMap(\.apiKeyVariable)).sorted()
        let environment = ProcessInfo.processInfo.environment
        let set = variables.filter { !(environment[$0] ?? "").isEmpty }
        let unset = variables.filter { !set.contains($0) }
        return SandboxCheck(
            name: "keys", status: .working,
            detail: "set: \(set.isEmpty ? "none" : set.joined(separator: ", ")); "
                + "not set: \(unset.isEmpty ? "none" : unset.joined(separator: ", "))",
            remedy: unset.isEmpty ? nil : "export NAME=… for the models you want to ask; recorded ones need none")
    }

    private func show(_ checks: [SandboxCheck]) {
        let terminal = Terminal.current()
        let width = checks.map(\.name.count).max() ?? 0
        for check in checks {
            let (mark, colour): (String, Terminal.Colour) =
                switch check.status {
                case .working: ("ok     ", .green)
                case .degraded: ("limited", .yellow)
                case .missing: ("missing", .red)
                }
            let name = check.name + String(repeating: " ", count: width - check.name.count)
            print("\(terminal.paint(mark, colour))  \(name)  \(check.detail)")
            if let remedy = check.remedy {
                print(String(repeating: " ", count: width + 11) + terminal.paint("→ \(remedy)", .bold))
            }
        }
    }
}

/// What the machine offers to training.
private enum MachineCheck {
    static func processor() -> SandboxCheck {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else {
            return SandboxCheck(name: "processor", status: .degraded, detail: "\(cores) cores, unknown instruction set")
        }
        let line = text.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
        let flags = Set(line.split(separator: " ").map(String.init))
        let simd = ["avx512f": "AVX-512", "avx2": "AVX2", "sse4_2": "SSE4.2"]
        let widest = ["avx512f", "avx2", "sse4_2"].first(where: flags.contains)
        let detail = "\(cores) core\(cores == 1 ? "" : "s"), \(widest.flatMap { simd[$0] } ?? "no known SIMD")"
        guard widest == "avx512f" || widest == "avx2" else {
            return SandboxCheck(
                name: "processor", status: .degraded, detail: detail + "; training will be slow",
                remedy: "use a machine with AVX2 or AVX-512")
        }
        return SandboxCheck(name: "processor", status: .working, detail: detail)
    }

    static func threads() -> SandboxCheck {
        guard let text = ProcessInfo.processInfo.environment["LLMBENCH_THREADS"], !text.isEmpty else {
            return SandboxCheck(name: "threads", status: .working, detail: "LLMBENCH_THREADS is not set: one a core")
        }
        guard let count = Int(text), count > 0 else {
            return SandboxCheck(
                name: "threads", status: .missing, detail: "LLMBENCH_THREADS is no positive number",
                remedy: "unset LLMBENCH_THREADS, or export LLMBENCH_THREADS=2")
        }
        return SandboxCheck(name: "threads", status: .working, detail: "LLMBENCH_THREADS=\(count)")
    }

    static func memory() -> SandboxCheck {
        let gibibytes = Double(ProcessInfo.processInfo.physicalMemory) / Double(1 << 30)
        let detail = "\(String(format: "%.1f", gibibytes)) GiB"
        guard gibibytes >= 4 else {
            return SandboxCheck(
                name: "memory", status: .degraded, detail: detail + "; PyTorch wants 4",
                remedy: "close other programs or use a larger machine")
        }
        return SandboxCheck(name: "memory", status: .working, detail: detail)
    }

    static func disk(_ root: URL) -> SandboxCheck {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: root.path(percentEncoded: false))
        guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.doubleValue else {
            return SandboxCheck(name: "disk", status: .degraded, detail: "free space unknown")
        }
        let detail = "\(String(format: "%.1f", free / Double(1 << 30))) GiB free"
        guard free > 2 * Double(1 << 30) else {
            return SandboxCheck(
                name: "disk", status: .missing, detail: detail + "; a run needs 2",
                remedy: "free some space below \(root.path(percentEncoded: false))")
        }
        return SandboxCheck(name: "disk", status: .working, detail: detail)
    }

    /// Bulky folders that should not be committed by accident; nil outside of a repository.
    static func ignored(_ root: URL) -> SandboxCheck? {
        guard FileManager.default.fileExists(atPath: root.appending(path: ".git").path) else { return nil }
        let text = (try? String(contentsOf: root.appending(path: ".gitignore"), encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let missing = ["generated", "results", "cache"].filter { folder in
            !lines.contains { $0.hasPrefix("/\(folder)") || $0.hasPrefix("\(folder)/") || $0 == folder }
        }
        guard !missing.isEmpty else {
            return SandboxCheck(name: "git", status: .working, detail: "generated, results and cache are ignored")
        }
        return SandboxCheck(
            name: "git", status: .degraded, detail: "not ignored: \(missing.joined(separator: ", "))",
            remedy: "add \(missing.map { "/\($0)/" }.joined(separator: " ")) to .gitignore")
    }
}
