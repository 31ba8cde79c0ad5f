/// Why a training or an evaluation stopped.
///
/// `isPipelinesFault` tells what the generated pipeline did (recorded as its result, never repeated) from what this machine
/// or its user did (the same command continues once it is mended).
public enum TrainingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A file of the capture is missing, damaged or contradicts another one.
    case badCapture(file: String, reason: String)
    /// The capture says that engines other than `emitted` would not train what the pipeline trains.
    case notCapturable(reasons: [String])
    /// A loss, gradient or weight stopped being a number; `module` is where it began, when that could be found.
    case notFinite(what: String, module: String?, epoch: Int, batch: Int)
    /// The generated program failed while it trained.
    case pipelineFailed(reason: String)
    /// A training that is to be scored had failed; the reason is the one that was stored then.
    case failedBefore(reason: String)
    /// The tensors that the pipeline made of held-out images are no plain resize of them.
    case geometry(reason: String)
    /// Training would need more memory than there is; `fitting` is the largest batch size that would fit, 0 where none does, nil
    /// where none was sought.
    case memory(needed: Int, available: Int, batch: Int, fitting: Int?)
    /// The disk is full.
    case diskFull(path: String)
    /// A file could not be read or written for another reason than a full disk.
    case file(path: String, reason: String)
    /// Every checkpoint in the folder is damaged.
    case noUsableCheckpoint(path: String, damaged: Int)
    /// What is asked for needs an earlier stage first.
    case missing(what: String, command: String)
    /// A training that is under way or was interrupted has no weights to score yet.
    case unfinished(run: String, engine: String, seed: Int)
    /// The Python helper or the store misbehaved.
    case harness(reason: String)

    /// Whether the generated pipeline is the cause, so that the failure is a result.
    public var isPipelinesFault: Bool {
        switch self {
        case .notCapturable, .notFinite, .pipelineFailed, .failedBefore, .geometry: true
        default: false
        }
    }

    public var description: String {
        switch self {
        case .badCapture(let file, let reason):
            "the capture's \(file) cannot be used: \(reason); capture the run again with --again"
        case .notCapturable(let reasons):
            "this pipeline cannot be trained from its capture (\(reasons.joined(separator: "; "))); "
                + "use --engine emitted"
        case .notFinite(let what, let module, let epoch, let batch):
            "\(what) is not finite in epoch \(epoch), batch \(batch)"
                + (module.map { ": it began in \($0)" } ?? "") + "; the training stops here"
        case .pipelineFailed(let reason):
            "the generated program failed while it trained: \(reason)"
        case .failedBefore(let reason):
            reason
        case .geometry(let reason):
            "the held-out Dice would be wrong: \(reason)"
        case .memory(let needed, let available, let batch, let fitting):
            "this training needs \(Self.gigabytes(needed)) of memory at its batch size of \(batch) and "
                + "\(Self.gigabytes(available)) are free: "
                + (fitting.map { $0 > 0 ? "a batch of at most \($0) would fit; else " : "" } ?? "use a smaller batch, ")
                + "close other programs or use a machine with more"
        case .diskFull(let path):
            "no space left for \(path): free some and run the same command again, it continues where it stopped"
        case .file(let path, let reason):
            "\(path): \(reason)"
        case .noUsableCheckpoint(let path, let damaged):
            "all \(damaged) checkpoints in \(path) are damaged: start over with --again"
        case .missing(let what, let command):
            "\(what) is missing: run `\(command)` first"
        case .unfinished(let run, let engine, let seed):
            "the training of \(run) by \(engine) from seed \(seed) is not finished: the same `llmbench train` goes on with it"
        case .harness(let reason):
            reason
        }
    }

    private static func gigabytes(_ bytes: Int) -> String {
        let tenths = (bytes + 53_687_091) / 107_374_182
        return "\(tenths / 10).\(tenths % 10) GiB"
    }
}
