import Testing

@testable import Training

@Suite("The order of batches")
struct BatchOrderTests {
    private func order(_ samples: Int = 10, size: Int = 4, dropLast: Bool = false, shuffle: Bool = true, seed: Int = 7)
        -> BatchOrder
    {
        BatchOrder(samples: samples, batchSize: size, dropLast: dropLast, shuffle: shuffle, seed: seed)
    }

    @Test("holds every sample once an epoch")
    func complete() {
        for epoch in 1...20 {
            #expect(order().batches(epoch: epoch).flatMap { $0 }.sorted() == Array(0..<10))
        }
    }

    @Test("is the same for the same seed and epoch, and another for another seed or epoch")
    func seeded() {
        #expect(order(100).batches(epoch: 3) == order(100).batches(epoch: 3))
        #expect(order(100).batches(epoch: 3) != order(100).batches(epoch: 4))
        #expect(order(100, seed: 1).batches(epoch: 3) != order(100, seed: 2).batches(epoch: 3))
        #expect(order(100, seed: 1).batches(epoch: 2) != order(100, seed: 2).batches(epoch: 1))
    }

    @Test("does not depend on the platform: a fixed permutation")
    func pinned() {
        #expect(order(8, size: 8, seed: 0).batches(epoch: 1) == [[0, 3, 7, 4, 2, 5, 6, 1]])
    }

    @Test("keeps a short last batch unless the pipeline drops it")
    func last() {
        #expect(order().batches(epoch: 1).map(\.count) == [4, 4, 2])
        #expect(order(dropLast: true).batches(epoch: 1).map(\.count) == [4, 4])
        #expect(order(8, dropLast: true).batches(epoch: 1).map(\.count) == [4, 4])
    }

    @Test("is that of the dataset when the pipeline does not shuffle")
    func unshuffled() {
        #expect(order(5, size: 2, shuffle: false).batches(epoch: 9) == [[0, 1], [2, 3], [4]])
    }

    @Test("of no samples is empty")
    func none() {
        #expect(order(0).batches(epoch: 1).isEmpty)
    }

    @Test("puts every sample everywhere equally often")
    func uniform() {
        var counts = [Int](repeating: 0, count: 36)
        for seed in 0..<6000 {
            let first = order(6, size: 6, seed: seed).batches(epoch: 1)[0]
            for (place, sample) in first.enumerated() { counts[place * 6 + sample] += 1 }
        }
        // 1000 expected a cell, standard deviation 29: five of them.
        #expect(counts.allSatisfy { abs($0 - 1000) < 150 })
    }
}
