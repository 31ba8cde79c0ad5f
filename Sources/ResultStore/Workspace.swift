import Foundation

/// The folder a study lives in: prompts, model cards, data, generated code, results.
///
/// Every path that the harness reads or writes is made here, so that the layout has one address.
public struct Workspace: Sendable, Hashable {
    /// The folder that holds `models.yaml`, `prompts/`, `datasets/`, `generated/`, `results/` and `cache/`.
    public let root: URL

    public init(root: URL) {
        self.root = root.standardizedFileURL
    }

    public var prompts: URL { root.appending(path: "prompts", directoryHint: .isDirectory) }
    public var models: URL { root.appending(path: "models.yaml") }
    public var datasets: URL { root.appending(path: "datasets", directoryHint: .isDirectory) }
    public var generated: URL { root.appending(path: "generated", directoryHint: .isDirectory) }
    public var results: URL { root.appending(path: "results", directoryHint: .isDirectory) }
    public var cache: URL { root.appending(path: "cache", directoryHint: .isDirectory) }

    public func dataset(_ name: String) -> URL { datasets.appending(path: name, directoryHint: .isDirectory) }

    /// `results/<study>/`
    public func results(study: String) -> URL { results.appending(path: study, directoryHint: .isDirectory) }

    /// `results/<study>/bench.sqlite`
    public func database(study: String) -> URL { results(study: study).appending(path: "bench.sqlite") }

    /// `results/<study>/baselines/<dataset>/<engine>-<budget>-seed<seed>/`
    public func baseline(study: String, dataset: String, engine: String, budget: String, seed: Int) -> URL {
        results(study: study).appending(
            path: "baselines/\(dataset)/\(engine)-\(budget)-seed\(seed)", directoryHint: .isDirectory)
    }

    /// `results/<study>/sweep/<dataset>/<training>/`: the checkpoint of one training of the sweep, and its masks of the held-out images as
    /// `masks/<sample>.png`.
    public func sweep(study: String, dataset: String, training: String) -> URL {
        results(study: study).appending(path: "sweep/\(dataset)/\(training)", directoryHint: .isDirectory)
    }

    /// What a baseline calls a held-out image, by its place among their sorted names: `held00001`.
    public static func baselineCase(_ index: Int) -> String {
        let digits = "\(index + 1)"
        return "held" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    /// The mask that a baseline predicted of a held-out image, in the baseline's folder: 0 and 1 on the image's grid.
    public static func baselinePrediction(_ index: Int) -> String { "predictions/\(baselineCase(index)).png" }

    /// `generated/<study>/<dataset>/<model>/<target>/<prompt>/run-NN/`
    public func directory(of run: RunKey) -> RunDirectory {
        RunDirectory(url: generated.appending(path: run.path, directoryHint: .isDirectory))
    }
}

/// What makes a run unique, and its place below `generated/`.
public struct RunKey: Sendable, Hashable, Codable, CustomStringConvertible {
    public var study: String
    public var dataset: String
    /// The model's slug: path-safe and unique.
    public var model: String
    /// `pytorch`, `tensorflow` or `swift`.
    public var target: String
    /// The first eight hexadecimal digits of the SHA-256 of the prompt as sent.
    public var promptHash: String
    /// Counts from 1.
    public var index: Int

    public init(study: String, dataset: String, model: String, target: String, promptHash: String, index: Int) {
        self.study = study
        self.dataset = dataset
        self.model = model
        self.target = target
        self.promptHash = promptHash
        self.index = index
    }

    /// `<study>/<dataset>/<model>/<target>/<prompt>/run-NN`: how a run is named on the command line.
    public var path: String {
        let number = index < 10 ? "0\(index)" : "\(index)"
        return "\(study)/\(dataset)/\(model)/\(target)/\(promptHash)/run-\(number)"
    }

    public var description: String { path }
}

/// The folder of one run and the names inside it.
public struct RunDirectory: Sendable, Hashable {
    public let url: URL

    public init(url: URL) {
        self.url = url
    }

    /// `round-NN/`, counted from 0.
    public func round(_ index: Int) -> RoundDirectory {
        let number = index < 10 ? "0\(index)" : "\(index)"
        return RoundDirectory(url: url.appending(path: "round-\(number)", directoryHint: .isDirectory))
    }

    /// The files that ran.
    public var final: URL { url.appending(path: "final", directoryHint: .isDirectory) }
    /// What the capture stage read off the pipeline; see Documentation/GraphFormat.md.
    public var capture: URL { url.appending(path: "capture", directoryHint: .isDirectory) }
    /// The capture of one seed and number of epochs (nil: the pipeline's own): `capture/` for seed 0 and its own epochs.
    public func capture(seed: Int, epochs: Int?) -> URL {
        guard seed != 0 || epochs != nil else { return capture }
        let name = "capture-seed\(seed)" + (epochs.map { "-epochs\($0)" } ?? "")
        return url.appending(path: name, directoryHint: .isDirectory)
    }
    /// Checkpoints, logs and predictions of one engine and seed.
    public func training(engine: String, seed: Int) -> URL {
        url.appending(path: "training/\(engine)-seed\(seed)", directoryHint: .isDirectory)
    }
}

/// The folder of one round: what was asked, what came back, what it did.
public struct RoundDirectory: Sendable, Hashable {
    public let url: URL

    public init(url: URL) {
        self.url = url
    }

    public var request: URL { url.appending(path: "request.json") }
    public var reply: URL { url.appending(path: "reply.md") }
    public var reasoning: URL { url.appending(path: "reasoning.md") }
    /// The whole reply with its finish reason, tokens and times. A reply is whole on disk once this exists.
    public var replyFacts: URL { url.appending(path: "reply.json") }
    public var files: URL { url.appending(path: "files", directoryHint: .isDirectory) }
    public var check: URL { url.appending(path: "check", directoryHint: .isDirectory) }
    public var standardOutput: URL { check.appending(path: "stdout") }
    public var standardError: URL { check.appending(path: "stderr") }
    public var outcome: URL { check.appending(path: "outcome.json") }
    /// What the program left behind: `/out` of the check run. Only small tables, pictures and JSON of a clean run are kept.
    public var output: URL { check.appending(path: "out", directoryHint: .isDirectory) }
}
