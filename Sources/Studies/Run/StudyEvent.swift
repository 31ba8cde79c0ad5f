import ResultStore

/// What happens while a study is run, for the terminal.
public enum StudyEvent: Sendable {
    case began(StudyJob)
    case progress(StudyJob, JobProgress)
    case finished(StudyJob, note: String?, seconds: Double)
    case failed(StudyJob, reason: String)
    /// A job that cannot be done, or not now.
    case left(StudyJob, JobRecord.State, reason: String)
    /// Where the whole study is.
    case tally(StudyTally)
    case note(String)
}

/// Where a study is, as a whole.
public struct StudyTally: Sendable, Hashable {
    public var total: Int
    public var done: Int
    public var failed: Int
    public var skipped: Int
    public var held: Int
    public var running: Int
    public var elapsedSeconds: Double
    /// Expected seconds of the jobs that are still to be done, shared out among those that go on at once.
    public var remainingSeconds: Double
    public var spent: Double
}

/// What a `study run` came to.
public struct StudyOutcome: Sendable {
    public struct Left: Sendable, Hashable {
        public var job: StudyJob
        public var reason: String
    }

    public var store: ResultStore
    public var tally: StudyTally
    /// Also those that failed in an earlier process.
    public var failed: [Left]
    public var held: [Left]
    /// The caller ended it.
    public var isStopped: Bool
    /// The sentence of a failure that every job would meet.
    public var fatal: String?
}
