import Datasets
import Foundation
import ResultStore
import Sandbox
import Testing

@testable import Capture

/// A workspace with a small dataset of bright discs, and the sandbox that pipelines run in. Fails, and does not skip, where
/// bubblewrap or Python are missing: `scripts/test` installs them.
final class CaptureFixture {
    let folder: URL
    let python: PythonEnvironment
    let runner: BubblewrapSandbox
    let helper: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "capture-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        python = try PythonEnvironment.locate(requirements: Self.package.appending(path: "requirements.txt"))
        runner = try BubblewrapSandbox(python: python)
        helper = try #require(HelperFiles.url)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let fixtures = package.appending(path: "Tests/Fixtures", directoryHint: .isDirectory)

    static func pipeline(_ name: String) -> URL {
        fixtures.appending(path: "pipelines/\(name)", directoryHint: .isDirectory)
    }

    /// A run whose `final/` holds the files of a fixture, changed by `edit`.
    func run(_ pipeline: String, edit: (String, String) -> String = { $1 }) throws -> RunDirectory {
        let run = RunDirectory(url: folder.appending(path: "run-\(pipeline)", directoryHint: .isDirectory))
        try FileManager.default.createDirectory(at: run.final, withIntermediateDirectories: true)
        for file in ["dataset.py", "model.py", "train.py", "main.py"] {
            let text = try String(contentsOf: Self.pipeline(pipeline).appending(path: file), encoding: .utf8)
            try edit(file, text).write(to: run.final.appending(path: file), atomically: true, encoding: .utf8)
        }
        return run
    }

    func stage() throws -> CaptureStage {
        try CaptureStage(
            runner: runner, interpreter: runner.interpreter, helper: helper, cache: folder.appending(path: "cache"),
            limits: SandboxLimits(wallSeconds: 240, cpuSeconds: 600))
    }

    /// 40 training and 10 held-out images of 64 × 56 pixels.
    func dataset() throws -> Dataset {
        let root = folder.appending(path: "discs", directoryHint: .isDirectory)
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(
                at: root.appending(path: part), withIntermediateDirectories: true)
        }
        let ids = (0..<50).map { "disc-\($0 + 100)" }
        for (index, id) in ids.enumerated() {
            let (image, mask) = try Self.disc(index)
            try PNG.write(image, to: root.appending(path: "images/\(id).png"))
            try PNG.write(mask, to: root.appending(path: "masks/\(id).png"))
        }
        let description = DatasetDescription(
            name: "discs", title: "Discs", imageKind: "discs", foreground: "the disc", foregroundHint: "one disc",
            channels: 1, maskSuffix: "", samples: ids.count,
            provenance: .init(sources: ["drawn"], licence: "none", notes: []), acquisitions: [:])
        let split = DatasetSplit(training: Array(ids.prefix(40)), heldOut: Array(ids.suffix(10)), method: "by number")
        try JSONEncoder().encode(description).write(to: root.appending(path: "dataset.json"))
        try JSONEncoder().encode(split).write(to: root.appending(path: "split.json"))
        return try Dataset.load(root)
    }

    private static func disc(_ index: Int) throws -> (Image, Image) {
        let (width, height) = (64, 56)
        let (cx, cy) = (22 + index * 7 % 20, 20 + index * 5 % 18)
        let radius = 7 + index % 6
        var image = try Image(width: width, height: height, channels: 1)
        var mask = try Image(width: width, height: height, channels: 1)
        for y in 0..<height {
            for x in 0..<width {
                let inside = (x - cx) * (x - cx) + (y - cy) * (y - cy) <= radius * radius
                let noise = (x &* 31 &+ y &* 17 &+ index &* 13) % 40
                image[x: x, y: y] = UInt8((inside ? 150 : 60) + noise)
                mask[x: x, y: y] = inside ? 255 : 0
            }
        }
        return (image, mask)
    }
}
