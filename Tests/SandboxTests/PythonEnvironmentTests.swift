import Foundation
import Testing

@testable import Sandbox

@Suite("The Python environment")
struct PythonEnvironmentTests {
    private func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "python-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.resolvingSymlinksInPath()
    }

    /// A virtual environment whose interpreter is a link, as `python3 -m venv` makes it.
    private func virtualEnvironment(in root: URL, linkingTo target: String) throws -> URL {
        let binaries = root.appending(path: "bin")
        try FileManager.default.createDirectory(at: binaries, withIntermediateDirectories: true)
        try "home = /usr/bin\n".write(to: root.appending(path: "pyvenv.cfg"), atomically: true, encoding: .utf8)
        let interpreter = binaries.appending(path: "python")
        try FileManager.default.createSymbolicLink(atPath: interpreter.path, withDestinationPath: target)
        return interpreter
    }

    @Test("is the one that LLMBENCH_PYTHON names, and is mounted at /python")
    func fromVariable() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let interpreter = try virtualEnvironment(in: folder, linkingTo: "/usr/bin/python3")
        let python = try PythonEnvironment.locate(
            requirements: nil, environment: ["LLMBENCH_PYTHON": interpreter.path(percentEncoded: false)])
        #expect(python.interpreterInside == "/python/bin/python")
        #expect(python.mounts.map(\.inside) == ["/python"])
        #expect(python.mounts.allSatisfy { !$0.writable })
    }

    @Test("is else found by the hash of the requirements file")
    func fromRequirements() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let requirements = folder.appending(path: "requirements.txt")
        try "torch\n".write(to: requirements, atomically: true, encoding: .utf8)
        // printf 'torch\n' | sha256sum
        let root = folder.appending(path: "llmbench/python/6647b8314a965c8c")
        let error = #expect(throws: SandboxError.self) {
            try PythonEnvironment.locate(
                requirements: requirements, environment: ["XDG_CACHE_HOME": folder.path(percentEncoded: false)])
        }
        #expect("\(error!)".contains("scripts/setup"))
        #expect("\(error!)".contains("llmbench/python/"))
        let named = "\(error!)".split(separator: "llmbench/python/")[1].split(separator: "/")[0]
        #expect(named == root.lastPathComponent)
        _ = try virtualEnvironment(in: root, linkingTo: "/usr/bin/python3")
        let python = try PythonEnvironment.locate(
            requirements: requirements, environment: ["XDG_CACHE_HOME": folder.path(percentEncoded: false)])
        #expect(python.interpreter.path.contains("6647b8314a965c8c"))
    }

    @Test("brings along an installation that its interpreter links to outside of /usr")
    func linkedInstallation() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let installation = folder.appending(path: "managed/cpython-3.11/bin")
        try FileManager.default.createDirectory(at: installation, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: URL(filePath: "/usr/bin/true"), to: installation.appending(path: "python3.11"))
        let interpreter = try virtualEnvironment(
            in: folder.appending(path: "venv"), linkingTo: installation.appending(path: "python3.11").path)
        let python = try PythonEnvironment(interpreter: interpreter)
        #expect(python.mounts.map(\.inside) == ["/python", folder.appending(path: "managed/cpython-3.11").path])
    }

    @Test("of the system needs no mount")
    func systemPython() throws {
        let python = try PythonEnvironment(interpreter: URL(filePath: "/usr/bin/python3"))
        #expect(python.interpreterInside == "/usr/bin/python3")
        #expect(python.mounts.isEmpty)
    }

    @Test("that is missing names the command that makes it")
    func missing() throws {
        let error = #expect(throws: SandboxError.self) {
            try PythonEnvironment.locate(requirements: nil, environment: ["LLMBENCH_PYTHON": "/nowhere/python"])
        }
        #expect("\(error!)".contains("/nowhere/python"))
        #expect(throws: SandboxError.self) { try PythonEnvironment.locate(requirements: nil, environment: [:]) }
    }

    @Test("without a module is our failure, and names the module")
    func missingModule() async throws {
        let python = try PythonEnvironment(interpreter: URL(filePath: "/usr/bin/python3"))
        let sandbox = try BubblewrapSandbox(python: python)
        let error = await #expect(throws: SandboxError.self) {
            try await python.verify(in: sandbox, modules: ["json", "no_such_module"])
        }
        #expect("\(error!)".contains("cannot import no_such_module"))
        let versions = try await python.verify(in: sandbox, modules: ["json"])
        #expect(versions["python"]?.hasPrefix("3.") == true)
    }

    @Test("that does not run Python is our failure, inside the sandbox and without it", arguments: [true, false])
    func noPython(sandboxed: Bool) async throws {
        for (path, hint) in [("/bin/false", nil), ("/bin/echo", "check LLMBENCH_PYTHON"), ("/bin/sh", nil)] {
            let python = try PythonEnvironment(interpreter: URL(filePath: path), hint: hint)
            let runner: any SandboxRunner =
                if sandboxed { try BubblewrapSandbox(python: python) } else { UnconfinedRunner(python: python) }
            let error = await #expect(throws: SandboxError.self) { try await python.requirePython(in: runner) }
            #expect(
                "\(error!)".hasSuffix("\(path) does not run Python 3; \(hint ?? "run scripts/setup")"), "\(error!)")
        }
        let python = try PythonEnvironment(interpreter: URL(filePath: "/usr/bin/python3"))
        let runner: any SandboxRunner =
            if sandboxed { try BubblewrapSandbox(python: python) } else { UnconfinedRunner(python: python) }
        try await python.requirePython(in: runner)
    }

    @Test("that scripts/setup made imports what every pipeline needs, inside the sandbox")
    func verified() async throws {
        let python = try PythonEnvironment.locate(requirements: requirementsFile)
        let versions = try await python.verify(in: try BubblewrapSandbox(python: python))
        #expect(Set(versions.keys) == Set(PythonStack.pytorch.modules + ["python"]))
    }

    @Test("of TensorFlow is another one, which has no PyTorch, found by a variable or a requirements file of its own")
    func tensorflow() async throws {
        let root = requirementsFile.deletingLastPathComponent()
        let python = try PythonEnvironment.locate(.tensorflow, root: root)
        let sandbox = try BubblewrapSandbox(python: python)
        let versions = try await python.verify(in: sandbox)
        #expect(Set(versions.keys) == Set(PythonStack.tensorflow.modules + ["python"]))
        #expect(versions["keras"]?.hasPrefix("3.") == true)
        let error = await #expect(throws: SandboxError.self) {
            try await python.verify(in: sandbox, modules: ["torch"])
        }
        #expect("\(error!)".contains("cannot import torch") && "\(error!)".hasSuffix("run scripts/setup --tensorflow"))
    }

    @Test("of TensorFlow that is missing names the command that makes it")
    func tensorflowMissing() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let requirements = folder.appending(path: "requirements-tensorflow.txt")
        try "tensorflow-cpu\n".write(to: requirements, atomically: true, encoding: .utf8)
        let error = #expect(throws: SandboxError.self) {
            try PythonEnvironment.locate(
                .tensorflow, requirements: requirements,
                environment: ["XDG_CACHE_HOME": folder.path(percentEncoded: false), "LLMBENCH_PYTHON": "/bin/true"])
        }
        #expect(
            "\(error!)".contains("/llmbench/tensorflow/") && "\(error!)".hasSuffix("run scripts/setup --tensorflow"))
        let other = #expect(throws: SandboxError.self) {
            try PythonEnvironment.locate(
                .tensorflow, requirements: nil, environment: ["LLMBENCH_TENSORFLOW_PYTHON": "/nowhere/python"])
        }
        #expect("\(other!)".contains("/nowhere/python; check LLMBENCH_TENSORFLOW_PYTHON"))
    }

    private var requirementsFile: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "requirements.txt")
    }
}
