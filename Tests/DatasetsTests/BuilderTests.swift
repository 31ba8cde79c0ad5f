import Foundation
import Testing

@testable import Datasets

@Suite struct SimulatedAcquisitionTests {
    /// A bright disc beside the centre on a dark square; the disc is the foreground.
    private func phantom() -> (slice: [Float], mask: [Bool]) {
        var slice: [Float] = []
        var mask: [Bool] = []
        for y in 0..<180 {
            for x in 0..<180 {
                let inside = (x - 110) * (x - 110) + (y - 80) * (y - 80) < 400
                mask.append(inside)
                slice.append(inside ? 0.9 : 0.3)
            }
        }
        return (slice, mask)
    }

    @Test func theSeedFixesEveryPixel() {
        let (slice, mask) = phantom()
        let images = [5, 5, 6].map { seed in
            SimulatedAcquisition(slice: 1, seed: UInt64(seed)).acquire(
                slice: slice, mask: mask, width: 180, height: 180, spacing: (1, 1))
        }
        #expect(images[0].image == images[1].image && images[0].mask == images[1].mask)
        #expect(images[0].image != images[2].image && images[0].mask != images[2].mask)
    }

    @Test func theMaskFollowsTheImage() {
        let (slice, mask) = phantom()
        var ranges = SimulatedAcquisition.Ranges()
        ranges.gamma = 1...1
        ranges.biasField = 0...0
        ranges.gain = 1...1
        ranges.noise = 0.001...0.001
        for seed in UInt64(1)...8 {
            let pair = SimulatedAcquisition(slice: 0, seed: seed, ranges: ranges).acquire(
                slice: slice, mask: mask, width: 180, height: 180, spacing: (1, 1))
            let bright = pair.image.bytes.map { $0 > 153 }
            let agreeing = zip(bright, pair.mask.bytes).count { $0 == ($1 == 255) }
            // Only the interpolated rim may differ.
            #expect(Double(agreeing) / Double(bright.count) > 0.995, "seed \(seed)")
            #expect(pair.mask.bytes.contains(255))
        }
    }

    @Test func parametersStayInTheirRangesAndAreRoundedAsRecorded() {
        for seed in UInt64(0)..<200 {
            let drawn = SimulatedAcquisition(slice: 3, seed: seed).parameters
            #expect((-25...25).contains(drawn.rotationDegrees) && (0.82...1.1).contains(drawn.scale))
            #expect(drawn.shift.count == 2 && drawn.shift.allSatisfy { (-10...10).contains($0) })
            #expect((0.6...1.1).contains(drawn.gain) && (0.75...1.3).contains(drawn.gamma))
            #expect((drawn.scale * 10_000).rounded() / 10_000 == drawn.scale)
        }
    }

    @Test func greyLevelsAreStepsOfThree() {
        let (slice, mask) = phantom()
        let pair = SimulatedAcquisition(slice: 1, seed: 2).acquire(
            slice: slice, mask: mask, width: 180, height: 180, spacing: (1, 1))
        #expect(pair.image.bytes.allSatisfy { $0 % 3 == 0 })
        #expect(Set(pair.mask.bytes) == [0, 255])
    }

    @Test func normalNumbersHaveTheMomentsOfANormalDistribution() {
        var generator = SeededGenerator(seed: 12)
        let values = (0..<20_000).map { _ in generator.normal() }
        let mean = values.reduce(0, +) / 20_000
        let variance = values.reduce(0) { $0 + $1 * $1 } / 20_000
        #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.05)
    }
}

@Suite struct DatasetBuilderTests {
    /// A recipe of the real form on volumes of 24×28×40 voxels that the test writes as NIfTI.
    private func recipe(slices: [Int] = Array(2...37)) -> DatasetRecipe {
        let real = DatasetRecipe.colin27Cerebellum
        return DatasetRecipe(
            name: "phantom", title: "Phantom", prefix: "ph", imageKind: "phantoms", foreground: "the core",
            image: .init(names: ["t1.nii.gz", "nested/t1.nii.gz"], advice: "make one"),
            labels: .init(names: ["labels.nii"], advice: "make one"), target: .labels(91...116), white: 200,
            slices: slices, heldOut: 18...20, seed: 5, provenance: real.provenance, notice: "Copyright nobody\n")
    }

    private func writeVolumes(_ folder: TemporaryFolder, labelsDepth: Int = 40) throws {
        try folder.write(gzip(nifti(depth: 40) { x, y, _ in UInt8(60 + 4 * x + 2 * y) }), "t1.nii.gz")
        let labels = nifti(depth: labelsDepth) { x, y, z in
            x > 6 && x < 16 && y > 8 && y < 20 && z > 5 ? (y > 18 ? 117 : 100) : 12
        }
        try folder.write(labels, "labels.nii")
    }

    /// A uint8 volume with axes already to the right, front and top.
    private func nifti(depth: Int, _ value: (Int, Int, Int) -> UInt8) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 352)
        func put(_ value: Int16, _ at: Int) {
            header[at] = UInt8(truncatingIfNeeded: value)
            header[at + 1] = UInt8(truncatingIfNeeded: value >> 8)
        }
        func put(_ value: Float, _ at: Int) {
            for index in 0..<4 {
                header[at + index] = UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32(index)))
            }
        }
        put(Int16(348), 0)
        for (index, length) in [3, 24, 28, depth].enumerated() { put(Int16(length), 40 + 2 * index) }
        put(Int16(2), 70)
        put(Int16(8), 72)
        for index in 1...3 { put(Float(6), 76 + 4 * index) }
        put(Float(352), 108)
        header.replaceSubrange(344..<348, with: Array("n+1\0".utf8))
        var voxels: [UInt8] = []
        for z in 0..<depth { for y in 0..<28 { for x in 0..<24 { voxels.append(value(x, y, z)) } } }
        return header + voxels
    }

    @Test func volumesBecomeADatasetSplitByHeight() throws {
        let folder = try TemporaryFolder()
        try writeVolumes(folder)
        let catalogue = DatasetCatalogue(root: try folder.makeFolder("out"))
        let dataset = try DatasetBuilder(recipe: recipe()).build(source: folder.url, into: catalogue)
        // 36 slices, of which 5 + 5 fall into the gap.
        #expect(dataset.split.training.count == 23 * 4 && dataset.split.heldOut.count == 3 * 4)
        #expect(dataset.samples.contains("ph-z018-a3") && !dataset.samples.contains("ph-z017-a0"))
        #expect(DatasetChecker.run(dataset).problems.isEmpty)
        #expect(try dataset.truth("ph-z004-a0").bytes.allSatisfy { $0 == 0 }, "no label so low")
        #expect(try dataset.truth("ph-z018-a0").bytes.contains(255))
        #expect(
            FileManager.default.fileExists(
                atPath: dataset.folder.appending(path: "NOTICE.md").path(percentEncoded: false)))
    }

    @Test func theSameVolumesGiveTheSameDataset() throws {
        let folder = try TemporaryFolder()
        try writeVolumes(folder)
        let hashes = try ["a", "b"].map { name in
            try DatasetBuilder(recipe: recipe(slices: Array(10...30))).build(
                source: folder.url, into: DatasetCatalogue(root: try folder.makeFolder(name))
            ).contentHash()
        }
        #expect(hashes[0] == hashes[1])
    }

    @Test func whatIsMissingOrDoesNotFitIsOneSentenceAndLeavesNothing() throws {
        let folder = try TemporaryFolder()
        let out = try folder.makeFolder("out")
        let catalogue = DatasetCatalogue(root: out)
        func failure(_ recipe: DatasetRecipe) -> String? {
            let error = #expect(throws: DatasetError.self) {
                try DatasetBuilder(recipe: recipe).build(source: folder.url, into: catalogue)
            }
            return error?.description
        }
        #expect(failure(recipe())?.hasSuffix("t1.nii.gz is missing: make one") == true)
        try writeVolumes(folder, labelsDepth: 39)
        #expect(failure(recipe())?.contains("labels have") == true)
        try writeVolumes(folder)
        #expect(failure(recipe(slices: [50]))?.contains("has only 40 slices") == true)
        try folder.write([1, 2, 3], "labels.nii")
        #expect(failure(recipe())?.contains("not a NIfTI-1 file") == true)
        #expect(try names(out).isEmpty)
        _ = try folder.makeFolder("out/phantom")
        #expect(failure(recipe())?.contains("exists and holds other files") == true)
        let unknown = #expect(throws: DatasetError.self) { try DatasetBuilder("colin27") }
        #expect(unknown?.description.contains("did you mean colin27-cerebellum?") == true)
    }
}

@Suite struct ReferenceDiceTests {
    private func sample(_ id: String, _ image: [UInt8], _ truth: [UInt8], width: Int) throws -> ReferenceDice.Sample {
        ReferenceDice.Sample(
            id: id, image: try Image(width: width, height: image.count / width, channels: 1, bytes: image),
            truth: try Image(width: width, height: truth.count / width, channels: 1, bytes: truth))
    }

    @Test func theHistogramGivesTheSameDiceAsCountingPixels() throws {
        var generator = SeededGenerator(seed: Fixtures.seed("theHistogramGivesTheSameDice"))
        let image = (0..<400).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        let truth = (0..<400).map { _ -> UInt8 in generator.next() % 3 == 0 ? 255 : 0 }
        let sample = try sample("a", image, truth, width: 20)
        for level in [0, 1, 100, 254, 255] {
            for direction in [ReferenceDice.Threshold.Direction.above, .atOrBelow] {
                let marked = image.map { (Int($0) > level) == (direction == .above) }
                let common = zip(marked, truth).count { $0 && $1 != 0 }
                let total = marked.count { $0 } + truth.count { $0 != 0 }
                let expected = total == 0 ? 1 : 2 * Double(common) / Double(total)
                #expect(sample.dice(level: level, direction) == expected)
            }
        }
    }

    @Test func emptyMasksScoreOneOnlyWhenNothingIsMarked() throws {
        let sample = try sample("a", [10, 20, 30, 40], [0, 0, 0, 0], width: 2)
        #expect(sample.dice(level: 40, .above) == 1 && sample.dice(level: 30, .above) == 0)
        #expect(sample.dice(level: 9, .atOrBelow) == 1 && sample.dice(level: 10, .atOrBelow) == 0)
    }

    @Test func bothReferencesAreFoundWhereTheyAreKnown() throws {
        let folder = try TemporaryFolder()
        let source = try folder.makeFolder("source")
        try makePairs((10..<20).map { "s\($0)" }, in: source)
        // Dark foreground on a bright ground, always at the same place: both references are perfect.
        for id in 10..<20 {
            let mask = try PNG.read(source.appending(path: "masks/s10.png"))
            try PNG.write(mask, to: source.appending(path: "masks/s\(id).png"))
            let image = try Image(
                width: 20, height: 16, channels: 1, bytes: mask.bytes.map { $0 == 0 ? 200 : UInt8(30 + id) })
            try PNG.write(image, to: source.appending(path: "images/s\(id).png"))
        }
        let options = DatasetPreparer.Options(name: "known", imageKind: "squares", foreground: "the dark square")
        let dataset = try DatasetPreparer(options).prepare(source, into: DatasetCatalogue(root: folder.url)).dataset
        let reference = try ReferenceDice.compute(dataset)
        #expect(reference.threshold.direction == .atOrBelow && (49..<200).contains(reference.threshold.level))
        #expect(reference.threshold.heldOutDice == 1 && reference.threshold.trainingDice == 1)
        #expect(reference.meanMask.heldOutDice == 1)
        #expect(Set(reference.threshold.heldOut.keys) == Set(dataset.split.heldOut))
        let encoded = try JSONEncoder().encode(reference)
        #expect(try JSONDecoder().decode(ReferenceDice.self, from: encoded) == reference)
    }

    @Test func theMeanMaskIsLookedUpAtTheNearestPlaceOfAnotherSize() throws {
        let small = try sample("a", [0, 0, 0, 0], [255, 0, 0, 0], width: 2)
        let large = try sample(
            "b", [UInt8](repeating: 0, count: 16),
            [255, 255, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], width: 4)
        let atlas = ReferenceDice.Atlas([small])
        #expect(atlas.diceByPercent(large)[50] == 1 && atlas.diceByPercent(small)[100] == 1)
        #expect(atlas.diceByPercent(large)[0] == 1, "what never was foreground stays out")
    }

    @Test func aSplitWithAnEmptySideHasNoReference() throws {
        let folder = try TemporaryFolder()
        let dataset = try makeDataset(folder)
        let split = DatasetSplit(training: dataset.samples, heldOut: [], method: "none")
        let error = #expect(throws: DatasetError.self) {
            try ReferenceDice.compute(Dataset(folder: dataset.folder, description: dataset.description, split: split))
        }
        #expect(error?.description.contains("one side of its split is empty") == true)
    }
}
