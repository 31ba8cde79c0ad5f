import Synchronization

/// What the threads of a pool run: a value that they read where it lies, on the stack of the thread that started the job.
///
/// The crew knows it by its address and its type alone. A closure, or an existential of more than three words, would be a heap
/// object for each job.
protocol PoolJob {
    func run(_ index: Int, _ worker: Int)
    /// Runs indices of the job at `address` until none is left; one call a worker, so that the job is copied once.
    static func drain(_ address: UnsafeRawPointer, _ crew: Crew, _ worker: Int)
}

extension PoolJob {
    static func drain(_ address: UnsafeRawPointer, _ crew: Crew, _ worker: Int) {
        let job = address.assumingMemoryBound(to: Self.self).pointee
        while let index = crew.nextIndex() { job.run(index, worker) }
    }
}

/// See `ThreadPool.parallel`.
struct IndexJob<Context>: PoolJob {
    let context: Context
    let body: (Context, Int, Int) -> Void

    func run(_ index: Int, _ worker: Int) {
        body(context, index, worker)
    }
}

/// See `ThreadPool.parallelRanges`; an index is the number of a range.
struct RangeJob<Context>: PoolJob {
    let context: Context
    let body: (Context, Range<Int>) -> Void
    let pieces: Int
    let count: Int
    let grain: Int

    func run(_ index: Int, _ worker: Int) {
        let range = ThreadPool.range(index, of: pieces, count: count, grain: grain)
        if !range.isEmpty { body(context, range) }
    }
}

/// See `ThreadPool.allSatisfy`.
struct TestJob<Context>: PoolJob {
    let context: Context
    let test: (Context, Int, Int) -> Bool
    let holds: UnsafePointer<Atomic<Bool>>

    func run(_ index: Int, _ worker: Int) {
        if !test(context, index, worker) { holds.pointee.store(false, ordering: .relaxed) }
    }
}

/// A body with captures.
struct CapturedJob: PoolJob {
    let body: (Int, Int) -> Void

    func run(_ index: Int, _ worker: Int) {
        body(index, worker)
    }
}
