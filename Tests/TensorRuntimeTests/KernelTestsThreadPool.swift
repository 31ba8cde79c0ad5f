import Foundation
import Synchronization
import Testing

@testable import TensorRuntime

@Suite("Thread pool")
struct KernelTestsThreadPool {
    @Test("Each index runs once, whatever the number of threads", arguments: [1, 2, 3, 7])
    func runsEachIndexOnce(threads: Int) {
        let pool = ThreadPool(threads: threads)
        for count in [0, 1, 2, 5, 1000] {
            let sum = Atomic<Int>(0)
            let calls = Atomic<Int>(0)
            pool.parallel(count) { index, worker in
                sum.add(index, ordering: .relaxed)
                calls.add(1, ordering: .relaxed)
                #expect((0..<threads).contains(worker))
            }
            #expect(calls.load(ordering: .relaxed) == count)
            #expect(sum.load(ordering: .relaxed) == count * (count - 1) / 2)
        }
    }

    @Test("A job inside of a job runs on its caller")
    func nests() {
        let pool = ThreadPool(threads: 2)
        let calls = Atomic<Int>(0)
        pool.parallel(8) { _ in
            pool.parallel(8) { _ in calls.add(1, ordering: .relaxed) }
        }
        #expect(calls.load(ordering: .relaxed) == 64)
    }

    @Test("Thousands of short jobs from several threads neither hang nor lose an index")
    func survivesManyJobs() async {
        let pool = ThreadPool(threads: 3)
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let calls = Atomic<Int>(0)
                    for _ in 0..<2000 { pool.parallel(3) { _ in calls.add(1, ordering: .relaxed) } }
                    return calls.load(ordering: .relaxed)
                }
            }
            for await calls in group { #expect(calls == 6000) }
        }
    }

    #if os(Linux)
        @Test("A pool that is gone has left no thread")
        func endsItsThreads() async {
            // A process of its own, since other tests have pools, too.
            await #expect(processExitsWith: .success) {
                func count() throws -> Int {
                    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
                }
                let before = try count()
                for round in 0..<20 {
                    let pool = ThreadPool(threads: 9)
                    if round % 2 == 0 { pool.parallel(100) { _ in } }
                }
                // The system may have started threads of its own meanwhile.
                guard try count() < before + 8 else { exit(EXIT_FAILURE) }
            }
        }
    #endif

    @Test("Ranges cover everything once at multiples of the grain")
    func cutsRanges() {
        for count in [0, 1, 15, 16, 17, 1000] {
            let ranges = (0..<3).map { ThreadPool.range($0, of: 3, count: count, grain: 16) }
            #expect(ranges.flatMap(Array.init) == Array(0..<count))
            #expect(ranges.allSatisfy { $0.lowerBound % 16 == 0 || $0.isEmpty })
        }
    }
}
