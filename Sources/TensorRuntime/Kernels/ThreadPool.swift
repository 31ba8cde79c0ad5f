import Synchronization

/// A fixed set of threads that run the pieces of one job at a time.
///
/// ```swift
/// let pool = ThreadPool(threads: 2)
/// pool.parallel(rows, with: (image, scratch)) { job, row, worker in
///     let (image, scratch) = job
///     scale(image, row, scratch + worker)
/// }
/// ```
///
/// What a body works on is handed to it as a context and not captured: a body without captures needs no memory of its own, and
/// the context lies on the caller's stack, so a job allocates nothing. Swift puts what a body captures into a box on the heap,
/// since it may run on another thread, and so it does with the type parameters of a generic function that was not specialised. The
/// compiler cannot forbid that; a test counts (`SteadyStateTests`).
///
/// Which worker runs an index is left to chance, so a body must make its result depend on the index alone; then the result
/// does not depend on the timing of threads. Reductions therefore write one partial result an index and add them up in order.
///
/// Workers that wait for a job spin for some 0.2 ms before they sleep: the pieces of one training step follow each other
/// closely, and waking a thread takes longer than most of them. A job that is started while another runs (from a body, or from
/// a second thread) runs on its caller alone.
public final class ThreadPool: Sendable {
    /// How many threads work on a job, the caller included.
    public let threadCount: Int
    private let crew: Crew

    /// Starts `threads - 1` threads beside the caller; values below one count as one.
    public init(threads: Int) {
        threadCount = max(1, threads)
        crew = Crew()
        for worker in 1..<max(2, threadCount) where worker < threadCount {
            crew.hire(worker)
        }
    }

    deinit {
        crew.dismiss()
    }

    /// Calls `body(context, index, worker)` for each index in `0..<count` and returns when all calls have returned.
    ///
    /// `worker` lies in `0..<threadCount` and is not shared by two calls that run at the same time: it picks scratch memory.
    /// A `body` that captures nothing allocates nothing.
    public func parallel<Context>(
        _ count: Int, with context: Context,
        _ body: @escaping (_ context: Context, _ index: Int, _ worker: Int) -> Void
    ) {
        run(count, IndexJob(context: context, body: body))
    }

    /// Splits `0..<count` into at most `threadCount` ranges of nearly equal length, each a multiple of `grain` but the last,
    /// and calls `body(context, range)` for each range that is not empty. A `body` that captures nothing allocates nothing.
    public func parallelRanges<Context>(
        _ count: Int, grain: Int = 1, with context: Context,
        _ body: @escaping (_ context: Context, _ range: Range<Int>) -> Void
    ) {
        run(threadCount, RangeJob(context: context, body: body, pieces: threadCount, count: count, grain: grain))
    }

    /// Whether `test(context, index, worker)` holds for each index in `0..<count`; all of them are tested, as by `parallel`.
    public func allSatisfy<Context>(
        _ count: Int, with context: Context,
        _ test: @escaping (_ context: Context, _ index: Int, _ worker: Int) -> Bool
    ) -> Bool {
        let holds = Atomic<Bool>(true)
        withUnsafePointer(to: holds) { run(count, TestJob(context: context, test: test, holds: $0)) }
        return holds.load(ordering: .relaxed)
    }

    /// Calls `body(index, worker)` for each index in `0..<count`, as the form with a context does.
    ///
    /// With several threads, each call allocates a box for what `body` captures: for what is not part of a step.
    public func parallel(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
        withoutActuallyEscaping(body) { run(count, CapturedJob(body: $0)) }
    }

    /// Calls `body(index)` for each index in `0..<count`. With several threads, each call allocates a box for what `body` captures.
    public func parallel(_ count: Int, _ body: (_ index: Int) -> Void) {
        parallel(count) { index, _ in body(index) }
    }

    /// Calls `job.run(index, worker)` for each index in `0..<count` and returns when all calls have returned.
    func run(_ count: Int, _ job: some PoolJob) {
        guard count > 1, threadCount > 1, crew.claim() else {
            for index in 0..<max(count, 0) { job.run(index, 0) }
            return
        }
        run(claimed: count, job)
        crew.release()
    }

    private func run<Job: PoolJob>(claimed count: Int, _ job: Job) {
        withUnsafePointer(to: job) { crew.run(count, $0, Job.self) }
    }

    /// The range of piece `index` when `0..<count` is cut into `pieces` ranges at multiples of `grain`.
    static func range(_ index: Int, of pieces: Int, count: Int, grain: Int) -> Range<Int> {
        let grains = (count + grain - 1) / grain
        let lower = min(count, grains * index / pieces * grain)
        let upper = min(count, grains * (index + 1) / pieces * grain)
        return lower..<upper
    }
}
