import Foundation
import Testing

@testable import Datasets

/// A folder that is removed when the test lets go of it.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(
            path: "llmbench-datasets-\(UUID().uuidString)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func file(_ name: String) -> URL { url.appending(path: name) }

    func makeFolder(_ name: String) throws -> URL {
        let folder = url.appending(path: name, directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: file(name))
    }
}

enum Fixtures {
    static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    static let root = tests.resolvingSymlinksInPath().deletingLastPathComponent()

    static func url(_ path: String) -> URL { tests.appending(path: "Fixtures").appending(path: path) }

    static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url(path))) }

    static func json<Value: Decodable>(_ path: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(contentsOf: url(path)))
    }

    /// The datasets that the repository carries.
    static let embedded = DatasetCatalogue(root: root.appending(path: "datasets", directoryHint: .isDirectory))

    /// The seed of the random tests, printed so that a failure can be repeated.
    static func seed(_ test: String) -> UInt64 {
        let given = ProcessInfo.processInfo.environment["LLMBENCH_TEST_SEED"].flatMap(UInt64.init)
        let seed = given ?? UInt64.random(in: 1...1_000_000)
        print("\(test): LLMBENCH_TEST_SEED=\(seed)")
        return seed
    }
}

/// The names of a folder, sorted.
func names(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)).sorted()
}

/// A folder with `images/` and `masks/`: grey images of a gradient, masks of a rectangle.
func makePairs(_ ids: [String], in folder: URL, maskSuffix: String = "", width: Int = 20, height: Int = 16) throws {
    for name in ["images", "masks"] {
        try FileManager.default.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
    }
    for (index, id) in ids.enumerated() {
        var image = try Image(width: width, height: height, channels: 1)
        var mask = image
        for y in 0..<height {
            for x in 0..<width {
                image[x: x, y: y] = UInt8((x * 7 + y * 3 + index * 11) % 256)
                mask[x: x, y: y] = x > 3 && x < 9 + index % 5 && y > 4 && y < 12 ? 255 : 0
            }
        }
        try PNG.write(image, to: folder.appending(path: "images/\(id).png"))
        try PNG.write(mask, to: folder.appending(path: "masks/\(id)\(maskSuffix).png"))
    }
}

/// Makes a small prepared dataset named `small` in `folder`.
func makeDataset(_ folder: TemporaryFolder, count: Int = 20) throws -> Dataset {
    let source = try folder.makeFolder("source")
    try makePairs((0..<count).map { "s\($0 < 10 ? "0" : "")\($0)" }, in: source)
    let options = DatasetPreparer.Options(name: "small", imageKind: "gradients", foreground: "the rectangle", seed: 4)
    return try DatasetPreparer(options).prepare(source, into: DatasetCatalogue(root: folder.url)).dataset
}
