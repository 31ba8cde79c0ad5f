/// What a machine can do at best: the two roofs of the roofline model (Williams, Waterman and Patterson 2009, "Roofline: an
/// insightful visual performance model for multicore architectures").
package enum MachineProbe {
    /// Multiplications and additions a second, from sixteen independent chains of fused multiply-adds a thread.
    ///
    /// Cost: `rounds` · 16 of them a thread, no memory traffic.
    package static func operationsPerSecond(pool: ThreadPool, rounds: Int = 1 << 24) -> Double {
        let results = UnsafeMutablePointer<Float>.allocate(capacity: pool.threadCount * lanes)
        defer { results.deallocate() }
        let seconds =
            ContinuousClock().measure {
                pool.parallel(pool.threadCount) { piece in
                    store(chains(rounds, start: Float(piece)), results + piece * lanes)
                }
            } / .seconds(1)
        return Double(pool.threadCount) * Double(rounds) * 16 * 2 * Double(lanes) / seconds
    }

    @inline(never)
    private static func chains(_ rounds: Int, start: Float) -> Vector {
        let (m, a) = (Vector(repeating: 0.999), Vector(repeating: 0.001))
        let first = Vector(repeating: start)
        var (r0, r1, r2, r3) = (first, first + 1, first + 2, first + 3)
        var (r4, r5, r6, r7) = (first + 4, first + 5, first + 6, first + 7)
        var (r8, r9, r10, r11) = (first + 8, first + 9, first + 10, first + 11)
        var (r12, r13, r14, r15) = (first + 12, first + 13, first + 14, first + 15)
        for _ in 0..<rounds {
            r0 = multiplyAdd(a, r0, m)
            r1 = multiplyAdd(a, r1, m)
            r2 = multiplyAdd(a, r2, m)
            r3 = multiplyAdd(a, r3, m)
            r4 = multiplyAdd(a, r4, m)
            r5 = multiplyAdd(a, r5, m)
            r6 = multiplyAdd(a, r6, m)
            r7 = multiplyAdd(a, r7, m)
            r8 = multiplyAdd(a, r8, m)
            r9 = multiplyAdd(a, r9, m)
            r10 = multiplyAdd(a, r10, m)
            r11 = multiplyAdd(a, r11, m)
            r12 = multiplyAdd(a, r12, m)
            r13 = multiplyAdd(a, r13, m)
            r14 = multiplyAdd(a, r14, m)
            r15 = multiplyAdd(a, r15, m)
        }
        let (low, middle) = (r0 + r1 + r2 + r3, r4 + r5 + r6 + r7)
        return low + middle + (r8 + r9 + r10 + r11) + (r12 + r13 + r14 + r15)
    }

    /// Bytes a second that all threads together read, or read and write as a copy, each in `bytes` (a multiple of 256) of its own.
    package static func bytesPerSecond(copies: Bool, bytes: Int, pool: ThreadPool, passes: Int) -> Double {
        let count = bytes / 4
        let memory = (0..<2 * pool.threadCount).map { _ in UnsafeMutablePointer<Float>.allocate(capacity: count) }
        defer { for block in memory { block.deallocate() } }
        for block in memory { block.initialize(repeating: 1, count: count) }
        let results = UnsafeMutablePointer<Float>.allocate(capacity: pool.threadCount * lanes)
        defer { results.deallocate() }
        func pass(_ piece: Int) {
            let (source, target) = (memory[2 * piece], memory[2 * piece + 1])
            if copies {
                for i in stride(from: 0, to: count, by: lanes) { store(load(source + i) * 0.5, target + i) }
                return
            }
            var sums = (Vector(), Vector(), Vector(), Vector())
            for i in stride(from: 0, to: count, by: 4 * lanes) {
                sums.0 += load(source + i)
                sums.1 += load(source + (i + lanes))
                sums.2 += load(source + (i + 2 * lanes))
                sums.3 += load(source + (i + 3 * lanes))
            }
            store(sums.0 + sums.1 + sums.2 + sums.3, results + piece * lanes)
        }
        pool.parallel(pool.threadCount) { piece in pass(piece) }
        let seconds =
            ContinuousClock().measure {
                pool.parallel(pool.threadCount) { piece in
                    for _ in 0..<passes { pass(piece) }
                }
            } / .seconds(1)
        return Double(pool.threadCount) * Double(passes) * Double(bytes) * (copies ? 2 : 1) / seconds
    }
}
