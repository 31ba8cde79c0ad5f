import Datasets

/// What a sweep trains: every network on every budget from every seed, for each dataset.
public struct SweepPlan: Sendable, Hashable, Codable {
    public var networks: [SweepNetwork]
    /// Labels N, ascending, each once.
    public var budgets: [Int]
    /// Seeds counted from 0.
    public var seeds: Int
    /// Pixels a side of the square images that networks learn from.
    public var size: Int
    /// Training steps of each network.
    public var steps: Int

    static let sizes = 32...512
    static let mostSteps = 100_000
    static let mostSeeds = 100

    /// - Throws: `SweepError` for a size or a number of steps that does not go, fewer than two seeds, or nothing to train.
    public init(
        networks: [SweepNetwork] = SweepNetwork.allCases, budgets: [Int] = [10, 25, 50, 100], seeds: Int = 2,
        size: Int = 128, steps: Int = 1000
    ) throws(SweepError) {
        guard !networks.isEmpty else { throw .emptyPlan("network") }
        guard !budgets.isEmpty else { throw .emptyPlan("budget of labels") }
        guard Self.sizes.contains(size), size % SweepNetwork.divisor == 0 else { throw .size(size) }
        guard steps % SweepNetwork.looks == 0, (SweepNetwork.looks...Self.mostSteps).contains(steps) else {
            throw .steps(steps)
        }
        guard (2...Self.mostSeeds).contains(seeds) else { throw .seeds(seeds) }
        var seen: Set<SweepNetwork> = []
        self.networks = networks.filter { seen.insert($0).inserted }
        self.budgets = Set(budgets).sorted()
        (self.seeds, self.size, self.steps) = (seeds, size, steps)
    }

    /// One training of the plan.
    public struct Item: Sendable, Hashable {
        public var network: SweepNetwork
        public var labels: Int
        public var seed: Int

        public init(network: SweepNetwork, labels: Int, seed: Int) {
            (self.network, self.labels, self.seed) = (network, labels, seed)
        }
    }

    /// Small budgets first, so that a first answer is there early.
    public var items: [Item] {
        budgets.flatMap { labels in
            (0..<seeds).flatMap { seed in networks.map { Item(network: $0, labels: labels, seed: seed) } }
        }
    }

    /// Every budget can be drawn from the training part.
    ///
    /// - Throws: `SweepError.labels`.
    public func check(_ dataset: Dataset) throws(SweepError) {
        let available = dataset.split.training.count
        for labels in budgets where labels < LabelSubset.fewest || labels > available {
            throw .labels(labels, dataset: dataset.name, available: available)
        }
    }
}
