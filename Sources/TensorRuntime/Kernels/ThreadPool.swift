import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A fixed set of threads that run the pieces of one job at a time.
///
/// ```swift
/// let pool = ThreadPool(threads: 2)
/// pool.parallel(rows) { row, worker in scale(row, scratch[worker]) }
/// ```
///
/// Which worker runs an index is left to chance, so a body must make its result depend on the index alone; then the result
/// does not depend on the timing of threads. Reductions therefore write one partial result an index and add them up in order.
///
/// Workers that wait for a job spin for some 0.2 ms before they sleep: the pieces of one training step follow each other
/// closely, and waking a thread takes longer than most of them. A job that is started while another runs (from a body, or from a second thread) runs on its caller alone.
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

    /// Calls `body(index, worker)` for each index in `0..<count` and returns when all calls have returned.
    ///
    /// `worker` lies in `0..<threadCount` and is not shared by two calls that run at the same time: it picks scratch memory.
    public func parallel(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
        guard count > 0 else { return }
        guard count > 1, threadCount > 1, crew.claim() else {
            for index in 0..<count { body(index, 0) }
            return
        }
        withoutActuallyEscaping(body) { crew.run(count, $0) }
        crew.release()
    }

    /// Calls `body(index)` for each index in `0..<count` and returns when all calls have returned.
    public func parallel(_ count: Int, _ body: (_ index: Int) -> Void) {
        parallel(count) { index, _ in body(index) }
    }

    /// Splits `0..<count` into at most `threadCount` ranges of nearly equal length, each a multiple of `grain` but the last,
    /// and calls `body` for each range that is not empty.
    public func parallelRanges(_ count: Int, grain: Int = 1, _ body: (_ range: Range<Int>) -> Void) {
        let pieces = threadCount
        parallel(pieces) { index, _ in
            let range = ThreadPool.range(index, of: pieces, count: count, grain: grain)
            if !range.isEmpty { body(range) }
        }
    }

    /// The range of piece `index` when `0..<count` is cut into `pieces` ranges at multiples of `grain`.
    static func range(_ index: Int, of pieces: Int, count: Int, grain: Int) -> Range<Int> {
        let grains = (count + grain - 1) / grain
        let lower = min(count, grains * index / pieces * grain)
        let upper = min(count, grains * (index + 1) / pieces * grain)
        return lower..<upper
    }
}

/// What the threads of a pool share.
///
/// `gate` holds the number of workers inside the current job (low 16 bits), whether the job still admits workers (bit 16), and
/// the number of the job above. A worker that sleeps through a job is not waited for.
private final class Crew: @unchecked Sendable {
    private static let one: UInt64 = 1
    private static let open: UInt64 = 1 << 16
    private static let jobShift: UInt64 = 17
    private static let activeMask: UInt64 = (1 << 16) - 1
    /// Looks of a worker at the next job before it sleeps, some 0.2 ms.
    private static let spins = 100_000
    /// Looks of the caller at workers that are not done before it lets others have its core, on which one of them may be waiting.
    private static let patience = 4000

    private let gate = Atomic<UInt64>(0)
    private let next = Atomic<Int>(0)
    private let busy = Atomic<Bool>(false)
    private let stopped = Atomic<Bool>(false)
    private let sleepers = Atomic<Int>(0)
    private var threads: [pthread_t] = []
    private var count = 0
    private var body: ((Int, Int) -> Void)?
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func hire(_ worker: Int) {
        let start = Unmanaged.passRetained(WorkerStart(crew: self, worker: worker))
        #if canImport(Glibc)
            var thread = pthread_t()
        #else
            var thread: pthread_t?
        #endif
        guard pthread_create(&thread, nil, workerMain, start.toOpaque()) == 0 else { return start.release() }
        #if canImport(Glibc)
            threads.append(thread)
        #else
            if let thread { threads.append(thread) }
        #endif
    }

    /// Ends the workers and waits for them, some microseconds: nothing of the pool runs on when it is gone.
    func dismiss() {
        stopped.store(true, ordering: .sequentiallyConsistent)
        wakeAll()
        for thread in threads {
            // The last reference to a pool may be dropped by a body that one of its workers runs.
            if pthread_equal(thread, pthread_self()) != 0 {
                pthread_detach(thread)
            } else {
                pthread_join(thread, nil)
            }
        }
        threads = []
    }

    func claim() -> Bool {
        busy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }

    func release() {
        busy.store(false, ordering: .releasing)
    }

    func run(_ count: Int, _ body: @escaping (Int, Int) -> Void) {
        self.count = count
        self.body = body
        next.store(0, ordering: .relaxed)
        let job = (gate.load(ordering: .relaxed) >> Crew.jobShift) + 1
        gate.store(job << Crew.jobShift | Crew.open, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wakeAll() }
        drain(0)
        gate.bitwiseAnd(~Crew.open, ordering: .sequentiallyConsistent)
        var waited = 0
        while gate.load(ordering: .acquiring) & Crew.activeMask != 0 {
            waited += 1
            if waited > Crew.patience { sched_yield() } else { pause() }
        }
        self.body = nil
    }

    /// The life of a worker: wait for a job, help with it, until the pool goes away.
    func work(_ worker: Int) {
        var seen: UInt64 = 0
        while true {
            guard let job = waitForJob(after: seen) else { return }
            seen = job
            guard enter(job) else { continue }
            drain(worker)
            gate.subtract(Crew.one, ordering: .acquiringAndReleasing)
        }
    }

    private func drain(_ worker: Int) {
        guard let body else { return }
        while true {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            body(index, worker)
        }
    }

    private func enter(_ job: UInt64) -> Bool {
        var value = gate.load(ordering: .acquiring)
        while value >> Crew.jobShift == job, value & Crew.open != 0 {
            let outcome = gate.compareExchange(
                expected: value, desired: value + Crew.one, ordering: .acquiringAndReleasing)
            if outcome.exchanged { return true }
            value = outcome.original
        }
        return false
    }

    private func waitForJob(after seen: UInt64) -> UInt64? {
        for _ in 0..<Crew.spins {
            if stopped.load(ordering: .relaxed) { return nil }
            let job = gate.load(ordering: .acquiring) >> Crew.jobShift
            if job != seen { return job }
            pause()
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        sleepers.add(1, ordering: .sequentiallyConsistent)
        defer { sleepers.subtract(1, ordering: .sequentiallyConsistent) }
        while true {
            if stopped.load(ordering: .sequentiallyConsistent) { return nil }
            let job = gate.load(ordering: .sequentiallyConsistent) >> Crew.jobShift
            if job != seen { return job }
            pthread_cond_wait(condition, mutex)
        }
    }

    private func wakeAll() {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    @inline(__always)
    private func pause() {
        // An atomic read that nobody depends on: it keeps the loop from being taken apart and costs a few nanoseconds.
        _ = sleepers.load(ordering: .relaxed)
    }
}

private final class WorkerStart {
    let crew: Crew
    let worker: Int

    init(crew: Crew, worker: Int) {
        self.crew = crew
        self.worker = worker
    }
}

#if canImport(Glibc)
    private func workerMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        startWorker(argument)
        return nil
    }
#else
    private func workerMain(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        startWorker(argument)
        return nil
    }
#endif

private func startWorker(_ argument: UnsafeMutableRawPointer?) {
    guard let argument else { return }
    let start = Unmanaged<WorkerStart>.fromOpaque(argument).takeRetainedValue()
    start.crew.work(start.worker)
}
