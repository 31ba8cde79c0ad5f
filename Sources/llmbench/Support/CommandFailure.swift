/// A command that cannot do what was asked, with the one sentence the user reads and the exit status for scripts.
enum CommandFailure: Error, CustomStringConvertible {
    /// The thing asked for was tried and failed: exit 1.
    case failed(String)
    /// The request itself is wrong: exit 2.
    case usage(String)
    /// The harness or its environment is at fault: exit 3.
    case environment(String)

    var description: String {
        switch self {
        case .failed(let sentence), .usage(let sentence), .environment(let sentence): sentence
        }
    }

    var exitStatus: Int32 {
        switch self {
        case .failed: 1
        case .usage: 2
        case .environment: 3
        }
    }
}
