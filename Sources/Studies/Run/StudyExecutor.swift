import Generation
import Training

/// How far a job is, for the terminal.
public enum JobProgress: Sendable {
    case conversation(GenerationEvent)
    case training(TrainingProgress)
    /// One line a person should read.
    case note(String)
}

/// What came of a job.
public enum JobOutcome: Sendable, Hashable {
    /// The result is in the store.
    case done
    /// The generated pipeline failed: a result, stored as one.
    case failed(reason: String)
    /// Something of ours failed, for this job; the others go on.
    case broken(reason: String)
    /// The caller ended it; it goes on from its last stored point.
    case stopped
    /// The budget does not hold what comes next; it goes on from its last stored point when a later call finds more.
    case held(reason: String)
    /// Something of ours failed that every job needs: nothing more is begun.
    case fatal(reason: String)
}

/// Where jobs are carried out. `LocalExecutor` is this machine; one for a cluster conforms to the same.
///
/// The scheduler asks `hasRoom` and `admit` before it calls `run`, and asks again whenever `vacancies` yields. Results go to the study's store,
/// where the scheduler finds them: an executor returns no more than how the job ended.
public protocol StudyExecutor: Sendable {
    /// Whether `admit` would probably succeed: asked often, and cheap.
    func hasRoom(for job: StudyJob) -> Bool

    /// Takes a place for a job. `run` follows and gives the place back at its end.
    func admit(_ job: StudyJob) -> Bool

    /// Carries a job out, from where an earlier process left it.
    ///
    /// - Parameter again: forgets an earlier failure of the pipeline and does the job anew.
    func run(_ job: StudyJob, again: Bool, observe: @escaping @Sendable (JobProgress) -> Void) async -> JobOutcome

    /// Yields when a place may have become free.
    var vacancies: AsyncStream<Void> { get }
}
