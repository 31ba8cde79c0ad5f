import Baselines
import Datasets
import Foundation
import ResultStore

/// A workspace of its own with datasets of bright discs, and the real package. Goes with the value.
final class BaselineWorkspace {
    let root: URL
    let workspace: Workspace
    let store: ResultStore

    static let checkout = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The environment that `scripts/setup` makes; the tests fail without it.
    static func python() throws -> NNUNetPython { try NNUNetPython.locate(root: checkout) }

    init() throws {
        root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(
            path: "llmbench-baseline-\(UUID().uuidString)", directoryHint: .isDirectory)
        workspace = Workspace(root: root)
        try FileManager.default.createDirectory(at: workspace.datasets, withIntermediateDirectories: true)
        store = try ResultStore(path: workspace.database(study: "default"))
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func stage(_ python: NNUNetPython? = nil) async throws -> BaselineStage {
        let installation = try await (python ?? Self.python()).verify()
        return BaselineStage(workspace: workspace, store: store, study: "default", engine: .nnunetv2(installation))
    }

    /// What lies below `results/default/baselines`, by name.
    func leftovers() -> [String] {
        let folder = workspace.results(study: "default").appending(path: "baselines")
        let all = FileManager.default.enumerator(atPath: folder.path(percentEncoded: false))
        return (all?.allObjects as? [String] ?? []).sorted()
    }

    /// Discs on a sloping background, of random place and size; the last held-out image has none. A border of so many pixels is
    /// black; discs that lie in it are cut.
    @discardableResult
    func addDiscs(
        _ name: String = "discs", training: Int = 12, heldOut: Int = 4, size: Int = 64, channels: Int = 1,
        empty: Bool = false, border: Int = 0, seed: UInt64 = 1
    ) throws -> Dataset {
        let folder = workspace.dataset(name)
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: part), withIntermediateDirectories: true)
        }
        var generator = Draws(state: seed)
        let ids = (0..<training + heldOut).map { "disc \($0 + 100)" }
        for (index, id) in ids.enumerated() {
            let radius = empty || index == ids.count - 1 ? 0 : size / 8 + generator.below(size / 8)
            let (cx, cy) = (size / 4 + generator.below(size / 2), size / 4 + generator.below(size / 2))
            var image = try Image(width: size, height: size, channels: channels)
            var mask = try Image(width: size, height: size, channels: 1)
            for y in 0..<size {
                for x in 0..<size {
                    let isBlack = min(x, y, size - 1 - x, size - 1 - y) < border
                    let inside = !isBlack && (x - cx) * (x - cx) + (y - cy) * (y - cy) < radius * radius
                    for channel in 0..<channels {
                        let value = 40 + (x + y) / 2 + 10 * channel + (inside ? 100 : 0) + generator.below(16)
                        image[x: x, y: y, channel: channel] = isBlack ? 0 : UInt8(min(255, value))
                    }
                    mask[x: x, y: y] = inside ? 255 : 0
                }
            }
            try PNG.write(image, to: folder.appending(path: "images/\(id).png"))
            try PNG.write(mask, to: folder.appending(path: "masks/\(id).png"))
        }
        let description = DatasetDescription(
            name: name, title: "Discs", imageKind: "discs", foreground: "the disc", foregroundHint: "one disc",
            channels: channels, maskSuffix: "", samples: ids.count,
            provenance: .init(sources: ["drawn"], licence: "none", notes: []), acquisitions: [:])
        let split = DatasetSplit(
            training: Array(ids.prefix(training)), heldOut: Array(ids.suffix(heldOut)), method: "by number")
        try JSONEncoder().encode(description).write(to: folder.appending(path: "dataset.json"))
        try JSONEncoder().encode(split).write(to: folder.appending(path: "split.json"))
        return try Dataset.load(folder)
    }
}

/// A linear congruential generator (Knuth's constants): the discs need no better one.
private struct Draws {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }
}
