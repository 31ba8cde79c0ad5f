import Datasets
import Foundation
import ResultStore
import TensorRuntime
import Testing
import Training

@testable import Reporting

@Suite("Held-out images of all models side by side")
struct ImagePanelsTests {
    @Test func `worst, median and best are by mean Dice over the models, and masks are on the grid of the image`()
        throws
    {
        let study = try PictureStudy()
        defer { study.remove() }
        let panels = try ImagePanels(evidence: study.evidence(), workspace: study.workspace).figures()
        #expect(panels.figures.map(\.name) == ["held-out-images-discs"] && panels.absent.isEmpty, "\(panels.absent)")
        let folder = study.workspace.root.appending(path: "figures")
        for file in try panels.figures[0].write(to: folder) { #expect(try Data(contentsOf: file).count > 1000) }
        let chosen = try ImagePanels(evidence: study.evidence(), workspace: study.workspace)
            .figures(samples: [study.heldOut[1]])
        #expect(chosen.figures.count == 1 && chosen.figures[0].size.height < panels.figures[0].size.height)
    }

    @Test func `a baseline comes before the models, named in grey, with its Dice`() throws {
        let study = try PictureStudy()
        defer { study.remove() }
        try study.addBaseline()
        let panels = try ImagePanels(evidence: study.evidence(), workspace: study.workspace).figures()
        #expect(panels.absent.isEmpty && panels.figures.count == 1, "\(panels.absent)")
        let labels = try DrawnFigure(panels.figures[0]).marks.map(\.label)
        #expect(labels.count == 9)
        for row in stride(from: 0, to: 9, by: 3) {
            #expect(labels[row].hasPrefix("nnU-Net, 2 × 3 iterations, ") && labels[row].hasSuffix(": Dice 0.900"))
            #expect(labels[row + 1].hasPrefix("m"))
        }
    }

    @Test func `masks of a baseline that are links, too large or of another size are not read`() throws {
        let study = try PictureStudy()
        defer { study.remove() }
        let files = FileManager.default
        func absent() throws -> String {
            let panels = try ImagePanels(evidence: study.evidence(), workspace: study.workspace).figures()
            #expect(panels.figures.count == 1 && panels.absent.count == 1)
            let marks = try DrawnFigure(panels.figures[0]).marks
            #expect(
                marks.count == 6 && marks.allSatisfy { $0.label.hasPrefix("m") }, "the models are shown all the same")
            return panels.absent.first ?? ""
        }
        let folder = try study.addBaseline()
        let masks = folder.appending(path: "predictions")
        let all = try files.contentsOfDirectory(atPath: masks.path).map { masks.appending(path: $0) }
        let kept = study.workspace.root.appending(path: "kept")
        try files.moveItem(at: masks, to: kept)
        try files.createSymbolicLink(at: masks, withDestinationURL: kept)
        #expect(try absent().contains("links are not followed"))
        try files.removeItem(at: masks)
        try files.moveItem(at: kept, to: masks)
        for mask in all { try Data(count: 1 << 20).write(to: mask) }
        #expect(try absent().contains("is larger than the"))
        for mask in all { try PNG.write(try Image(width: 4, height: 4, channels: 1), to: mask) }
        #expect(try absent().contains("4×4 pixels, the image 48×48"))
        for mask in all { try files.removeItem(at: mask) }
        #expect(try absent().hasPrefix("nnU-Net, 2 × 3 iterations: its predictions cannot be shown ("))
        try study.addBaseline(hash: "another", iterations: 4)
        let panels = try ImagePanels(evidence: study.evidence(), workspace: study.workspace).figures()
        #expect(panels.absent.contains { $0.hasPrefix("nnU-Net, 2 × 4 iterations: the dataset discs has changed") })
    }

    @Test func `an image that nobody holds out is named`() throws {
        let study = try PictureStudy()
        defer { study.remove() }
        #expect(throws: ReportError.unknownSample(name: "nothing", study: "p")) {
            try ImagePanels(evidence: study.evidence(), workspace: study.workspace).figures(samples: ["nothing"])
        }
        #expect(ReportError.unknownSample(name: "nothing", study: "p").description.contains("'nothing'"))
    }

    @Test func `what cannot be shown is said, and the rest is shown`() throws {
        let study = try PictureStudy()
        defer { study.remove() }
        try FileManager.default.removeItem(at: study.predictions("m0"))
        var panels = try ImagePanels(evidence: study.evidence(), workspace: study.workspace).figures()
        #expect(panels.figures.count == 1)
        #expect(panels.absent.count == 1 && panels.absent[0].hasPrefix("m0: its predictions are not in generated/"))
        var evidence = try study.evidence()
        for run in evidence.runs.indices {
            for training in evidence.runs[run].trainings.indices {
                evidence.runs[run].trainings[training].record.datasetHash = "another"
            }
        }
        panels = try ImagePanels(evidence: evidence, workspace: study.workspace).figures()
        #expect(panels.figures.isEmpty && panels.absent.allSatisfy { $0.contains("has changed") })
        try FileManager.default.removeItem(at: study.workspace.datasets)
        panels = try ImagePanels(evidence: study.evidence(), workspace: study.workspace).figures()
        #expect(panels.figures.isEmpty && panels.absent.count == 1)
    }
}

/// Two models on a real dataset of discs, with the predictions that trainings leave, at half the size of the images.
private struct PictureStudy {
    let workspace: Workspace
    let store: ResultStore
    let heldOut: [String]

    init() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "llmbench-pictures-\(UUID().uuidString)")
        workspace = Workspace(root: root)
        let dataset = try Self.makeDataset(workspace)
        let hash = try dataset.contentHash()
        heldOut = dataset.split.heldOut
        store = try ResultStore(path: workspace.database(study: "p"))
        for model in ["m0", "m1"] { try add(model, hash) }
    }

    func remove() { try? FileManager.default.removeItem(at: workspace.root) }
    func evidence() throws -> StudyEvidence { try StudyEvidence(store: store, study: "p") }
    func predictions(_ model: String) -> URL {
        workspace.directory(of: key(model)).training(engine: "swift", seed: 0).appending(
            path: "predictions.safetensors")
    }

    /// A baseline that marks a square on every image; returns its folder.
    @discardableResult
    func addBaseline(hash: String? = nil, iterations: Int = 3) throws -> URL {
        let now = try DatasetCatalogue(root: workspace.datasets).load("discs").contentHash()
        var record = try store.beginBaseline(
            BaselineRecord(
                engine: .nnunetv2, dataset: "discs", budget: "2x\(iterations)", seed: 0, datasetHash: hash ?? now,
                epochs: 2, iterations: iterations))
        record.status = .evaluated
        try store.storeBaselineHeldOut(
            heldOut.map { BaselineHeldOutRecord(baselineId: record.id ?? -1, sample: $0, dice: 0.9) }, of: record)
        let folder = workspace.baseline(
            study: "p", dataset: "discs", engine: "nnunetv2", budget: record.budget, seed: 0)
        try FileManager.default.createDirectory(
            at: folder.appending(path: "predictions"), withIntermediateDirectories: true)
        for index in heldOut.indices {
            let bytes = (0..<(Self.side * Self.side)).map { UInt8($0 % Self.side < 24 ? 1 : 0) }
            try PNG.write(
                try Image(width: Self.side, height: Self.side, channels: 1, bytes: bytes),
                to: folder.appending(path: Workspace.baselinePrediction(index)))
        }
        return folder
    }

    private func key(_ model: String) -> RunKey {
        RunKey(study: "p", dataset: "discs", model: model, target: "pytorch", promptHash: "abcd1234", index: 1)
    }

    private static let side = 48

    private static func makeDataset(_ workspace: Workspace) throws -> Dataset {
        let scans = workspace.root.appending(path: "scans")
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(at: scans.appending(path: part), withIntermediateDirectories: true)
        }
        for index in 0..<12 {
            let mask = (0..<(side * side)).map { pixel -> Bool in
                let (dx, dy) = (Double(pixel % side) - 24, Double(pixel / side) - 24)
                return dx * dx + dy * dy < pow(8 + Double(index % 5), 2)
            }
            let image = mask.indices.map { UInt8((mask[$0] ? 170 : 60) + ($0 * 7 + index * 13) % 40) }
            let name = index < 10 ? "0\(index)" : "\(index)"
            for (part, bytes) in [("images", image), ("masks", mask.map { $0 ? 255 : 0 })] {
                try PNG.write(
                    try Image(width: side, height: side, channels: 1, bytes: bytes),
                    to: scans.appending(path: "\(part)/scan-\(name).png"))
            }
        }
        return try DatasetPreparer(
            .init(name: "discs", imageKind: "made-up scans", foreground: "the disc", heldOut: 0.4)
        ).prepare(scans, into: DatasetCatalogue(root: workspace.datasets)).dataset
    }

    private func add(_ model: String, _ hash: String) throws {
        var record = RunRecord(key: key(model), provider: "replay", fixture: true, datasetHash: hash)
        record.status = .succeeded
        let run = try #require(try store.beginRun(record).id)
        var training = try store.beginTraining(
            TrainingRecord(runId: run, engine: .swift, seed: 0, epochs: 1, datasetHash: hash))
        let id = try #require(training.id)
        try store.storeHeldOut(
            heldOut.enumerated().map {
                HeldOutRecord(trainingId: id, sample: $1, dice: 0.5 + 0.05 * Double($0), modelGridDice: nil)
            }, batches: [], training: id)
        training.status = .evaluated
        try store.updateTraining(training)
        let file = predictions(model)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        let half = Self.side / 2
        let values = heldOut.flatMap { _ in (0..<(half * half)).map { Float($0 % half < half / 2 ? 0.9 : 0.1) } }
        try Predictions(ids: heldOut, probabilities: try Tensor(shape: [heldOut.count, 1, half, half], values: values))
            .write(to: file)
    }
}
