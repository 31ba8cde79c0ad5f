import Foundation

/// The command line of a pipeline: `--data DIR`, `--out DIR` and `--epochs N`.
///
/// ```swift
/// let arguments = try PipelineArguments(defaultEpochs: 40)
/// ```
public struct PipelineArguments: Sendable {
    /// The folder that contains `images/` and `masks/`.
    public let data: String
    /// The only folder that may be written to.
    public let out: String
    /// The number of epochs to train.
    public let epochs: Int
    let harness: Harness

    /// Reads the command line and creates the folder `out`; `defaultEpochs` is the number of epochs that you choose, and `--epochs`
    /// replaces it.
    ///
    /// Throws `PipelineError.arguments` for anything else on the command line.
    public init(defaultEpochs: Int) throws {
        try self.init(
            defaultEpochs: defaultEpochs, words: Array(CommandLine.arguments.dropFirst()),
            environment: ProcessInfo.processInfo.environment)
    }

    init(defaultEpochs: Int, words: [String], environment: [String: String]) throws {
        guard defaultEpochs > 0 else {
            throw PipelineError.arguments("a default of \(defaultEpochs) epochs: it must be a positive number")
        }
        var values = ["--data": "/data", "--out": "/out", "--epochs": "\(defaultEpochs)"]
        var rest = words[...]
        while let option = rest.popFirst() {
            guard values[option] != nil else {
                throw PipelineError.arguments("there is no option '\(option)': known are --data, --out and --epochs")
            }
            guard let value = rest.popFirst() else { throw PipelineError.arguments("\(option) needs a value") }
            values[option] = value
        }
        guard let epochs = Int(values["--epochs"] ?? ""), epochs > 0 else {
            throw PipelineError.arguments("--epochs \(values["--epochs"] ?? ""): it must be a positive integer")
        }
        data = values["--data"] ?? ""
        out = values["--out"] ?? ""
        self.epochs = epochs
        harness = Harness(environment: environment)
        do {
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        } catch {
            throw PipelineError.file(path: out, reason: "the folder cannot be made")
        }
        try harness.note(["default_epochs": defaultEpochs])
    }
}
