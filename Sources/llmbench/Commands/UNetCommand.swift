import ArgumentParser
import Capture
import Foundation
import Sandbox
import TensorRuntime

struct UNetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unet",
        abstract: "Describe the U-Net of a Python file, or compare our runtime with PyTorch or TensorFlow on it.",
        discussion: """
            The file runs in the sandbox, with the framework that it imports; --target names it otherwise. The class of PyTorch, or the \
            function or class that makes the model of Keras, is found where only one fits; --class names it otherwise.

              llmbench unet describe model.py
              llmbench unet verify model.py --class AttentionUNet --json
              llmbench unet verify keras_model.py --class build_unet
            """,
        subcommands: [Describe.self, Verify.self])
}

/// What both questions about a file need.
struct UNetFileOptions: ParsableArguments {
    @Argument(help: "A Python file that defines the model.", completion: .file(extensions: ["py"]))
    var file: String

    @Option(
        name: .customLong("class"),
        help: "The class of the U-Net, or the function that makes it, where the file holds several.")
    var className: String?

    @Option(help: "The framework: pytorch or tensorflow, in place of the one that the file imports.")
    var target: String?

    @OptionGroup var confinementOptions: ConfinementOptions

    @Option(help: "The folder that holds requirements.txt and requirements-tensorflow.txt, for the Python environment.")
    var workspace: String?

    var url: URL { URL(filePath: file) }

    func validate() throws {
        if let target, PythonStack(rawValue: target) == nil {
            throw ValidationError("--target \(target): the model is one of pytorch or tensorflow")
        }
    }

    func examination() async throws -> UNetExamination {
        guard FileManager.default.fileExists(atPath: file) else {
            throw CommandFailure.usage("there is no file \(file)")
        }
        let root = URL(filePath: workspace ?? FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
        do {
            let imported = UNetExamination.framework(of: (try? String(contentsOf: url, encoding: .utf8)) ?? "")
            let python = try PythonEnvironment.locate(
                target.flatMap { PythonStack(rawValue: $0) } ?? imported, root: root)
            let runner = try confinementOptions.confinement.runner(python: python)
            try await python.requirePython(in: runner)
            return try UNetExamination(runner: runner, interpreter: python.interpreterInside)
        } catch let error as SandboxError {
            throw CommandFailure.environment("\(error)")
        } catch let error as CaptureError {
            throw CommandFailure.environment("\(error)")
        }
    }

    /// Sorts failures into those of the file and those of the machine.
    func answer<Value>(_ body: (UNetExamination) async throws -> Value) async throws -> Value {
        do {
            return try await body(try await examination())
        } catch let error as SandboxError {
            throw CommandFailure.environment("\(error)")
        } catch let error as CaptureError {
            throw CommandFailure.failed("\(error)")
        } catch let error as RuntimeError {
            throw CommandFailure.failed("\(file): \(error)")
        }
    }
}

extension UNetCommand {
    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What architecture is this?", discussion: "  llmbench unet describe model.py --json")

        @OptionGroup var options: UNetFileOptions
        @OptionGroup var output: JSONOption

        func run() async throws {
            let found = try await options.answer { try await $0.describe(options.url, className: options.className) }
            if output.json { return try JSONOption.print(found) }
            func channels(_ list: [Int?]) -> String { list.map { $0.map(String.init) ?? "?" }.joined(separator: ", ") }
            var table = TextTable([("", .left), ("", .left)])
            for (name, value) in [
                ("class", found.constructor), ("trainable parameters", "\(found.trainableParameters)"),
                ("encoder stages", "\(found.encoderStages) (\(channels(found.encoderChannels)))"),
                ("decoder stages", "\(found.decoderStages) (\(channels(found.decoderChannels)))"),
                ("bottleneck channels", found.bottleneckChannels.map(String.init) ?? "?"),
                ("convolution block", found.convBlock), ("normalization", found.normalization),
                ("up-sampling", found.upsampling), ("skip connection", found.skip),
                ("final layer", found.finalLayer), ("output activation", found.outputActivation),
            ] {
                table.add([name, value])
            }
            print(table.render())
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Does our runtime agree with PyTorch, or TensorFlow, on this model?",
            discussion: """
                Compares one prediction and all gradients of one training step; exits with 0 only if both errors, \
                max|a-b| / max|b|, are below 0.001.

                  llmbench unet verify model.py --json
                """)

        @OptionGroup var options: UNetFileOptions
        @OptionGroup var output: JSONOption

        func run() async throws {
            let found = try await options.answer { try await $0.verify(options.url, className: options.className) }
            if output.json {
                try JSONOption.print(found)
            } else {
                let worst = found.worstGradient.map { " (at \($0))" } ?? ""
                print(
                    "\(found.className): forward error \(Self.short(found.forwardError)), gradient error "
                        + "\(Self.short(found.gradientError))\(worst): \(found.agrees ? "agrees" : "does not agree")")
            }
            guard found.agrees else { throw ExitCode(1) }
        }

        private static func short(_ value: Double) -> String { String(format: "%.1e", value) }
    }
}
