import Datasets
import Metrics
import Polygons
import ResultStore
import Statistics

/// Whether gates deserve trust on a dataset: drawings without a skill against drawings with it, of the same held-out pictures.
public struct GateMeasurement: Sendable, Hashable {
    public var dataset: String
    public var drawer: String
    public var fixture: Bool
    /// The skill of the second set, or the refinement.
    public var skill: String
    /// Labelled training pictures that the second side was made with; 0 for none.
    public var labels = 0
    public var gate: GateScore
    public var pictures: Int
    /// What the interval was resampled by.
    public var resampledBy: ResamplingUnits.Kind
    public var trust: GateTrust

    public init(
        dataset: String, drawer: String, fixture: Bool, skill: String, labels: Int = 0, gate: GateScore, pictures: Int,
        resampledBy: ResamplingUnits.Kind, trust: GateTrust
    ) {
        (self.dataset, self.drawer, self.fixture, self.skill) = (dataset, drawer, fixture, skill)
        (self.labels, self.gate, self.pictures) = (labels, gate, pictures)
        (self.resampledBy, self.trust) = (resampledBy, trust)
    }

    /// For tables, with the labels that it was made with: `static-box (10 labels)`.
    public var title: String { skill + (labels > 0 ? " (\(labels) labels)" : "") }

    /// For tables: `yes`, `no`, or that nobody can tell.
    public var verdict: String {
        switch trust.verdict {
        case .valid: "yes"
        case .notValid: "no"
        case .tooFew: "too few \(resampledBy.rawValue)s to tell (\(trust.units))"
        }
    }

    /// The gates that are measured. The tissue's window is what lies between the 5th and 95th percentile of grey values inside the training
    /// masks.
    ///
    /// - Throws: `DatasetError`, `MetricsError`.
    public static func gates(for dataset: Dataset) throws -> [GateScore] {
        var histogram = [Int](repeating: 0, count: 256)
        for sample in dataset.split.training {
            let (grey, truth) = (try dataset.image(sample).grey().bytes, try Mask(try dataset.truth(sample)).values)
            for index in grey.indices where truth[index] == 1 { histogram[Int(grey[index])] += 1 }
        }
        let total = histogram.reduce(0, +)
        var gates: [GateScore] = [.selfConsistency, .regionDarkness, .boundaryContrast(ring: 3)]
        if total > 0 {
            func percentile(_ part: Double) -> UInt8 {
                var below = 0
                for value in 0..<256 {
                    below += histogram[value]
                    if Double(below) >= part * Double(total) { return UInt8(value) }
                }
                return 255
            }
            gates.append(.tissueWindow(percentile(0.05)...percentile(0.95)))
        }
        return gates
    }

    /// Measures every gate on what the draws of two sets end with.
    ///
    /// - Throws: `DrawingError.tooFewDrawings` for fewer than three pictures that both sets have; `StoreError`, `DatasetError` and others.
    public static func measure(
        plain: DrawingSetRecord, skilled: DrawingSetRecord, in store: ResultStore, dataset: Dataset
    ) throws -> [GateMeasurement] {
        let first = try DrawnMasks.all(of: plain, in: store, dataset: dataset)
        let second = try DrawnMasks.all(of: skilled, in: store, dataset: dataset)
        return try measure(
            dataset, plain, skilled.skill ?? "none", labels: skilled.labels(in: dataset), first
        ) { sample, _, _ in
            guard let drawn = second[sample], let mask = try drawn.outcome else { return nil }
            return (mask, drawn.masks)
        }
    }

    /// Measures every gate on a set before and after a refinement.
    ///
    /// - Throws: as above.
    public static func measure(
        plain: DrawingSetRecord, refinement: StoredRefinement, in store: ResultStore, dataset: Dataset
    ) throws -> [GateMeasurement] {
        let first = try DrawnMasks.all(of: plain, in: store, dataset: dataset)
        let refiner = refinement.fit.refiner
        let labels = Set(refinement.samples).union(refinement.boxSamples).union(plain.boxLabels(in: dataset)).count
        return try measure(dataset, plain, refinement.name, labels: labels, first) { _, drawn, image in
            guard let mask = try drawn.outcome else { return nil }
            return (
                try refiner.refine(mask, on: image), try drawn.masks.map { try refiner.refine($0, on: image) }
            )
        }
    }

    /// Measures every gate on a set whose draws have several drawings, of a conversation or of several looks: the first against the last.
    ///
    /// - Throws: as above.
    public static func measure(
        loop: DrawingSetRecord, in store: ResultStore, dataset: Dataset
    ) throws -> [GateMeasurement] {
        let first = try DrawnMasks.all(of: loop, in: store, dataset: dataset, .first)
        let last = try DrawnMasks.all(of: loop, in: store, dataset: dataset)
        return try measure(
            dataset, loop, loop.skill ?? DrawingSettings.loop, labels: loop.labels(in: dataset), first
        ) { sample, _, _ in
            guard let drawn = last[sample], let mask = try drawn.outcome else { return nil }
            return (mask, drawn.masks)
        }
    }

    private static func measure(
        _ dataset: Dataset, _ set: DrawingSetRecord, _ skill: String, labels: Int, _ plain: [String: DrawnMasks],
        skilled: (String, DrawnMasks, Image) throws -> (mask: Mask, draws: [Mask])?
    ) throws -> [GateMeasurement] {
        let gates = try gates(for: dataset)
        var cases = [[GateTrust.Case]](repeating: [], count: gates.count)
        let units = dataset.resamplingUnits(of: plain.keys.sorted())
        for (sample, drawn) in plain.sorted(by: { $0.key < $1.key }) {
            let image = try dataset.image(sample)
            guard let mask = try drawn.outcome, let other = try skilled(sample, drawn, image) else {
                continue
            }
            let truth = try Mask(try dataset.truth(sample)).values
            let dice = (
                try ConfusionCounts(predicted: mask.values, truth: truth).dice,
                try ConfusionCounts(predicted: other.mask.values, truth: truth).dice
            )
            for (index, gate) in gates.enumerated() {
                cases[index].append(
                    GateTrust.Case(
                        plainScore: try gate.score(of: mask, draws: drawn.masks, on: image),
                        skilledScore: try gate.score(of: other.mask, draws: other.draws, on: image),
                        plainDice: dice.0, skilledDice: dice.1, unit: units.unit(of: sample)))
            }
        }
        let count = cases.first?.count ?? 0
        guard count >= 3 else {
            throw DrawingError.tooFewDrawings(
                what: "a gate", found: count, needed: 3,
                advice: "draw the same held-out pictures with and without a skill")
        }
        return try zip(gates, cases).map { gate, cases in
            GateMeasurement(
                dataset: dataset.name, drawer: set.drawer, fixture: set.fixture, skill: skill, labels: labels,
                gate: gate,
                pictures: count, resampledBy: units.kind, trust: try GateTrust(cases))
        }
    }
}
