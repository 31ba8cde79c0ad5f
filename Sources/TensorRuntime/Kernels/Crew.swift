import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the threads of a pool share.
///
/// `gate` holds the number of workers inside the current job (low 16 bits), whether the job still admits workers (bit 16), and
/// the number of the job above. A worker that sleeps through a job is not waited for.
final class Crew: @unchecked Sendable {
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
    /// The job and its type; it lies on the stack of the caller, who waits until nobody is inside.
    private var job: UnsafeRawPointer?
    private var type: (any PoolJob.Type)?
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

    func run(_ count: Int, _ job: UnsafeRawPointer, _ type: any PoolJob.Type) {
        (self.count, self.job, self.type) = (count, job, type)
        next.store(0, ordering: .relaxed)
        let number = (gate.load(ordering: .relaxed) >> Crew.jobShift) + 1
        gate.store(number << Crew.jobShift | Crew.open, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wakeAll() }
        drain(0)
        gate.bitwiseAnd(~Crew.open, ordering: .sequentiallyConsistent)
        var waited = 0
        while gate.load(ordering: .acquiring) & Crew.activeMask != 0 {
            waited += 1
            if waited > Crew.patience { sched_yield() } else { pause() }
        }
        (self.job, self.type) = (nil, nil)
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
        guard let job, let type else { return }
        type.drain(job, self, worker)
    }

    /// An index of the job that nobody has taken; nil when all are taken.
    @inline(__always)
    func nextIndex() -> Int? {
        let index = next.add(1, ordering: .relaxed).oldValue
        return index < count ? index : nil
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
