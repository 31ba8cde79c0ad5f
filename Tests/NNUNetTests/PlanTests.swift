import Foundation
import Testing

@testable import NNUNet

/// Our fingerprint and plan against those of nnunetv2 2.8.1 on generated data sets.
@Suite struct PlanTests {
    /// Sizes, aspect ratios, spacings, channels, numbers of cases and crops all differ; see `Reference/datasets.json`.
    @Test(arguments: NNUNetReference.sources)
    func plansEqualThoseOfNNUNet(_ source: NNUNetReference.Source) throws {
        let datasets = try GeneratedDataset.all().filter {
            source == .stored || NNUNetReference.isVerifying || $0.isQuick
        }
        let names = source == .live ? datasets.map(\.name) : []
        try NNUNetReference.withFile(source, "plans.py", "plans.json", arguments: names) { file in
            let json = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
            #expect(json?["nnunetv2"] as? String == "2.8.1")
            let all = try #require(json?["datasets"] as? [String: Any])
            for dataset in datasets {
                let reference = try #require(all[dataset.name] as? [String: Any], "no plan of \(dataset.name)")
                try compare(dataset, reference)
            }
        }
    }

    private func compare(_ dataset: GeneratedDataset, _ reference: [String: Any]) throws {
        let fingerprint = try dataset.fingerprint()
        let planner = try Planner(channelNames: dataset.channels, classes: dataset.classes)
        let theirs = try #require(reference["plans"] as? [String: Any])
        let plan = try planner.plan(fingerprint, name: try #require(theirs["dataset_name"] as? String))
        let reader = dataset.format == "nrrd" ? "SimpleITKIO" : "NaturalImage2DIO"
        let ours = try JSONSerialization.jsonObject(with: plan.json(reader: reader)) as? [String: Any]
        // nnunetv2 sums intensities in 32-bit floats; nothing else may differ in a single bit.
        let intensities = "foreground_intensity_properties_per_channel"
        var rows = JSONDifferences.rows(
            ours?.filter { $0.key != intensities }, theirs.filter { $0.key != intensities }, tolerance: 0)
        rows += JSONDifferences.rows(ours?[intensities], theirs[intensities], tolerance: 1e-5, at: intensities)
        let facts = try #require(reference["fingerprint"] as? [String: Any])
        rows += JSONDifferences.rows(fingerprint.spacings, facts["spacings"], tolerance: 0, at: "spacings")
        rows += JSONDifferences.rows(
            fingerprint.shapesAfterCrop, facts["shapes_after_crop"], tolerance: 0, at: "shapes")
        rows += JSONDifferences.rows(
            fingerprint.medianRelativeSizeAfterCropping, facts["median_relative_size_after_cropping"], tolerance: 0,
            at: "relative size")
        #expect(rows.isEmpty, "\(dataset.name)\n\(JSONDifferences.table(rows))")
    }

    @Test func aPlanReadsBackAsItWasWritten() throws {
        let dataset = try #require(try GeneratedDataset.all().first { $0.name == "mixed_spacing" })
        let plan = try Planner(channelNames: dataset.channels, classes: dataset.classes)
            .plan(dataset.fingerprint(), name: "Dataset001_mixed")
        #expect(try NNUNetPlan(json: plan.json(), classes: dataset.classes) == plan)
    }

    @Test(arguments: [
        ("CT", Normalization.ct), ("ct", .ct), ("noNorm", .none), ("zscore", .zScore), ("Rescale_to_0_1", .rescaleTo01),
        ("rgb_to_0_1", .rgbTo01), ("MRI", .zScore), ("", .zScore),
    ])
    func channelNamesChooseTheNormalization(_ name: String, _ expected: Normalization) {
        #expect(Normalization(channelName: name) == expected)
    }

    @Test func aHoleOfAStackCountsAsInsideAndTheRestIsMarked() throws {
        var values = [Float](repeating: 0, count: 5 * 5 * 5)
        for z in 1...3 {
            for y in 1...3 {
                for x in 1...3 where [z, y, x] != [2, 2, 2] { values[(z * 5 + y) * 5 + x] = 7 }
            }
        }
        // A corner of the cube is open, its centre is not.
        values[(1 * 5 + 1) * 5 + 1] = 0
        let crop = try NonzeroCrop(CaseImage(channels: 1, shape: [5, 5, 5], spacing: [1, 1, 1], values: values))
        #expect(crop.box == [1..<4, 1..<4, 1..<4])
        #expect(crop.labels.values[13] == 0)
        #expect(crop.labels.values[0] == -1)
        #expect(crop.labels.values.filter { $0 < 0 }.count == 1)
    }

    @Test func anEmptyImageKeepsItsBox() throws {
        let image = try CaseImage(channels: 1, height: 4, width: 6, values: [Float](repeating: 0, count: 24))
        let crop = try NonzeroCrop(image)
        #expect(crop.box == [0..<1, 0..<4, 0..<6])
        #expect(crop.labels.values.allSatisfy { $0 == -1 })
    }
}

/// What cannot be planned is said in one sentence.
@Suite struct PlanErrorTests {
    private func labelled(_ height: Int, _ width: Int, channels: Int = 1, label: Int16 = 1) throws -> LabelledCase {
        let pixels = height * width
        return try LabelledCase(
            name: "case",
            image: CaseImage(
                channels: channels, height: height, width: width,
                values: [Float](repeating: 1, count: channels * pixels)),
            labels: LabelMap(shape: [1, height, width], values: [Int16](repeating: label, count: pixels)))
    }

    @Test func masksWithoutForegroundAreRefused() throws {
        let cases = [try labelled(16, 16, label: 0)]
        #expect(
            throws: NNUNetError.unusableDataset(
                "no mask of the training images has any foreground: check the masks")
        ) { try Fingerprint(cases, samples: 10) }
    }

    @Test func noImagesAndMixedChannelsAreRefused() throws {
        #expect(throws: NNUNetError.unusableDataset("there is no training image: give at least five")) {
            try Fingerprint([])
        }
        let cases = [try labelled(16, 16), try labelled(16, 16, channels: 3)]
        #expect(
            throws: NNUNetError.unusableDataset(
                "case has 3 channels where the first image has 1: convert the images to one kind")
        ) { try Fingerprint(cases, samples: 10) }
    }

    @Test func imagesSmallerThanTheSmallestPatchAreRefused() throws {
        let fingerprint = try Fingerprint([try labelled(7, 6)], samples: 10)
        #expect(
            throws: NNUNetError.unusableDataset(
                "images of 7 × 6 pixels (in the median) are smaller than the smallest patch, 8 × 8: give larger images")
        ) { try Planner(channelNames: ["a"], classes: 2).plan(fingerprint, name: "d") }
    }

    @Test func channelNamesMustFitTheImages() throws {
        let fingerprint = try Fingerprint([try labelled(16, 16)], samples: 10)
        #expect(
            throws: NNUNetError.unusableDataset(
                "the images have 1 channels and 2 channel names were given: name each channel once")
        ) { try Planner(channelNames: ["a", "b"], classes: 2).plan(fingerprint, name: "d") }
        #expect(
            throws: NNUNetError.invalidSetting(
                "a plan needs a channel or more, two classes or more and a memory above zero, not 0 channels, 1 classes "
                    + "and 8.0 GB")
        ) { try Planner(channelNames: [], classes: 1) }
    }

    @Test func imagesAndMasksMustGoTogether() throws {
        func refused(_ body: () throws -> Void) -> String {
            do {
                try body()
                return "nothing was refused"
            } catch { return "\(error)" }
        }
        #expect(
            refused { _ = try CaseImage(channels: 1, height: 2, width: 2, values: [1]) }
                == "1 channels of [1, 2, 2] pixels need 4 values, and 1 were given")
        #expect(
            refused { _ = try CaseImage(channels: 0, height: 2, width: 2, values: []) }
                == "0 channels of [1, 2, 2] pixels are no image: give sizes Z Y X above zero")
        #expect(
            refused { _ = try CaseImage(channels: 1, height: 1, width: 1, spacing: [0, 1], values: [1]) }
                == "a spacing of [999.0, 0.0, 1.0] mm is not usable: give three positive numbers Z Y X")
        #expect(
            refused { _ = try CaseImage(channels: 1, height: 1, width: 1, values: [.nan]) }
                == "an image has intensities that are not finite: mend or leave out the image")
        #expect(
            refused { _ = try LabelMap(shape: [1, 2, 2], values: [1]) }
                == "1 labels do not fill a map of [1, 2, 2] pixels (Z Y X)")
        let image = try CaseImage(channels: 1, height: 1, width: 2, values: [1, 2])
        #expect(
            refused {
                _ = try LabelledCase(name: "a", image: image, labels: LabelMap(shape: [1, 1, 1], values: [0]))
            } == "a: the image has [1, 1, 2] pixels and its mask [1, 1, 1]; they must be equal")
        #expect(
            refused {
                _ = try LabelledCase(name: "a", image: image, labels: LabelMap(shape: [1, 1, 2], values: [0, -1]))
            } == "a: its mask has negative labels; number the classes from zero")
    }
}
