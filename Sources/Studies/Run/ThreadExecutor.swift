import Dispatch

/// Runs jobs on threads of their own: a training occupies its thread for hours, and the pool of Swift's concurrency has no more
/// threads than the machine has cores.
final class ThreadExecutor: TaskExecutor {
    static let shared = ThreadExecutor()
    private let queue = DispatchQueue(label: "llmbench.study", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
