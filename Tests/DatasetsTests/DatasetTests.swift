import Foundation
import Testing

@testable import Datasets

@Suite struct DatasetTests {
    @Test func aDatasetReadsItsPairs() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        #expect(dataset.samples.count == 20 && dataset.split.heldOut.count == 2)
        let id = dataset.split.heldOut[0]
        #expect(dataset.imageURL(id).lastPathComponent == "\(id).png")
        #expect(try dataset.image(id).channels == 1)
        #expect(Set(try dataset.truth(id).bytes) == [0, 255])
        #expect(throws: DatasetError.unknownSample("../x", dataset: "small")) { try dataset.truth("../x") }
    }

    @Test func theStampSeesFilesThatWereWrittenPutInPlaceOrTakenAway() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        var stamp = dataset.stamp()
        #expect(dataset.stamp() == stamp)
        func changed(_ what: String, _ body: () throws -> Void) throws {
            try body()
            let now = dataset.stamp()
            #expect(now != stamp, "\(what)")
            stamp = now
        }
        let mask = try Data(contentsOf: dataset.maskURL("s03"))
        // The same bytes: who wants to know whether they are reads them.
        try changed("written") { try mask.write(to: dataset.maskURL("s03")) }
        try changed("put in place") { try mask.write(to: dataset.maskURL("s03"), options: .atomic) }
        try changed("with an old date") {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: dataset.imageURL("s03").path)
        }
        try changed("taken away") { try FileManager.default.removeItem(at: dataset.imageURL("s04")) }
        try changed("its description") {
            try Data("{}".utf8).write(to: dataset.folder.appending(path: "dataset.json"))
        }
        #expect(dataset.stamp() == stamp)
    }

    @Test func theContentHashSeesPixelsNamesAndSplitButNoTitle() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        let hash = try dataset.contentHash()
        #expect(hash.count == 64)
        #expect(try Dataset.load(dataset.folder).contentHash() == hash)

        var renamed = dataset.description
        renamed.title = "another"
        #expect(
            try Dataset(folder: dataset.folder, description: renamed, split: dataset.split).contentHash() == hash)

        var moved = dataset.split
        moved.training.append(moved.heldOut.removeLast())
        #expect(
            try Dataset(folder: dataset.folder, description: dataset.description, split: moved).contentHash() != hash)

        var mask = try dataset.truth("s03")
        mask[x: 0, y: 0] = 255
        try PNG.write(mask, to: dataset.maskURL("s03"))
        #expect(try dataset.contentHash() != hash)
    }

    @Test func everyContradictionInItsFilesIsOneSentence() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        let file = dataset.folder.appending(path: "dataset.json")
        let split = dataset.folder.appending(path: "split.json")
        let (soundText, soundSplit) = (try String(contentsOf: file, encoding: .utf8), try Data(contentsOf: split))
        let changes: [(String, String, says: String)] = [
            ("\"schema\" : 1", "\"schema\" : 2", "has schema 2; this llmbench reads schema 1"),
            ("\"channels\" : 1", "\"channels\" : 4", "states 4 channels"),
            ("\"samples\" : 20", "\"samples\" : 19", "states 19 samples, split.json names 20"),
            ("\"samples\" : 20", "\"samples\" : \"20\"", "a value of another kind was expected at samples"),
            ("\"samples\" : 20,", "", "the field 'samples' is missing"),
            ("\"name\" : \"small\"", "\"name\" : \"../small\"", "is no folder name"),
            ("\"maskSuffix\" : \"\"", "\"maskSuffix\" : \"/../a\"", "mask suffix"),
            ("{", "[", "no JSON of the expected form"),
        ]
        for (old, new, says) in changes {
            #expect(soundText.contains(old), "\(old)")
            try soundText.replacingOccurrences(of: old, with: new).write(to: file, atomically: true, encoding: .utf8)
            let error = #expect(throws: DatasetError.self, "\(says)") { try Dataset.load(dataset.folder) }
            #expect(error?.description.contains(says) == true, "\(says): \(error?.description ?? "")")
        }
        try soundText.write(to: file, atomically: true, encoding: .utf8)

        let parts: [(training: [String], heldOut: [String], says: String)] = [
            (["s01", "s01"], ["s02"], "names a sample twice"), (["../../etc/passwd"], ["s01"], "is no file name"),
            (["-rf"], ["s01"], "is no file name"), (["a\u{1b}"], ["s01"], "is no file name"),
        ]
        for (training, heldOut, says) in parts {
            try JSONEncoder().encode(DatasetSplit(training: training, heldOut: heldOut, method: "")).write(to: split)
            let error = #expect(throws: DatasetError.self) { try Dataset.load(dataset.folder) }
            #expect(error?.description.contains(says) == true, "\(says): \(error?.description ?? "")")
        }
        try soundSplit.write(to: split)
        #expect(try Dataset.load(dataset.folder) == dataset)
        #expect(throws: DatasetError.self) { try Dataset.load(folder.file("nothing")) }
    }

    @Test func theSummarySaysWhatIsInIt() throws {
        let folder = try TemporaryFolder()
        let summary = try DatasetSummary(try makeDataset(folder))
        #expect(summary.training == 18 && summary.heldOut == 2 && summary.imageSize == "20×16")
        #expect(summary.text.contains("threshold     Dice"))
        #expect(summary.text.contains("mean mask     Dice"))
        #expect(summary.coverage.empty == 0)
    }

    @Test func theForegroundHintIsMadeOfTheMasks() {
        #expect(
            Coverage([0, 0.004, 0.02, 0.09]).hint
                == "small: it covers 0.4 to 9 percent of an image (median 2), and may be absent")
        #expect(Coverage([0.18, 0.18]).hint == "small: it covers 18 percent of an image")
        #expect(Coverage([0.3, 0.5]).hint == "it covers 30 to 50 percent of an image (median 50)")
        #expect(Coverage([]).empty == 0)
    }

    @Test func aContactSheetOutlinesTheMasks() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        let sheet = try ContactSheet.draw(dataset, Array(dataset.samples.sorted().prefix(5)), columns: 3, cell: 32)
        #expect(sheet.width == 96 && sheet.height == 64 && sheet.channels == 3)
        // The 20×16 image is centred in its cell; the mask's corner is at (4, 5).
        let corner = (0..<3).map { sheet[x: 6 + 4, y: 8 + 5, channel: $0] }
        #expect(corner == [255, 220, 0])
        let plain = try ContactSheet.draw(dataset, ["s00"], cell: 32, outlines: false)
        #expect(plain[x: 10, y: 13, channel: 0] == plain[x: 10, y: 13, channel: 2])
        #expect(ContactSheet.spread(["a", "b", "c", "d", "e"], count: 3) == ["a", "c", "e"])
        #expect(ContactSheet.spread(["a", "b"], count: 9) == ["a", "b"])
        #expect(throws: DatasetError.self) {
            try ContactSheet.draw(dataset, dataset.samples, columns: 1, cell: 1024)
        }
    }
}
