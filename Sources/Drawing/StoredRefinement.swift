import Datasets
import Files
import Foundation
import Hashing
import Metrics
import Polygons
import ResultStore

/// A refinement fitted on labelled drawings, as it lies in a file: what it was fitted on, and the fit.
public struct StoredRefinement: Sendable, Hashable, Codable {
    /// 2 since fits are on what a draw ends with, and name the labels of a static box. Earlier files are to be fitted again.
    public static let currentSchema = 2
    /// Larger files are no refinements.
    static let maximumBytes = 1 << 20

    public var schema: Int
    public var dataset: String
    public var datasetHash: String
    /// The path of the set whose drawings it was fitted on.
    public var set: String
    /// Training pictures that it was fitted on.
    public var samples: [String]
    /// Training pictures that a static box was learnt from, where its drawings have one; empty for other drawings.
    public var boxSamples: [String]
    public var fit: RefinementFit

    enum CodingKeys: String, CodingKey {
        case schema, dataset
        case datasetHash = "dataset_hash"
        case set, samples
        case boxSamples = "box_samples"
        case fit
    }

    /// Labels that the refined drawings have seen: those of the fit and those of the box, each once.
    public var labels: Int { Swift.Set(samples).union(boxSamples).count }

    /// Names it in the store: how many labels, and a hash of its numbers.
    public var name: String {
        let numbers = fit.genome.values.map { "\($0)" }.joined(separator: " ")
        return "n\(labels)-\(SHA256.hexadecimal(Data("\(set) \(numbers)".utf8)).prefix(8))"
    }

    /// Fits on what the drawings of training pictures that lie in the store end with.
    ///
    /// - Parameters:
    ///   - samples: at most 40; those without a drawing that could be read are left out.
    /// - Throws: `DrawingError.tooFewDrawings` for fewer than two, `PolygonsError`, `StoreError`, `DatasetError`.
    /// - Complexity: (folds + 1) × generations × 10 refinements of every drawing.
    public init(
        fittedOn set: DrawingSetRecord, in store: ResultStore, dataset: Dataset, samples: [String],
        generations: Int = 30, seed: UInt64 = 1
    ) throws {
        let drawn = try DrawnMasks.all(of: set, in: store, dataset: dataset, part: .training)
        var cases: [RefinementFit.Case] = []
        var used: [String] = []
        for sample in samples {
            guard let mask = try drawn[sample]?.outcome else { continue }
            cases.append(
                RefinementFit.Case(
                    image: try dataset.image(sample), drawn: mask, truth: try Mask(try dataset.truth(sample))))
            used.append(sample)
        }
        guard cases.count >= 2 else {
            throw DrawingError.tooFewDrawings(
                what: "a refinement", found: cases.count, needed: 2,
                advice: "give more labels, or another drawer")
        }
        schema = Self.currentSchema
        (self.dataset, datasetHash, self.set) = (dataset.name, set.datasetHash, set.path)
        (self.samples, boxSamples) = (used, set.boxLabels(in: dataset))
        fit = try RefinementFit(cases, folds: min(5, cases.count), generations: generations, seed: seed)
    }

    /// - Throws: `DrawingError.damaged`.
    public init(contentsOf url: URL) throws(DrawingError) {
        let path = url.path(percentEncoded: false)
        guard let data = try? Data(contentsOf: url) else {
            throw .damaged(what: path, reason: "there is no readable file of that name")
        }
        guard data.count <= Self.maximumBytes else { throw .damaged(what: path, reason: "it is larger than 1 MiB") }
        struct Head: Decodable {
            var schema: Int
        }
        if let head = try? JSONDecoder().decode(Head.self, from: data), head.schema != Self.currentSchema {
            throw .damaged(
                what: path,
                reason:
                    "its schema is \(head.schema) and this version reads \(Self.currentSchema): fit it again with `llmbench polygon refine`"
            )
        }
        do {
            self = try JSONDecoder().decode(StoredRefinement.self, from: data)
        } catch let error as PolygonsError {
            throw .damaged(what: path, reason: error.description)
        } catch {
            throw .damaged(what: path, reason: "it is no refinement that `llmbench polygon refine` wrote")
        }
    }

    /// Writes the file as a whole or not at all.
    ///
    /// - Throws: `WriteFailure`.
    public func write(to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(Array(try encoder.encode(self)) + [0x0A], to: url)
    }
}
