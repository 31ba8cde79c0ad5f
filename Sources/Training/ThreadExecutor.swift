import Dispatch

/// Runs tasks on threads of their own: a training occupies its thread for hours, and the pool of Swift's concurrency has no more
/// threads than the machine has cores.
///
/// ```swift
/// let task = Task(executorPreference: ThreadExecutor.shared) { try train() }
/// ```
public final class ThreadExecutor: TaskExecutor {
    /// The one executor of a process: the system keeps the threads.
    public static let shared = ThreadExecutor()
    private let queue = DispatchQueue(label: "llmbench.computing", attributes: .concurrent)

    private init() {}

    /// Begins a part of a task, up to where it waits, on a thread that nothing else is on.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
