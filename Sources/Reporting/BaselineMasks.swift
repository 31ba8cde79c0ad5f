import Datasets
import Files
import Foundation
import ResultStore

/// The masks that a baseline left of the held-out images, as its column of a figure.
///
/// They lie in `results/STUDY/baselines/…/predictions/`, written by a process of somebody else's package: no component of their path below
/// `results/STUDY/` is followed as a link, and files larger than a mask of the image can be are refused.
struct BaselineMasks {
    let label: String
    /// By name of the image.
    let dice: [String: Double]
    private let root: URL
    private let folder: String
    private let positions: [String: Int]

    /// More columns than these would leave no room for the models.
    static let most = 2

    /// The first seed of each engine and budget that was evaluated on the dataset as it is now; the others in `absent`.
    static func all(
        _ evidence: StudyEvidence, _ workspace: Workspace, _ dataset: Dataset, _ hash: String, _ absent: inout [String]
    ) -> [BaselineMasks] {
        var seen: Set<String> = []
        var found: [BaselineMasks] = []
        let evaluated = evidence.baselines.filter {
            $0.record.dataset == dataset.name && $0.record.status == .evaluated && !$0.heldOut.isEmpty
        }
        for baseline in evaluated.sorted(by: { $0.record.seed < $1.record.seed })
        where seen.insert(baseline.label).inserted {
            guard baseline.record.datasetHash == hash else {
                absent.append("\(baseline.label): the dataset \(dataset.name) has changed since it was evaluated")
                continue
            }
            found.append(BaselineMasks(baseline, dataset, evidence.study, workspace))
        }
        for left in found.dropFirst(most) { absent.append("\(left.label): there are \(most) baselines before it") }
        return Array(found.prefix(most))
    }

    private init(_ baseline: StudyEvidence.Baseline, _ dataset: Dataset, _ study: String, _ workspace: Workspace) {
        let record = baseline.record
        label = baseline.label
        dice = Dictionary(baseline.heldOut.map { ($0.sample, $0.dice) }, uniquingKeysWith: { $1 })
        root = workspace.results(study: study)
        let whole = workspace.baseline(
            study: study, dataset: record.dataset, engine: record.engine.rawValue, budget: record.budget,
            seed: record.seed)
        folder = String(whole.path(percentEncoded: false).dropFirst(root.path(percentEncoded: false).count))
            .trimmingCharacters(in: ["/"])
        positions = Dictionary(
            uniqueKeysWithValues: dataset.split.heldOut.sorted().enumerated().map { ($1, $0) })
    }

    /// The mask of an image.
    ///
    /// - Throws: `UntrustedFileError`, `PNGError`, `ReportError.drawing` for one of another size.
    func mask(of sample: String, width: Int, height: Int) throws -> ImagePanelsFigure.Mask {
        guard let position = positions[sample] else {
            throw ReportError.drawing(path: sample, reason: "the baseline has no prediction of it")
        }
        let path = "\(folder)/\(Workspace.baselinePrediction(position))"
        // A byte a pixel, a filter byte a row, and what deflate and chunks add.
        let most = width * height * 2 + 65_536
        let limits = PNG.Limits(fileBytes: most, width: width, height: height, pixels: width * height)
        let bytes = try UntrustedFile.read(path, below: root, maximumBytes: most)
        let image = try PNG.decode(bytes, name: path, limits: limits).image
        guard image.width == width, image.height == height, image.channels == 1 else {
            throw ReportError.drawing(
                path: path, reason: "the mask has \(image.width)×\(image.height) pixels, the image \(width)×\(height)")
        }
        return image.bytes.map { $0 != 0 }
    }
}
