import Foundation
import Testing

@testable import Datasets

@Suite struct StagingTests {
    @Test func theTrainingPartIsStagedAndNothingElse() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        let staged = try dataset.stageTraining(to: folder.file("data"))
        let expected = dataset.split.training.sorted().map { "\($0).png" }
        #expect(staged.samples == dataset.split.training.sorted())
        #expect(try names(staged.folder) == ["images", "masks"])
        #expect(try names(folder.file("data/images")) == expected)
        #expect(try names(folder.file("data/masks")) == expected)
        let id = staged.samples[0]
        #expect(try PNG.read(folder.file("data/masks/\(id).png")) == dataset.truth(id))
    }

    @Test func damageToAStagedFileDoesNotReachTheDataset() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        let hash = try dataset.contentHash()
        let staged = try dataset.stageTraining(to: folder.file("data"))
        let file = try FileHandle(forWritingTo: folder.file("data/images/\(staged.samples[0]).png"))
        try file.truncate(atOffset: 0)
        try file.close()
        #expect(try dataset.contentHash() == hash)
    }

    @Test func heldOutTruthNeverLeavesTheHost() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        let staged = try dataset.stageHeldOut(to: folder.file("data"))
        #expect(staged.samples == dataset.split.heldOut.sorted())
        for id in staged.samples {
            let mask = try PNG.read(folder.file("data/masks/\(id).png"))
            #expect(mask == Dataset.placeholder(width: 20, height: 16), "the same disc, whatever the truth")
            #expect(try mask != dataset.truth(id))
            #expect(try PNG.read(folder.file("data/images/\(id).png")) == dataset.image(id))
        }
        let disc = Dataset.placeholder(width: 20, height: 16)
        #expect(disc[x: 10, y: 8] == 255 && disc[x: 0, y: 0] == 0)
    }

    @Test func aSubsetIsFixedByItsSeedAndHasForeground() throws {
        let folder = try TemporaryFolder()
        let dataset = try Fixtures.embedded.load("colin27-cerebellum")
        let first = try dataset.stageSubset(count: 24, seed: 1, to: folder.file("a"))
        let again = try dataset.stageSubset(count: 24, seed: 1, to: folder.file("b"))
        let other = try dataset.stageSubset(count: 24, seed: 2, to: folder.file("c"))
        #expect(first.samples.count == 24 && first.samples == again.samples && first.samples != other.samples)
        #expect(Set(first.samples).isSubset(of: dataset.split.training))
        for id in first.samples { #expect(try dataset.truth(id).bytes.contains(255)) }
        #expect(try names(folder.file("a/images")).count == 24)
    }

    @Test func aSubsetLargerThanTheTrainingPartIsAllOfIt() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        #expect(try dataset.stageSubset(count: 500, seed: 1, to: folder.file("a")).samples.count == 18)
        #expect(try dataset.stageSubset(count: -1, seed: 1, to: folder.file("b")).samples.isEmpty)
    }

    @Test func anEarlierStagingIsReplacedAndForeignFilesAreNot() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        _ = try dataset.stageTraining(to: folder.file("data"))
        _ = try dataset.stageHeldOut(to: folder.file("data"))
        #expect(try names(folder.file("data/images")).count == 2)
        try folder.write([1], "data/precious.txt")
        #expect(throws: DatasetError.occupied(path: folder.file("data").path(percentEncoded: false))) {
            try dataset.stageTraining(to: folder.file("data"))
        }
        #expect(FileManager.default.fileExists(atPath: folder.file("data/precious.txt").path(percentEncoded: false)))
    }

    @Test func aMissingOrLinkedFileLeavesNoHalfStaging() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        let id = try #require(dataset.split.training.last)
        try FileManager.default.removeItem(at: dataset.imageURL(id))
        let missing = #expect(throws: DatasetError.self) { try dataset.stageTraining(to: folder.file("data")) }
        #expect(missing?.description.contains("No such file") == true)
        try FileManager.default.createSymbolicLink(
            at: dataset.imageURL(id), withDestinationURL: URL(filePath: "/etc/passwd"))
        #expect(throws: DatasetError.self) { try dataset.stageTraining(to: folder.file("data")) }
        #expect(try names(folder.url) == ["small", "source"])
    }
}
