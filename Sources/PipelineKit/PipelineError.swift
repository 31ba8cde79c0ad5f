/// What a pipeline asked for that cannot be done; each case reads as one sentence.
public enum PipelineError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The command line is not `--data DIR --out DIR --epochs N`.
    case arguments(String)
    /// A folder without usable pairs of image and mask, or a picture that cannot be read.
    case data(String)
    /// Values, shapes or counts that do not go together.
    case invalid(String)
    /// A file that could not be written.
    case file(path: String, reason: String)

    /// One sentence, ready to be shown.
    public var description: String {
        switch self {
        case .arguments(let reason), .data(let reason), .invalid(let reason): reason
        case .file(let path, let reason): "cannot write \(path): \(reason)"
        }
    }
}
