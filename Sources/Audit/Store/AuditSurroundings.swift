import Datasets
import Drawing
import Foundation
import Hashing
import ResultStore

/// What lies beside a store now: data, prompts, prices, the report. A store says what was; this says what is.
public struct AuditSurroundings: Sendable {
    /// A dataset as it is now.
    public struct CurrentDataset: Sendable, Hashable {
        public var contentHash: String
        public var training: [String]
        public var heldOut: [String]
        /// SHA-256 of size and pixels of each image, by sample: the same picture compressed anew has the same.
        public var imageHashes: [String: String]

        public init(contentHash: String, training: [String], heldOut: [String], imageHashes: [String: String]) {
            self.contentHash = contentHash
            self.training = training
            self.heldOut = heldOut
            self.imageHashes = imageHashes
        }

        /// - Throws: `DatasetError`.
        /// - Complexity: reads every file twice and decodes every image.
        public init(reading dataset: Dataset) throws(DatasetError) {
            contentHash = try dataset.contentHash()
            training = dataset.split.training
            heldOut = dataset.split.heldOut
            imageHashes = [:]
            for id in dataset.samples {
                let image = try dataset.image(id)
                var hash = SHA256()
                hash.update(Data("\(image.width) \(image.height) \(image.channels)\n".utf8))
                hash.update(image.bytes)
                imageHashes[id] = hash.hexadecimal()
            }
        }
    }

    /// US dollars for a million tokens.
    public struct Price: Sendable, Hashable {
        public var input: Double
        public var output: Double

        public init(input: Double, output: Double) {
            self.input = input
            self.output = output
        }
    }

    /// What a model's card says that groups of models are made from.
    public struct Card: Sendable, Hashable {
        public var cohort: Int?
        public var reasoning: Bool?
        public var vendor: String?
        public var openWeights: Bool?

        public init(cohort: Int?, reasoning: Bool?, vendor: String?, openWeights: Bool?) {
            self.cohort = cohort
            self.reasoning = reasoning
            self.vendor = vendor
            self.openWeights = openWeights
        }
    }

    /// By name; a dataset that cannot be read is missing here and named in `unreadableDatasets`.
    public var datasets: [String: CurrentDataset] = [:]
    /// Why a dataset could not be read, by name.
    public var unreadableDatasets: [String: String] = [:]
    /// SHA-256 of the prompt templates, by file name; nil where the folder was not looked at.
    public var templates: [String: String]?
    /// Prices by the card's id, nil for a card without one; nil as a whole where the cards were not looked at.
    public var prices: [String: Price?]?
    /// Cards by id; nil as a whole where they were not looked at.
    public var cards: [String: Card]?
    /// The folder that the runs' folders lie in; nil where it was not looked at.
    public var generated: URL?
    /// The folder of the study's report; nil where it was not looked for.
    public var reportFolder: URL?
    /// Hash of the results as they are now, for `figure-age`.
    public var dataHash: String?

    /// What does not hold together between drawings and their replies; nil where nobody looked.
    public var drawings: [DrawingInspection.Problem]?
    /// How many sets of drawings the study has.
    public var drawingSets = 0

    public init() {}

    /// Reads what a workspace holds for the datasets of a study. Cards and prices are the caller's to add: they are read elsewhere.
    ///
    /// - Throws: `StoreError`.
    public init(workspace: Workspace, store: ResultStore, study: String) throws {
        var reader = AuditReader(study: study)
        try self.init(workspace: workspace, store: store, reading: &reader)
    }

    /// - Parameters:
    ///   - reader: Knows which datasets have not changed since an earlier audit.
    ///   - looksAtReport: Whether the report's files are held against the results; they are not while they are being written.
    public init(
        workspace: Workspace, store: ResultStore, reading reader: inout AuditReader, looksAtReport: Bool = true
    ) throws {
        let catalogue = DatasetCatalogue(root: workspace.datasets)
        for name in try store.datasets(study: reader.study) {
            do {
                datasets[name] = try reader.dataset(catalogue.load(name))
            } catch {
                unreadableDatasets[name] = error.description
            }
        }
        drawingSets = try store.drawingSets().count { $0.study == reader.study }
        templates = Self.templates(in: workspace.prompts)
        generated = workspace.generated
        guard looksAtReport else { return }
        reportFolder = workspace.results(study: reader.study).appending(path: "report", directoryHint: .isDirectory)
        dataHash = try store.resultHash()
    }

    private static func templates(in folder: URL) -> [String: String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))) ?? []
        var hashes: [String: String] = [:]
        for name in names where name.hasSuffix(".md") {
            guard let data = try? Data(contentsOf: folder.appending(path: name)) else { continue }
            hashes[name] = SHA256.hexadecimal(data)
        }
        return hashes
    }
}

extension ResultStore {
    /// SHA-256 of every result in the store: two stores have the same when they would give the same report.
    ///
    /// - Throws: `StoreError`.
    /// - Complexity: reads every row once.
    public func resultHash() throws -> String {
        var hash = SHA256()
        try forEachResultByte { hash.update($0) }
        return hash.hexadecimal()
    }
}
