import Foundation
import Testing

@testable import Datasets

@Suite struct CheckerTests {
    /// A folder with one of everything that can be wrong, and two sound pairs.
    private func makeBadFolder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try makePairs(["good1", "good2", "lonely", "cut", "size", "grey", "linked", "fifo", "huge"], in: folder.url)
        try FileManager.default.removeItem(at: folder.file("masks/lonely.png"))
        try makePairs(["orphan"], in: folder.url)
        try FileManager.default.removeItem(at: folder.file("images/orphan.png"))
        let whole = [UInt8](try Data(contentsOf: folder.file("images/cut.png")))
        try folder.write(Array(whole.prefix(whole.count / 2)), "images/cut.png")
        try PNG.write(try Image(width: 20, height: 15, channels: 1), to: folder.file("masks/size.png"))
        let greys = (0..<320).map { UInt8($0 % 7) }
        try PNG.write(try Image(width: 20, height: 16, channels: 1, bytes: greys), to: folder.file("masks/grey.png"))
        try FileManager.default.removeItem(at: folder.file("images/linked.png"))
        try FileManager.default.createSymbolicLink(
            at: folder.file("images/linked.png"), withDestinationURL: folder.file("images/good1.png"))
        try FileManager.default.removeItem(at: folder.file("masks/fifo.png"))
        #expect(mkfifo(folder.file("masks/fifo.png").path(percentEncoded: false), 0o600) == 0)
        try PNG.write(try Image(width: 17_000, height: 1, channels: 1), to: folder.file("images/huge.png"))
        try folder.write([0xff, 0xd8], "images/photo.jpg")
        try folder.write([1], "images/.DS_Store")
        try PNG.write(try Image(width: 20, height: 16, channels: 1), to: folder.file("images/a\u{7}b.png"))
        return folder
    }

    @Test(.timeLimit(.minutes(10))) func everyProblemIsListedWithItsFile() throws {
        let folder = try makeBadFolder()
        let report = DatasetChecker(folder: folder.url).run()
        #expect(report.pairs.map(\.id) == ["good1", "good2"])
        let found = Dictionary(grouping: report.problems, by: \.kind).mapValues { $0.map(\.file).sorted() }
        #expect(found[.imageWithoutMask] == ["images/lonely.png"])
        #expect(found[.maskWithoutImage] == ["masks/orphan.png"])
        #expect(
            found[.unreadable] == ["images/cut.png", "images/huge.png", "images/linked.png", "masks/fifo.png"])
        #expect(found[.otherSize] == ["masks/size.png"])
        #expect(found[.notBinary] == ["masks/grey.png"])
        #expect(found[.notPNG] == ["images/photo.jpg"])
        #expect(found[.unsafeName] == ["images/a\u{7}b.png"])
        #expect(report.problems.count == 10)
        #expect(report.problems.allSatisfy { !$0.description.contains("\u{7}") })
        #expect(report.problems.contains { $0.description.hasPrefix("images/linked.png: it is not a regular file") })
    }

    @Test func emptyAndMissingFoldersAreProblems() throws {
        let folder = try TemporaryFolder()
        #expect(DatasetChecker(folder: folder.url).run().problems.map(\.kind) == [.missingFolder, .missingFolder])
        _ = try folder.makeFolder("images")
        _ = try folder.makeFolder("masks")
        #expect(DatasetChecker(folder: folder.url).run().problems.map(\.kind) == [.emptyFolder, .emptyFolder])
    }

    @Test func masksMayCarryASuffix() throws {
        let folder = try TemporaryFolder()
        try makePairs(["a", "b"], in: folder.url, maskSuffix: "_mask")
        #expect(DatasetChecker(folder: folder.url, maskSuffix: "_mask").run().problems.isEmpty)
        let without = DatasetChecker(folder: folder.url).run()
        #expect(without.pairs.isEmpty && without.problems.count == 4)
        let other = DatasetChecker(folder: folder.url, maskSuffix: "_seg").run()
        #expect(other.problems.contains { $0.detail.contains("does not end in '_seg.png'") })
    }

    @Test func masksOfZeroAndOneAreBinaryAndColouredOnesAreNot() throws {
        func count(_ bytes: [UInt8], channels: Int = 1) throws -> Int? {
            DatasetChecker.maskValues(
                try Image(width: bytes.count / channels, height: 1, channels: channels, bytes: bytes))
        }
        #expect(try [[0, 1, 1], [0, 255, 0], [0, 0], [255]].map { try count($0) } == [2, 1, 0, 1])
        #expect(try [[0, 1, 255], [0, 128]].map { try count($0) } == [nil, nil])
        #expect(try count([0, 0, 0, 255, 255, 255], channels: 3) == 1)
        #expect(try count([255, 0, 0, 0, 0, 0], channels: 3) == nil)
    }

    @Test func aPreparedDatasetIsHeldAgainstItsJSON() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        #expect(DatasetChecker.run(dataset).problems.isEmpty)
        try FileManager.default.removeItem(at: dataset.imageURL("s01"))
        try FileManager.default.removeItem(at: dataset.maskURL("s01"))
        try makePairs(["extra"], in: dataset.folder)
        try PNG.write(try dataset.image("s02").rgb(), to: dataset.imageURL("s02"))
        try PNG.write(try Image(width: 20, height: 16, channels: 1, fill: 1), to: dataset.maskURL("s03"))
        let problems = DatasetChecker.run(dataset).problems
        #expect(problems.filter { $0.kind == .notBinary }.map(\.file) == ["masks/s03.png"], "1 is no foreground here")
        #expect(problems.filter { $0.kind == .inconsistent }.count == 3)
        #expect(
            Set(problems.map(\.file)) == ["split.json", "images/extra.png", "images/s02.png", "masks/s03.png"])
    }
}
