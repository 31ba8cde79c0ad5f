import Foundation
import TensorRuntime
import Testing

@testable import NNUNet

/// What is left of a training once its chance is taken away: nnunetv2's own trainer goes through our batches from our weights, and
/// its own loader draws batches that are held against ours by their distributions.
///
/// The images are drawn by a formula; `LLMBENCH_FOLLOW=128,200,colin27-cerebellum` asks for those of an embedded data set at 128 × 128 and for 200
/// batches instead.
@Suite(.serialized, .enabled(if: NNUNetReference.interpreter != nil))
struct FollowTests {
    private static let epochs = 2
    private static var iterations: Int { NNUNetReference.isVerifying ? 30 : 6 }
    private static var draws: Int { followed?.draws ?? (NNUNetReference.isVerifying ? 3000 : 500) }

    private static let followed: (size: Int, draws: Int, dataset: String)? = {
        let parts = ProcessInfo.processInfo.environment["LLMBENCH_FOLLOW"]?.split(separator: ",").map(String.init) ?? []
        guard parts.count == 3, let size = Int(parts[0]), let draws = Int(parts[1]) else { return nil }
        return (size, draws, parts[2])
    }()

    private static func cases() throws -> [LabelledCase] {
        guard let followed else { return try (0..<20).map(labelled) }
        let trial = try AgreementTests.Trial(
            AgreementTests.reference(
                followed.dataset, size: followed.size, epochs: 0, iterations: 1, seed: 1, images: 0))
        return trial.train
    }
    private static let side = 40

    /// A textured disc, brighter than what lies around it, on a slope: what noise, blur, gamma, turning, crop
    /// and padding do to it can be told apart.
    private static func labelled(_ number: Int) throws -> LabelledCase {
        let noise = HashedValues.uniform(7000 + number, side * side)
        let (cy, cx) = (14 + 3 * (number % 5), 13 + 2 * (number % 7))
        var labels = [Int16](repeating: 0, count: side * side)
        let values = noise.indices.map { pixel -> Float in
            let (y, x) = (pixel / side, pixel % side)
            let inside = (y - cy) * (y - cy) + (x - cx) * (x - cx) <= 49
            labels[pixel] = inside ? 1 : 0
            let texture = 12 * sin(Double(x) * 1.3) * cos(Double(y) * 0.9)
            return Float(Int(60 + Double(x) + 0.5 * Double(y) + texture + noise[pixel] * 25) + (inside ? 60 : 0))
        }
        return try LabelledCase(
            name: "case_\(10_000 + number)", image: CaseImage(channels: 1, height: side, width: side, values: values),
            labels: LabelMap(shape: [1, side, side], values: labels))
    }

    private struct Training {
        var trainer: Trainer
        var cases: [LabelledCase]
        var weights: [String: Tensor]
        /// By step.
        var batches: [Batch]
        var losses: [Float] = []
    }

    /// Our training on our batches, with everything that another needs to repeat it.
    private static func ours() throws -> Training {
        let cases = try cases()
        let (train, validation) = (
            cases.enumerated().filter { $0.offset % 10 != 0 }.map(\.element),
            cases.enumerated().filter { $0.offset % 10 == 0 }.map(\.element)
        )
        let budget = try TrainingBudget(epochs: epochs, iterations: iterations, validationIterations: 1)
        let plan = try NNUNetBaseline(
            train: train, validation: validation, channelNames: ["grey"], classes: 2, name: "Dataset001_Agreement",
            budget: budget, seed: seed
        ).plan
        let preprocessor = Preprocessor(plan)
        let trainer = try Trainer(
            plan: plan, train: train.map { try preprocessor($0) }, validation: validation.map { try preprocessor($0) },
            budget: budget, seed: seed)
        var training = Training(
            trainer: trainer, cases: cases, weights: try trainer.weights(),
            batches: try (0..<budget.totalIterations).map { try trainer.batch(.training, $0) })
        for (step, batch) in training.batches.enumerated() {
            training.losses.append(try trainer.step(batch))
            if (step + 1) % iterations == 0 { trainer.lowerRate() }
        }
        return training
    }

    private static let seed: UInt64 = {
        ProcessInfo.processInfo.environment["LLMBENCH_TEST_SEED"].flatMap { UInt64($0) } ?? 1
    }()

    private static func theirs(_ training: Training) throws -> SafeTensors {
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in training.weights { tensors["weights/\(name)"] = tensor }
        for (step, batch) in training.batches.enumerated() {
            for (name, tensor) in batch.inputs { tensors["batch/\(step)/\(name)"] = tensor }
        }
        let shape = [training.cases.count] + training.cases[0].labels.shape.dropFirst()
        tensors["images"] = try Tensor(shape: shape, values: training.cases.flatMap(\.image.values))
        tensors["masks"] = try Tensor(
            shape: shape, values: training.cases.flatMap { $0.labels.values.map { Float($0) } })
        return try NNUNetReference.withFolder { folder in
            let (given, found) = (
                folder.appending(path: "given.safetensors"), folder.appending(path: "found.safetensors")
            )
            try SafeTensors.write(
                tensors, metadata: ["epochs": "\(epochs)", "iterations": "\(iterations)", "seed": "\(seed)"], to: given)
            try NNUNetReference.run("follow.py", [given.path, found.path, "\(draws)"])
            return try SafeTensors(data: Data(contentsOf: found))
        }
    }

    /// Used by one test at a time, since the suite is serialized.
    private struct Both: @unchecked Sendable {
        var ours: Training
        var theirs: SafeTensors
    }

    private static let both = Swift.Result { () throws -> Both in
        let training = try ours()
        return Both(ours: training, theirs: try theirs(training))
    }

    /// The learning rate falls once on the way. Rounding grows from step to step, so the first ones are held closest.
    @Test func nnunetHasOurLossesOnOurBatches() throws {
        let both = try Self.both.get()
        let ours = both.ours
        let losses = try both.theirs.tensor("losses").values
        #expect(losses.count == ours.losses.count)
        let differences = zip(ours.losses, losses).map { abs($0 - $1) }
        print("losses of \(losses.count) steps, largest difference \(differences.max() ?? .nan): \(differences)")
        #expect((differences.prefix(6).max() ?? 1) < 1e-3, "\(differences)")
        #expect((differences.max() ?? 1) < 0.02, "\(differences)")
        #expect(ours.losses.first != ours.losses.last)
    }

    /// Two-sample Kolmogorov-Smirnov distances of what a patch can be told by, place by place of the batch.
    @Test(arguments: ["drawn", "validation"])
    func batchesHaveTheDistributionsOfNNUNet(_ kind: String) throws {
        let both = try Self.both.get()
        let (training, theirs) = (both.ours, both.theirs)
        let plan = training.trainer.plan
        let size = plan.patchSize
        let images = try theirs.tensor("\(kind).images")
        let labels = try theirs.tensor("\(kind).labels")
        let count = images.shape[0]
        #expect(images.shape == [count, 1] + size && count == Self.draws * plan.batchSize)
        // Other draws than those of the training steps.
        let own = try (0..<Self.draws).map {
            try training.trainer.batch(kind == "drawn" ? .training : .validation, 100_000 + $0)
        }
        let ownImages = own.flatMap { $0.inputs["image"]?.values ?? [] }
        let ownLabels = own.flatMap { $0.inputs["target0"]?.values ?? [] }
        for place in 0..<plan.batchSize {
            let (a, b) = (
                Self.summaries(ownImages, ownLabels, size, place: place, of: plan.batchSize),
                Self.summaries(images.values, labels.values, size, place: place, of: plan.batchSize)
            )
            for name in a.keys.sorted() {
                let distance = Self.kolmogorov(a[name] ?? [], b[name] ?? [])
                // The asymptotic critical value for one in a million (Smirnov 1948).
                let limit =
                    (-0.5 * log(1e-6 / 2)).squareRoot()
                    * (1 / Double(max(1, a[name]?.count ?? 0)) + 1 / Double(max(1, b[name]?.count ?? 0))).squareRoot()
                print("\(kind), place \(place), \(name): distance \(distance), limit \(limit)")
                #expect(distance < limit, "\(kind), place \(place): \(name)")
            }
        }
    }

    /// Numbers of each patch at a place of the batches, by name.
    private static func summaries(
        _ images: [Float], _ labels: [Float], _ size: [Int], place: Int, of batch: Int
    ) -> [String: [Double]] {
        let (height, width) = (size[0], size[1])
        let pixels = height * width
        var result: [String: [Double]] = [:]
        for start in stride(from: place * pixels, to: images.count, by: batch * pixels) {
            let image = images[start..<start + pixels].map { Double($0) }
            let mean = image.reduce(0, +) / Double(pixels)
            func add(_ name: String, _ value: Double) { result[name, default: []].append(value) }
            add("mean", mean)
            add("deviation", (image.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(pixels)).squareRoot())
            add("least", image.min() ?? 0)
            add("largest", image.max() ?? 0)
            add("zeros", Double(image.count { $0 == 0 }) / Double(pixels))
            var (across, down) = (0.0, 0.0)
            for y in 0..<height - 1 {
                for x in 0..<width - 1 {
                    across += abs(image[y * width + x + 1] - image[y * width + x])
                    down += abs(image[(y + 1) * width + x] - image[y * width + x])
                }
            }
            add("roughness across", across / Double(pixels))
            add("roughness down", down / Double(pixels))
            let inside = (0..<pixels).filter { labels[start + $0] > 0 }
            // Image and labels that were moved apart by a part of a pixel would differ here.
            for (name, value) in rims(image, labels[start..<start + pixels], width: width) { add(name, value) }
            add("foreground", Double(inside.count) / Double(pixels))
            add(
                "foreground's row",
                inside.isEmpty ? -1 : Double(inside.reduce(0) { $0 + $1 / width }) / Double(inside.count))
            add(
                "foreground's column",
                inside.isEmpty ? -1 : Double(inside.reduce(0) { $0 + $1 % width }) / Double(inside.count))
        }
        return result
    }

    /// Mean values on both sides of the foreground's edge, less the mean over the foreground.
    private static func rims(_ image: [Double], _ labels: ArraySlice<Float>, width: Int) -> [(String, Double)] {
        let (height, first) = (image.count / width, labels.startIndex)
        var sums: [String: (Double, Int)] = [:]
        func add(_ name: String, _ value: Double) {
            let (sum, count) = sums[name] ?? (0, 0)
            sums[name] = (sum + value, count + 1)
        }
        for y in 0..<height {
            for x in 0..<width {
                let here = y * width + x
                let isInside = labels[first + here] > 0
                if isInside { add("inside", image[here]) }
                for (name, other) in [
                    ("right", x + 1 < width ? here + 1 : nil), ("down", y + 1 < height ? here + width : nil),
                ] {
                    guard let other, (labels[first + other] > 0) != isInside else { continue }
                    add("rim \(name), leaving \(isInside)", image[isInside ? here : other])
                    add("outside \(name), leaving \(isInside)", image[isInside ? other : here])
                }
            }
        }
        guard let inside = sums["inside"] else { return [] }
        return sums.filter { $0.key != "inside" }.map {
            ($0.key, $0.value.0 / Double($0.value.1) - inside.0 / Double(inside.1))
        }
    }

    /// The largest distance between two distribution functions.
    private static func kolmogorov(_ a: [Double], _ b: [Double]) -> Double {
        // Labels and zeros are the same to the bit; what is computed differs in the last digits.
        let (a, b) = (a.map { ($0 * 1e5).rounded() }.sorted(), b.map { ($0 * 1e5).rounded() }.sorted())
        var (i, j, largest) = (0, 0, 0.0)
        while i < a.count, j < b.count {
            let value = min(a[i], b[j])
            while i < a.count, a[i] <= value { i += 1 }
            while j < b.count, b[j] <= value { j += 1 }
            largest = max(largest, abs(Double(i) / Double(a.count) - Double(j) / Double(b.count)))
        }
        return largest
    }
}
