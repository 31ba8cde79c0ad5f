import Capture
import Datasets
import Diagnosis
import Foundation
import Metrics
import ResultStore
import Sandbox
import TensorRuntime
import Testing

@testable import Training

/// A workspace with a dataset of bright discs, a study with one run, and the sandbox that pipelines run in.
final class DiscWorkspace: Sendable {
    let folder: TemporaryFolder
    let workspace: Workspace
    let store: ResultStore
    let dataset: Dataset
    let run: RunRecord
    static let (width, height) = (56, 48)

    static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures", directoryHint: .isDirectory)

    /// What the pairs of image and mask are like.
    enum Style: String, Sendable {
        case grey, colour
        /// In colour, and masks are called `NAME_mask.png`.
        case suffixed
    }

    init(_ style: Style = .grey, target: PipelineTarget = .pytorch) throws {
        folder = try TemporaryFolder()
        workspace = Workspace(root: folder.url)
        dataset = try Self.makeDataset(style, in: workspace.dataset("discs"))
        store = try ResultStore(path: workspace.database(study: "default"))
        let key = RunKey(
            study: "default", dataset: "discs", model: "fixture-disc", target: target.rawValue, promptHash: "00000000",
            index: 1)
        run = try store.beginRun(
            RunRecord(
                key: key, provider: "replay", fixture: true, datasetHash: dataset.contentHash(), status: .succeeded))
    }

    var directory: RunDirectory { workspace.directory(of: run.key) }

    /// Without Python: for captures that are there already.
    var stage: TrainingStage { TrainingStage(workspace: workspace, store: store, helper: nil, threads: 1) }

    /// With the real sandbox, the framework of the run's target, and helper. Fails where they are missing: `scripts/test` installs them.
    func stageWithPython() throws -> TrainingStage {
        let root = Self.fixtures.deletingLastPathComponent().deletingLastPathComponent()
        let stack = PipelineTarget(rawValue: run.target)?.pythonStack ?? .pytorch
        let sandbox = try BubblewrapSandbox(python: try PythonEnvironment.locate(stack, root: root))
        let helper = HelperProgram(
            runner: sandbox, interpreter: sandbox.interpreter, folder: try #require(HelperFiles.url), stack: stack)
        return TrainingStage(workspace: workspace, store: store, helper: helper, threads: 1)
    }

    /// Puts the files of a fixture pipeline, changed by `edit`, where the files that ran belong.
    func install(_ pipeline: String, edit: (String, String) -> String = { $1 }) throws {
        let source = Self.fixtures.appending(path: "pipelines/\(pipeline)")
        try FileManager.default.createDirectory(at: directory.final, withIntermediateDirectories: true)
        for file in ["dataset.py", "model.py", "train.py", "main.py"] {
            let text = try String(contentsOf: source.appending(path: file), encoding: .utf8)
            try edit(file, text).write(to: directory.final.appending(path: file), atomically: true, encoding: .utf8)
        }
    }

    /// A capture of 16×16 pixels that was made without Python, recorded in the store.
    ///
    /// - Parameter move: what the pipeline does to its images before it resizes them.
    func writeSyntheticCapture(
        pipeline: [String: any Sendable] = [:], move: (GeometryCheck.Plane) -> GeometryCheck.Plane = { $0 }
    ) throws {
        var capture = SyntheticCapture(in: directory.capture)
        capture.pipeline = pipeline
        let training = dataset.split.training
        capture.parts = [
            "train": try samples(Array(training.prefix(24)), move),
            "validation": try samples(Array(training[24..<27]), move),
            "test": try samples(Array(training[27...]), move),
            "heldout": try samples(dataset.split.heldOut, move, masks: false),
        ]
        try capture.write()
        _ = try store.storeCapture(
            CaptureRecord(
                runId: try run.storedID, datasetHash: dataset.contentHash(), epochs: nil, seed: 0, status: .captured))
    }

    private func samples(
        _ ids: [String], _ move: (GeometryCheck.Plane) -> GeometryCheck.Plane, masks: Bool = true
    ) throws -> SampleTensors {
        let size = SyntheticCapture.size
        func resized(_ image: Image) throws -> [Float] {
            let plane = move(
                GeometryCheck.Plane(
                    height: image.height, width: image.width, values: image.bytes.map { Float($0) / 255 }))
            return try Resize.bilinear(
                plane.values, width: plane.width, height: plane.height, toWidth: size, toHeight: size)
        }
        let shape = [ids.count, 1, size, size]
        let images = try Tensor(shape: shape, values: ids.flatMap { try resized(dataset.image($0)) })
        let truth = try Tensor(
            shape: shape, values: ids.flatMap { try resized(dataset.truth($0)).map { $0 > 0.5 ? 1 : 0 } })
        return try SampleTensors(ids: ids, images: images, masks: masks ? truth : nil)
    }

    /// 30 training and 6 held-out images; every seventh has no disc.
    private static func makeDataset(_ style: Style, in root: URL) throws -> Dataset {
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(at: root.appending(path: part), withIntermediateDirectories: true)
        }
        let ids = (0..<36).map { "disc-\($0 + 100)" }
        let suffix = style == .suffixed ? "_mask" : ""
        var generator = SplitMix64(seed: 11)
        for (index, id) in ids.enumerated() {
            let (cx, cy) = (12 + generator.next(upTo: width - 24), 12 + generator.next(upTo: height - 24))
            let radius = index % 7 == 6 ? 0 : 6 + generator.next(upTo: 5)
            var image = try Image(width: width, height: height, channels: style == .grey ? 1 : 3)
            var mask = try Image(width: width, height: height, channels: 1)
            for y in 0..<height {
                for x in 0..<width {
                    let inside = (x - cx) * (x - cx) + (y - cy) * (y - cy) < radius * radius
                    // A background that tells left from right and top from bottom.
                    let slope = 50 + x + y / 2 + (x > 40 && y < 14 ? 60 : 0)
                    let light = UInt8(min(255, slope + (inside ? 90 : 0) + generator.next(upTo: 20)))
                    image[x: x, y: y] = light
                    if style != .grey {
                        image[x: x, y: y, channel: 1] = light / 2
                        image[x: x, y: y, channel: 2] = 255 - light
                    }
                    mask[x: x, y: y] = inside ? 255 : 0
                }
            }
            try PNG.write(image, to: root.appending(path: "images/\(id).png"))
            try PNG.write(mask, to: root.appending(path: "masks/\(id)\(suffix).png"))
        }
        let description = DatasetDescription(
            name: "discs", title: "Discs", imageKind: "discs", foreground: "the disc", foregroundHint: "one disc",
            channels: style == .grey ? 1 : 3, maskSuffix: suffix, samples: ids.count,
            provenance: .init(sources: ["drawn"], licence: "none", notes: []), acquisitions: [:])
        let split = DatasetSplit(training: Array(ids.prefix(30)), heldOut: Array(ids.suffix(6)), method: "by number")
        try JSONEncoder().encode(description).write(to: root.appending(path: "dataset.json"))
        try JSONEncoder().encode(split).write(to: root.appending(path: "split.json"))
        return try Dataset.load(root)
    }
}
