import Foundation
import Testing

@testable import Datasets

/// The datasets that a program draws, each built once.
@Suite struct GeneratedDatasetTests {
    private static let root = FileManager.default.temporaryDirectory.appending(
        path: "llmbench-generated-\(ProcessInfo.processInfo.processIdentifier)", directoryHint: .isDirectory)

    private static let built = Result {
        atexit { try? FileManager.default.removeItem(at: GeneratedDatasetTests.root) }
        return try GeneratedDataset.all.map { try $0.build(into: DatasetCatalogue(root: root)) }
    }

    @Test func eachIsSoundAndLargeEnoughForAHundredLabels() throws {
        for dataset in try Self.built.get() {
            let report = DatasetChecker.run(dataset)
            #expect(report.problems.isEmpty, "\(dataset.name)")
            #expect(report.pairs.count == 140 && report.pairs.allSatisfy { (160...256).contains($0.width) })
            #expect(dataset.split.training.count == 110 && dataset.split.heldOut.count == 30)
            #expect(report.pairs.allSatisfy { $0.foreground > 0.005 && $0.foreground < 0.6 }, "\(dataset.name)")
            #expect(try DatasetCatalogue(root: Self.root).load(dataset.name) == dataset)
        }
    }

    @Test func eachSaysThatItIsSimulated() throws {
        for dataset in try Self.built.get() {
            #expect(dataset.description.isSimulated && dataset.description.title.contains("simulated"))
            #expect(dataset.description.provenance.notes.first?.hasPrefix("Simulated:") == true)
        }
        #expect(try !Fixtures.embedded.load("colin27-cerebellum").description.isSimulated)
    }

    /// The slices of a volume are resampled together, and pictures that were drawn one by one are not.
    @Test func volumesAreNamedAndResampledAsAWhole() throws {
        for dataset in try Self.built.get() {
            let units = dataset.resamplingUnits(of: dataset.split.heldOut)
            let volumes = dataset.volumes(of: dataset.split.heldOut)
            if dataset.name == "generated-ct" {
                #expect(units.kind == .subject && units.count == 3 && units.text == "3 subjects")
                #expect(try units.groups(dataset.split.heldOut).map(\.count) == [10, 10, 10])
                #expect(volumes.count == 3 && volumes.allSatisfy { $0.count == 10 && $0 == $0.sorted() })
                #expect(volumes.flatMap(\.self) == dataset.split.heldOut)
            } else {
                #expect(units.kind == .image && units.count == 30 && volumes.isEmpty, "\(dataset.name)")
            }
        }
        // Six slices of one head, four acquisitions each.
        let head = try Fixtures.embedded.load("colin27-cerebellum")
        let units = head.resamplingUnits(of: head.split.heldOut)
        #expect(units.kind == .slice && units.count == 6)
        #expect(try units.groups(head.split.heldOut) == (0..<6).map { slice in (0..<4).map { 4 * slice + $0 } })
        // Of a single slice its pictures are all that is left to draw, and the units say so.
        let slice = head.resamplingUnits(of: Array(head.split.heldOut.prefix(4)))
        #expect(slice.kind == .image && slice.allOfOne == .slice && slice.text == "4 images of one slice")
        #expect(units.allOfOne == nil)
        // Pictures that are all of one unit cannot be drawn anew by it.
        let error = #expect(throws: ResamplingUnits.OneUnit(kind: .slice, pictures: 4)) {
            try units.groups(Array(head.split.heldOut.prefix(4)))
        }
        #expect(error?.description == "4 pictures are all of one slice: an interval needs at least two")
        let scan = try #require(try Self.built.get().first { $0.name == "generated-ct" })
        let volume = scan.resamplingUnits(of: Array(scan.split.heldOut.prefix(10)))
        #expect(volume.kind == .image && volume.allOfOne == .subject && volume.text == "10 images of one subject")
    }

    @Test func picturesFollowFromTheSeedAndNoTwoAreAlike() throws {
        for (generated, dataset) in zip(GeneratedDataset.all, try Self.built.get()) {
            var seen: Set<[UInt8]> = []
            for sample in dataset.samples {
                #expect(seen.insert(try dataset.image(sample).bytes).inserted, "\(sample)")
            }
            for sample in [dataset.split.training[0], dataset.split.heldOut[29]] {
                let pair = try generated.picture(sample)
                #expect(try dataset.image(sample) == pair.image && dataset.truth(sample) == pair.mask, "\(sample)")
            }
        }
        #expect(throws: DatasetError.unknownSample("skin-999", dataset: "generated-skin")) {
            try GeneratedDataset.skin.picture("skin-999")
        }
    }

    /// Neither one grey level nor the average mask may do what the study asks of networks and drawers.
    @Test func noGreyLevelAndNoAverageMaskSolvesThem() throws {
        for dataset in try Self.built.get() {
            let reference = try ReferenceDice.compute(dataset)
            print(
                "\(dataset.name): threshold \(reference.threshold.heldOutDice), mean mask \(reference.meanMask.heldOutDice)"
            )
            #expect(reference.threshold.heldOutDice < 0.7, "\(dataset.name)")
            #expect(reference.meanMask.heldOutDice < (dataset.name == "generated-lung" ? 0.9 : 0.7), "\(dataset.name)")
        }
    }

    @Test func slicesOfAVolumeStayOnOneSideAndFollowOneAnother() throws {
        let dataset = try #require(try Self.built.get().last)
        func volume(_ id: String) -> Substring { id.dropLast(4) }
        let (training, heldOut) = (Set(dataset.split.training.map(volume)), Set(dataset.split.heldOut.map(volume)))
        #expect(training.count == 11 && heldOut.count == 3 && training.isDisjoint(with: heldOut))
        // Neighbours overlap: what the prior across slices lives on.
        for volume in heldOut {
            let masks = try dataset.split.heldOut.filter { $0.hasPrefix(volume) }.sorted().map {
                try dataset.truth($0).bytes.map { $0 != 0 }
            }
            #expect(masks.count == 10)
            for (a, b) in zip(masks, masks.dropFirst()) {
                let common = zip(a, b).count { $0 && $1 }
                #expect(2 * Double(common) / Double(a.count { $0 } + b.count { $0 }) > 0.5)
            }
        }
    }

    @Test func theLungFieldsAreTwo() throws {
        let dataset = try Self.built.get()[2]
        for sample in dataset.split.heldOut {
            let mask = try dataset.truth(sample)
            // A column in the middle is free of both, and both sides have one.
            let free = (80..<112).contains { x in !(0..<mask.height).contains { mask[x: x, y: $0] != 0 } }
            #expect(free, "\(sample)")
            for half in [0..<80, 112..<192] {
                #expect(half.contains { x in (0..<mask.height).contains { mask[x: x, y: $0] != 0 } }, "\(sample)")
            }
        }
    }

    @Test func whatIsThereIsNotDrawnOver() throws {
        _ = try Self.built.get()
        #expect(throws: DatasetError.self) { try GeneratedDataset.skin.build(into: DatasetCatalogue(root: Self.root)) }
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.root.path(percentEncoded: false))
        #expect(Set(names) == Set(GeneratedDataset.all.map(\.name)), "nothing half done is left")
    }
}
