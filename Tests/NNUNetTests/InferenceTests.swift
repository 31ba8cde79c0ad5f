import Foundation
import TensorRuntime
import Testing

@testable import NNUNet

/// Preprocessing, sliding window, resampling and postprocessing against nnunetv2's.
@Suite struct InferenceTests {
    @Test(arguments: NNUNetReference.sources)
    func tilesEqualThoseOfNNUNet(_ source: NNUNetReference.Source) throws {
        try HashedValues.withReference(source) { reference in
            for tile in [[24, 40], [8, 100], [32, 32]] {
                let theirs = try reference.tensor("gaussian\(tile[0])x\(tile[1])").values
                #expect(distance(SlidingWindow(tile: tile).weights, theirs) < 1e-5, "\(tile)")
            }
            let text = try #require(reference.metadata["steps"])
            let rows = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[Any]])
            for row in rows {
                let (image, tile) = (try #require(row[0] as? Int), try #require(row[1] as? Int))
                #expect(SlidingWindow.starts(image: image, tile: tile) == row[2] as? [Int], "\(image), \(tile)")
            }
        }
    }

    @Test(arguments: NNUNetReference.sources)
    func resamplingEqualsThatOfNNUNet(_ source: NNUNetReference.Source) throws {
        try HashedValues.withReference(source) { reference in
            let plane = try HashedValues.image(5000, [31, 23]).values
            let labels = HashedValues.labels(5001, [31, 23], classes: 3).map { $0 - 1 }
            for target in [[40, 40], [17, 30], [31, 12]] {
                let name = "\(target[0])x\(target[1])"
                let linear = Resampling.linear(plane, size: [31, 23], to: target)
                #expect(distance(linear, try reference.tensor("resampled1.\(name)").values) < 1e-5, "linear \(name)")
                let cubic = Resampling.cubic(plane, size: [31, 23], to: target)
                #expect(distance(cubic, try reference.tensor("resampled3.\(name)").values) < 1e-5, "cubic \(name)")
                let resized = Resampling.labels(labels, size: [31, 23], to: target)
                let theirs = try reference.tensor("resampled.labels.\(name)").values
                #expect(zip(resized, theirs).filter { Float($0) != $1 }.isEmpty, "labels \(name)")
            }
        }
    }

    /// From the raw numbers of two images (one smaller than a patch, one with a spacing of its own and an empty margin) to the mask.
    @Test(arguments: NNUNetReference.sources)
    func predictionsEqualThoseOfNNUNet(_ source: NNUNetReference.Source) throws {
        try HashedValues.withReference(source) { reference in
            let plan = try HashedValues.tinyPlan()
            let weights = try HashedValues.weights(PlainConvUNet(plan))
            let predictor = try Predictor(plan: plan, tensors: weights, threads: 2)
            for (number, (size, spacing)) in [([70, 90], [0.6, 0.85]), ([20, 36], plan.spacing)].enumerated() {
                let dataset = GeneratedDataset(
                    name: "image", format: "nrrd", channels: ["CT", "MRI"], classes: 2, cases: 1, shape: [1] + size,
                    jitter: [0, 0, 0], spacings: [spacing], margin: 12, range: [-300, 900], samples: 1)
                let labelled = try dataset.labelledCase(7 + number)
                let prepared = try Preprocessor(plan)(labelled)
                #expect(distance(prepared.values, try reference.tensor("prepared\(number)").values) < 1e-4)
                let labels = try reference.tensor("prepared\(number).labels").values
                #expect(prepared.labels.map { Float($0) } == labels)
                let logits = try predictor.logits(prepared).flatMap { $0 }
                let far = distance(logits, try reference.tensor("logits\(number)").values)
                #expect(far < 1e-4, "image \(number)")
                // nnU-Net sums class scores in 16 bits, so that a pixel with two nearly equal ones may come out otherwise.
                let mask = try predictor.predict(labelled.image)
                let theirs = try reference.tensor("mask\(number)").values
                let different = zip(mask.values, theirs).filter { Float($0) != $1 }.count
                #expect(mask.values.count == theirs.count)
                #expect(
                    Double(different) <= 0.005 * Double(theirs.count), "\(different) of \(theirs.count) pixels differ")
                #expect(Set(mask.values).count > 1)
            }
        }
    }

    @Test(arguments: NNUNetReference.sources)
    func componentsEqualThoseOfNNUNet(_ source: NNUNetReference.Source) throws {
        try HashedValues.withReference(source) { reference in
            var values = HashedValues.labels(6000, [1, 24, 24], classes: 3)
            for (index, number) in HashedValues.uniform(6001, 576).enumerated() where number < 0.35 {
                values[index] = 0
            }
            let mask = try LabelMap(shape: [1, 24, 24], values: values)
            for (name, labels) in [("all", [1, 2]), ("two", [2])] {
                let ours = Postprocessing.keepingLargest(of: labels, in: mask)
                #expect(try reference.tensor("components.\(name)").values == ours.values.map { Float($0) }, "\(name)")
                #expect(ours != mask)
            }
        }
    }

    @Test func componentsAreRemovedOnlyWhereValidationGains() throws {
        func mask(_ text: String) throws -> LabelMap {
            try LabelMap(shape: [1, 2, 6], values: text.filter { $0 != "/" }.map { Int16(String($0)) ?? 0 })
        }
        let truth = try mask("110000/110000")
        let stray = try mask("110001/110000")
        let helped = Postprocessing(predictions: [stray], truth: [truth], classes: 2)
        #expect(helped.largestComponentOf == [[1]])
        #expect(helped(stray) == truth)
        let two = try mask("110011/110010")
        #expect(Postprocessing(predictions: [two], truth: [two], classes: 2).largestComponentOf.isEmpty)
        // One class gains and the other loses: only the class that gains is cleaned.
        let mixedTruth = try mask("110022/110000")
        let mixed = try mask("110122/110000")
        #expect(
            Postprocessing(predictions: [mixed], truth: [mixedTruth], classes: 3).largestComponentOf == [[1]])
    }

    @Test func imagesThatThePlanIsNotForAreRefused() throws {
        let plan = try HashedValues.tinyPlan()
        func refused(_ channels: Int, _ shape: [Int], label: Int16 = 0, _ change: (inout NNUNetPlan) -> Void = { _ in })
            -> String
        {
            do {
                var changed = plan
                change(&changed)
                let pixels = shape.reduce(1, *)
                let image = try CaseImage(
                    channels: channels, shape: shape, spacing: [999, 1, 1],
                    values: [Float](repeating: 300, count: channels * pixels))
                _ = try Preprocessor(changed)(
                    LabelledCase(
                        name: "a", image: image,
                        labels: LabelMap(shape: shape, values: [Int16](repeating: label, count: pixels))))
                return "nothing was refused"
            } catch { return "\(error)" }
        }
        #expect(refused(1, [1, 9, 9]) == "a has 1 channels and the plan 2: convert the image")
        #expect(
            refused(2, [3, 9, 9])
                == "a is a stack of 3 slices: stacks can be planned, training and prediction take 2-D images")
        #expect(refused(2, [1, 9, 9], label: 3) == "a: its mask has the label 3, and the plan 3 classes from 0")
        #expect(
            refused(2, [1, 9, 9]) { $0.normalizations[0] = .rgbTo01 }
                == "a has intensities outside of 0 … 255 in a channel named rgb_to_0_1: name the channel otherwise")
        #expect(
            refused(2, [1, 1, 1]) { $0.spacing = [1000, 1000] }
                == "a has no pixel left at the plan's spacing of [1000.0, 1000.0] mm")
    }
}
