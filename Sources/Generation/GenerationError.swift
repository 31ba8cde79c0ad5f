/// What stops a run without being its end: the run stays where it is and goes on from there when it is started again.
public enum GenerationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another process works on this run.
    case locked(run: String)
    /// A file of a finished round is gone or altered, so that the conversation cannot be continued as it was.
    case damagedRound(run: String, round: Int, file: String)

    public var description: String {
        switch self {
        case .locked(let run): "another llmbench works on \(run): wait for it, or start a run of another number"
        case .damagedRound(let run, let round, let file):
            "\(run), round \(round): \(file) is missing or damaged: restore it from a copy of generated/, or make a run of another number or study"
        }
    }
}
