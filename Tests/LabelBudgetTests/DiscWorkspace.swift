import Datasets
import Foundation
import LabelBudget
import ResultStore

/// A workspace of its own with small datasets of discs. Goes with the value.
final class DiscWorkspace {
    let workspace: Workspace
    let store: ResultStore

    init() throws {
        workspace = Workspace(
            root: FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(
                path: "llmbench-sweep-\(UUID().uuidString)", directoryHint: .isDirectory))
        store = try ResultStore(path: workspace.database(study: "default"))
    }

    deinit { try? FileManager.default.removeItem(at: workspace.root) }

    func stage() -> SweepStage {
        SweepStage(workspace: workspace, store: store, study: "default", threads: 2)
    }

    var sweepFolder: URL { workspace.results(study: "default").appending(path: "sweep") }

    /// Bright discs on a slope with noise, 40 × 36 pixels.
    @discardableResult
    func addDiscs(_ name: String = "discs", training: Int = 12, heldOut: Int = 4, seed: UInt64 = 1) throws -> Dataset {
        let source = workspace.root.appending(path: "source-\(name)-\(seed)")
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(
                at: source.appending(path: part), withIntermediateDirectories: true)
        }
        var state = seed
        func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let ids = (0..<training + heldOut).map { "disc-\($0 + 100)" }
        for id in ids {
            let (cx, cy, radius) = (10 + below(20), 9 + below(18), 5 + below(5))
            var image = try Image(width: 40, height: 36, channels: 1)
            var mask = try Image(width: 40, height: 36, channels: 1)
            for y in 0..<36 {
                for x in 0..<40 {
                    let inside = (x - cx) * (x - cx) + (y - cy) * (y - cy) < radius * radius
                    image[x: x, y: y] = UInt8(40 + x + (inside ? 90 : 0) + below(30))
                    mask[x: x, y: y] = inside ? 255 : 0
                }
            }
            try PNG.write(image, to: source.appending(path: "images/\(id).png"))
            try PNG.write(mask, to: source.appending(path: "masks/\(id).png"))
        }
        let target = workspace.dataset(name)
        try? FileManager.default.removeItem(at: target)
        return try DatasetPreparer(
            .init(
                name: name, imageKind: "discs", foreground: "the disc",
                heldOut: Double(heldOut) / Double(training + heldOut), seed: 1)
        ).prepare(source, into: DatasetCatalogue(root: workspace.datasets)).dataset
    }
}
