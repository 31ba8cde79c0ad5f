import Foundation
import Testing

@testable import Datasets

@Suite struct PreparerTests {
    private func options(
        heldOut: Double = 0.1, seed: UInt64 = 1, groupBy: String? = nil, skipBad: Bool = false, suffix: String = "",
        name: String = "made"
    ) -> DatasetPreparer {
        DatasetPreparer(
            .init(
                name: name, imageKind: "gradients", foreground: "the rectangle", maskSuffix: suffix, heldOut: heldOut,
                seed: seed, groupBy: groupBy, skipBad: skipBad))
    }

    @Test func aFolderOfPairsBecomesADataset() throws {
        let folder = try TemporaryFolder()
        let source = try folder.makeFolder("source")
        let catalogue = DatasetCatalogue(root: folder.url)
        try makePairs((10..<40).map { "s\($0)" }, in: source, maskSuffix: "_mask")
        let result = try options(suffix: "_mask").prepare(source, into: catalogue)
        #expect(result.problems.isEmpty && result.dataset.samples.count == 30)
        #expect(result.dataset.split.heldOut.count == 3)
        #expect(catalogue.names() == ["made"])
        let loaded = try catalogue.load("made")
        #expect(loaded == result.dataset)
        #expect(DatasetChecker.run(loaded).problems.isEmpty)
        #expect(loaded.description.foregroundHint.hasPrefix("small: it covers"))
        #expect(try names(folder.url) == ["made", "source"], "nothing half-made is left")
    }

    @Test func theSeedFixesTheSplit() throws {
        let folder = try TemporaryFolder()
        let source = try folder.makeFolder("source")
        try makePairs((10..<40).map { "s\($0)" }, in: source)
        let catalogue = DatasetCatalogue(root: folder.url)
        let first = try options(seed: 1, name: "a").prepare(source, into: catalogue).dataset.split
        let again = try options(seed: 1, name: "b").prepare(source, into: catalogue).dataset.split
        let other = try options(seed: 2, name: "c").prepare(source, into: catalogue).dataset.split
        #expect(first == again && first.heldOut != other.heldOut)
    }

    @Test func slicesOfASubjectAreInTheOrderOfTheirNumbers() throws {
        let folder = try TemporaryFolder()
        let source = try folder.makeFolder("source")
        try makePairs((0..<24).map { "p\($0 / 12)-z\($0 % 12)" }, in: source)
        let dataset = try options(heldOut: 0.5, groupBy: "^(p[0-9]+)-").prepare(
            source, into: DatasetCatalogue(root: folder.url)
        ).dataset
        #expect(dataset.volumes(of: dataset.samples) == (0..<2).map { volume in (0..<12).map { "p\(volume)-z\($0)" } })
        #expect(dataset.resamplingUnits(of: dataset.samples).text == "2 subjects")
        #expect(dataset.resamplingUnits(of: dataset.split.heldOut).kind == .image, "one subject is held out")
    }

    @Test func aGroupStaysOnOneSide() throws {
        let folder = try TemporaryFolder()
        let source = try folder.makeFolder("source")
        try makePairs((0..<40).map { "p\($0 / 4)-slice\($0 % 4)" }, in: source)
        let catalogue = DatasetCatalogue(root: folder.url)
        let dataset = try options(heldOut: 0.2, groupBy: "^(p[0-9]+)-").prepare(source, into: catalogue).dataset
        let split = dataset.split
        let subjects = try #require(dataset.description.subjects)
        #expect(Set(subjects.keys) == Set(dataset.samples))
        #expect(subjects.allSatisfy { id, subject in id.hasPrefix(subject.name + "-") && subject.slice == nil })
        #expect(try catalogue.load(dataset.name) == dataset, "the subjects are in dataset.json")
        let patients = { (ids: [String]) in Set(ids.compactMap { $0.split(separator: "-").first }) }
        #expect(split.heldOut.count == 8 && patients(split.heldOut).count == 2)
        #expect(patients(split.heldOut).isDisjoint(with: patients(split.training)))
        for (pattern, says) in [
            ("([", "no regular expression"), ("^q", "does not match '^q'"), ("^p", "cannot be split"),
        ] {
            let error = #expect(throws: DatasetError.self) {
                try options(groupBy: pattern, name: "other").prepare(source, into: catalogue)
            }
            #expect(error?.description.contains(says) == true)
        }
    }

    @Test func badFilesAreRefusedUnlessSkipped() throws {
        let folder = try TemporaryFolder()
        let source = try folder.makeFolder("source")
        try makePairs((10..<20).map { "s\($0)" }, in: source)
        try folder.write([1, 2, 3], "source/masks/s12.png")
        let catalogue = DatasetCatalogue(root: folder.url)
        let error = #expect(throws: DatasetError.self) { try options().prepare(source, into: catalogue) }
        #expect(error?.description.contains("--skip-bad") == true)
        #expect(catalogue.names().isEmpty)
        let result = try options(skipBad: true).prepare(source, into: catalogue)
        #expect(result.problems.map(\.file) == ["masks/s12.png"])
        #expect(result.dataset.samples.count == 9 && !result.dataset.samples.contains("s12"))
        #expect(result.dataset.description.provenance.notes.count == 1)
    }

    @Test func picturesOfMixedKindsBecomeOneKindWithoutMetadata() throws {
        let folder = try TemporaryFolder()
        let source = try folder.makeFolder("source")
        try makePairs((10..<14).map { "s\($0)" }, in: source, width: 11, height: 7)
        try folder.write(try Fixtures.bytes("png/grey16.png"), "source/images/s10.png")
        try folder.write(try Fixtures.bytes("png/rgba8.png"), "source/images/s11.png")
        try folder.write(try Fixtures.bytes("png/grey8-bad-text-checksum.png"), "source/images/s12.png")
        let ones = try Image(width: 11, height: 7, channels: 1, fill: 1)
        try PNG.write(ones, to: source.appending(path: "masks/s13.png"))
        let dataset = try options(heldOut: 0.3).prepare(source, into: DatasetCatalogue(root: folder.url)).dataset
        #expect(dataset.description.channels == 3)
        for id in dataset.samples {
            let header = try PNG.header(dataset.imageURL(id))
            #expect(header.bitDepth == 8 && header.colour == .rgb)
            let bytes = try Data(contentsOf: dataset.imageURL(id))
            #expect(bytes.range(of: Data("tEXt".utf8)) == nil)
        }
        #expect(try dataset.truth("s13").bytes.allSatisfy { $0 == 255 })
    }

    @Test func requestsThatCannotBeAreRefusedAndNothingIsWritten() throws {
        let folder = try TemporaryFolder()
        let source = try folder.makeFolder("source")
        let catalogue = DatasetCatalogue(root: folder.url)
        #expect(throws: DatasetError.self, "an empty source") {
            try options(skipBad: true).prepare(source, into: catalogue)
        }
        try makePairs(["a", "b"], in: source)
        for bad in [options(heldOut: 0), options(heldOut: 1), options(name: "../up"), options(name: "")] {
            #expect(throws: DatasetError.self) { try bad.prepare(source, into: catalogue) }
        }
        _ = try options().prepare(source, into: catalogue)
        #expect(throws: DatasetError.occupied(path: folder.file("made").path(percentEncoded: false) + "/")) {
            try options().prepare(source, into: catalogue)
        }
        #expect(try names(folder.url) == ["made", "source"])
    }
}
