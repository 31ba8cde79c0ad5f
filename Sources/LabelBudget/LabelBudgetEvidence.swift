import Datasets
import Drawing
import Foundation
import Metrics
import ResultStore

/// What a study knows of trained networks and of drawings, dataset by dataset: everything that the report of the label budgets shows.
public struct LabelBudgetEvidence: Sendable {
    /// Image size and steps of the trainings that are compared.
    public struct Setting: Sendable, Hashable {
        public var size: Int
        public var steps: Int

        public init(size: Int, steps: Int) {
            (self.size, self.steps) = (size, steps)
        }
    }

    /// One finished training with its scores.
    public struct Training: Sendable {
        public var record: SweepTrainingRecord
        public var network: SweepNetwork
        public var scores: [SweepScoreRecord]

        public var meanDice: Double { scores.reduce(0) { $0 + $1.dice } / Double(max(scores.count, 1)) }
    }

    /// One dataset.
    public struct Panel: Sendable {
        public var dataset: Dataset
        public var hash: String
        public var trainings: [Training]
        public var drawn: [DrawnLine]
        /// What skills did to drawings.
        public var skills: [GateMeasurement]
        let sources: [any DrawnLineSource]

        public var title: String { dataset.description.title }

        /// Which held-out images are drawn together where an interval is resampled.
        public var units: ResamplingUnits { dataset.resamplingUnits(of: dataset.split.heldOut) }

        /// Networks that were trained, in the order of the enumeration.
        public var networks: [SweepNetwork] {
            SweepNetwork.allCases.filter { network in trainings.contains { $0.network == network } }
        }

        /// Dice of a network by the number of labels.
        public func curve(_ network: SweepNetwork) -> LabelCurve? {
            var scores: [Int: [Int: [String: Double]]] = [:]
            for training in trainings where training.network == network {
                scores[training.record.labels, default: [:]][training.record.seed] = Dictionary(
                    training.scores.map { ($0.sample, $0.dice) }, uniquingKeysWith: { $1 })
            }
            return LabelCurve(scores)
        }

        /// The envelope of all networks; nil for fewer than two.
        public var best: LabelCurve? {
            let curves = networks.compactMap(curve)
            return curves.count > 1 ? LabelCurve(bestOf: curves) : nil
        }

        /// The drawing that stands against the networks: the best model on pictures as they are, without labels, a real one before a recorded
        /// fixture; the best control where no model drew. One that is not finished has some of the images only, and stands for nothing.
        public var reference: DrawnLine? {
            func best(_ lines: [DrawnLine]) -> DrawnLine? { lines.max { $0.meanDice < $1.meanDice } }
            let whole = drawn.filter { $0.isFinished && $0.labels == 0 }
            let models = whole.filter { $0.kind == .model && $0.skill == nil }
            return best(models.filter { !$0.isFixture }) ?? best(models) ?? best(whole.filter { $0.kind == .control })
        }

        /// The mask of a drawn line; nil where there is none.
        public func mask(of line: DrawnLine, sample: String) throws -> Mask? {
            for source in sources {
                if let mask = try source.mask(of: line, sample: sample, in: dataset) { return mask }
            }
            return nil
        }

        public func truth(_ sample: String) throws -> Mask { try Mask(try dataset.truth(sample)) }
    }

    public var study: String
    public var setting: Setting
    public var panels: [Panel]
    /// What is in the store and not in the panels, and why.
    public var absent: [String]

    /// Reads a study.
    ///
    /// - Parameters:
    ///   - setting: That of the training that ended last where nil.
    ///   - sources: What was drawn of a dataset; a line of an earlier source hides one of the same name.
    /// - Throws: `SweepError.noTrainings`, `StoreError`, and what the sources throw.
    public init(
        _ store: ResultStore, workspace: Workspace, study: String, setting: Setting? = nil,
        sources: (Dataset) throws -> [any DrawnLineSource]
    ) throws {
        let finished = try store.sweepTrainings().filter { $0.status == .finished }
        let last = finished.max { ($0.endedAt ?? .distantPast) < ($1.endedAt ?? .distantPast) }
        guard let setting = setting ?? last.map({ Setting(size: $0.size, steps: $0.steps) }) else {
            throw SweepError.noTrainings(study: study)
        }
        (self.study, self.setting, absent, panels) = (study, setting, [], [])
        let wanted = finished.filter { $0.size == setting.size && $0.steps == setting.steps }
        guard !wanted.isEmpty else { throw SweepError.noTrainings(study: study) }
        if wanted.count < finished.count {
            absent.append("\(finished.count - wanted.count) trainings of another image size or number of steps")
        }
        let catalogue = DatasetCatalogue(root: workspace.datasets)
        for (name, records) in Dictionary(grouping: wanted, by: \.dataset).sorted(by: { $0.key < $1.key }) {
            do {
                let dataset = try catalogue.load(name)
                let hash = try dataset.contentHash()
                let trainings = try Self.trainings(records, hash, store, &absent)
                guard !trainings.isEmpty else { continue }
                let sources = try sources(dataset)
                panels.append(
                    Panel(
                        dataset: dataset, hash: hash, trainings: trainings,
                        drawn: try Self.lines(sources, dataset, hash),
                        skills: try sources.flatMap { try $0.skills(of: dataset, hash: hash) }, sources: sources))
            } catch let error as DatasetError {
                absent.append("\(name): \(error)")
            }
        }
    }

    private static func trainings(
        _ records: [SweepTrainingRecord], _ hash: String, _ store: ResultStore, _ absent: inout [String]
    ) throws -> [Training] {
        var trainings: [Training] = []
        for record in records {
            guard record.datasetHash == hash else {
                absent.append(
                    "\(record.dataset), \(record.network), N = \(record.labels), seed \(record.seed): the dataset has changed since"
                )
                continue
            }
            guard let network = SweepNetwork(rawValue: record.network), network.recipe == record.recipe else {
                absent.append(
                    "\(record.dataset), \(record.network), N = \(record.labels), seed \(record.seed): trained by another recipe"
                )
                continue
            }
            let scores = try store.sweepScores(training: record.id ?? -1)
            trainings.append(Training(record: record, network: network, scores: scores))
        }
        return trainings
    }

    private static func lines(
        _ sources: [any DrawnLineSource], _ dataset: Dataset, _ hash: String
    ) throws -> [DrawnLine] {
        var seen: Set<String> = []
        return try sources.flatMap { try $0.lines(of: dataset, hash: hash) }
            .filter { !$0.scores.isEmpty && seen.insert($0.name).inserted }
    }

    /// The mask that a training left of a held-out image; nil where it is gone.
    ///
    /// - Throws: `DatasetError`, `MetricsError` for one of another size than its image.
    public func mask(of training: Training, sample: String, in panel: Panel, workspace: Workspace) throws -> Mask? {
        let file = workspace.sweep(
            study: study, dataset: training.record.dataset, training: SweepStage.folderName(training.record)
        ).appending(path: "masks/\(sample).png")
        guard FileManager.default.fileExists(atPath: file.path(percentEncoded: false)) else { return nil }
        let image = try PNG.read(file).grey()
        let truth = try panel.truth(sample)
        guard image.width == truth.width, image.height == truth.height else { return nil }
        return try Mask(width: image.width, height: image.height, values: image.bytes)
    }
}
