import Foundation

/// What the harness that runs a pipeline asks for through the environment, and what is noted down for it.
///
/// - `LLMBENCH_RECORD`: a folder that receives `observation.json`, `progress.json` and the predictions of the images below.
/// - `LLMBENCH_HELDOUT`: a folder whose `images/` are predicted once training is over. Their masks are nowhere in reach.
///
/// Without these variables a pipeline runs the same and leaves no more than its own files.
struct Harness: Sendable {
    let record: URL?
    let heldOut: URL?

    init(environment: [String: String]) {
        func folder(_ name: String) -> URL? {
            environment[name].flatMap { $0.isEmpty ? nil : URL(filePath: $0, directoryHint: .isDirectory) }
        }
        record = folder("LLMBENCH_RECORD")
        heldOut = folder("LLMBENCH_HELDOUT")
    }

    /// Adds counts to `observation.json`.
    func note(_ counts: [String: Int]) throws {
        guard let record else { return }
        let url = record.appending(path: "observation.json")
        let known = (try? Data(contentsOf: url)).flatMap { try? JSONDecoder().decode([String: Int].self, from: $0) }
        try write((known ?? [:]).merging(counts) { _, new in new }, to: url)
    }

    /// How far the training is.
    struct Progress: Encodable {
        var epoch: Int
        var epochs: Int
        var batch = 1
        var batches = 1
        var loss: Double?
    }

    func note(_ progress: Progress) throws {
        guard let record else { return }
        try write(progress, to: record.appending(path: "progress.json"))
    }

    private func write(_ value: some Encodable, to url: URL) throws {
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try JSONEncoder().encode(value).write(to: url, options: .atomic)
        } catch {
            throw PipelineError.file(path: url.path, reason: "\(error.localizedDescription)")
        }
    }
}
