import Foundation
import Testing

@testable import Datasets

/// The two datasets that the repository carries, as they lie on disk.
@Suite struct EmbeddedDatasetTests {
    static let names = ["colin27-cerebellum", "mni152-white-matter"]

    @Test func bothAreListed() {
        #expect(Set(Self.names).isSubset(of: Fixtures.embedded.names()))
    }

    @Test(arguments: names) func nothingIsWrongWithThem(name: String) throws {
        let report = DatasetChecker.run(try Fixtures.embedded.load(name))
        #expect(report.problems.isEmpty)
        #expect(report.pairs.count == 240)
        #expect(report.pairs.allSatisfy { $0.width <= 224 && $0.height <= 224 && $0.channels == 1 })
    }

    @Test(arguments: names) func theHeldOutPartIsABlockOfSlicesFarFromTheTrainingPart(name: String) throws {
        let dataset = try Fixtures.embedded.load(name)
        let slice = { (id: String) in try #require(dataset.description.acquisitions[id]).slice }
        let training = Set(try dataset.split.training.map(slice))
        let heldOut = Set(try dataset.split.heldOut.map(slice)).sorted()
        #expect(dataset.split.training.count == 216 && dataset.split.heldOut.count == 24)
        #expect(heldOut.count == 6)
        let (first, last) = (try #require(heldOut.first), try #require(heldOut.last))
        #expect(training.isDisjoint(with: first - 5...last + 5))
        #expect(training.contains { $0 < first } && training.contains { $0 > last })
        for id in dataset.split.heldOut { #expect(try dataset.truth(id).bytes.contains(255), "\(id)") }
    }

    @Test func noGreyLevelAndNoAverageMaskSolvesThem() throws {
        let cerebellum = try ReferenceDice.compute(try Fixtures.embedded.load("colin27-cerebellum"))
        #expect(cerebellum.threshold.heldOutDice < 0.40)
        #expect(cerebellum.meanMask.heldOutDice < 0.65)
        let whiteMatter = try ReferenceDice.compute(try Fixtures.embedded.load("mni152-white-matter"))
        #expect(whiteMatter.threshold.heldOutDice < 0.80)
        #expect(whiteMatter.meanMask.heldOutDice < 0.65)
        print(
            "reference Dice: cerebellum threshold \(cerebellum.threshold.heldOutDice), mean mask "
                + "\(cerebellum.meanMask.heldOutDice); white matter \(whiteMatter.threshold.heldOutDice), "
                + "\(whiteMatter.meanMask.heldOutDice)")
    }

    @Test(arguments: names) func theirNotesSayWhatAReaderMustKnow(name: String) throws {
        let dataset = try Fixtures.embedded.load(name)
        let notes = dataset.description.provenance.notes.joined(separator: " ")
        #expect(notes.contains("one head") || notes.contains("one template"))
        #expect(notes.contains("simulated"))
        #expect(name != "mni152-white-matter" || notes.contains("mirror-symmetric"))
        let notice = try String(contentsOf: dataset.folder.appending(path: "NOTICE.md"), encoding: .utf8)
        #expect(notice.contains("Copyright"))
        #expect(dataset.description.acquisitions.count == 240)
    }

    @Test(arguments: names) func eachRecordedAcquisitionIsWhatItsSeedDraws(name: String) throws {
        let dataset = try Fixtures.embedded.load(name)
        for (id, recorded) in dataset.description.acquisitions {
            let drawn = SimulatedAcquisition(slice: recorded.slice, seed: recorded.seed).parameters
            #expect(drawn == recorded, "\(id)")
        }
    }

    @Test func anUnknownNameSuggestsTheNearest() {
        let error = #expect(throws: DatasetError.self) { try Fixtures.embedded.load("colin27-cerebelum") }
        #expect(error?.description.hasSuffix("did you mean colin27-cerebellum?") == true)
        #expect(DatasetCatalogue.nearest(to: "white-matter", among: Self.names) == ["mni152-white-matter"])
        #expect(DatasetCatalogue.nearest(to: "liver", among: Self.names).isEmpty)
    }
}
