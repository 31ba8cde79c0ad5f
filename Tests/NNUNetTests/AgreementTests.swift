import Foundation
import TensorRuntime
import Testing

@testable import NNUNet

/// Our training against nnunetv2's on the embedded data sets, by the Dice of held-out images.
///
/// A few iterations on a few small images by default; `LLMBENCH_VERIFY=1` asks for 500 iterations at 128 × 128 with three seeds each,
/// which takes hours. `LLMBENCH_AGREEMENT=size,epochs,iterations,images,seeds` asks for something between, with a
/// dataset's name behind it for that alone. All need `LLMBENCH_NNUNET_PYTHON`. In the folder `LLMBENCH_AGREEMENT_KEPT`
/// trainings of both are kept, so that an interrupted comparison goes on; seconds an iteration are then those of their day.
@Suite(.serialized, .enabled(if: NNUNetReference.interpreter != nil))
struct AgreementTests {
    private struct Setting {
        var size: Int
        var epochs: Int
        var iterations: Int
        var seeds: [Int]
        /// Training images, and at most so many held-out ones; zero for all.
        var images: Int

        static var now: Setting {
            let asked = ProcessInfo.processInfo.environment["LLMBENCH_AGREEMENT"]?.split(separator: ",")
            if let numbers = asked?.compactMap({ Int($0) }), numbers.count == 5 {
                return Setting(
                    size: numbers[0], epochs: numbers[1], iterations: numbers[2], seeds: Array(1...max(1, numbers[4])),
                    images: numbers[3])
            }
            return NNUNetReference.isVerifying
                ? Setting(size: 128, epochs: 2, iterations: 250, seeds: [1, 2, 3], images: 0)
                : Setting(size: 32, epochs: 2, iterations: 2, seeds: [1], images: 12)
        }
    }

    /// What nnunetv2 was trained on and what it came to.
    private struct Theirs {
        var train: [LabelledCase] = []
        var held: [LabelledCase] = []
        var masks: [LabelMap] = []
        var plan: Data
        var step: Double
        /// By epoch.
        var losses: String
        var threads: String
        /// All of it, as it was written.
        var file: Data

        init(_ data: Data) throws {
            let file = try SafeTensors(data: data)
            func planes(_ name: String) throws -> [[Float]] {
                let tensor = try file.tensor(name)
                return (0..<tensor.shape[0]).map { index in
                    let pixels = tensor.count / tensor.shape[0]
                    return Array(tensor.values[index * pixels..<(index + 1) * pixels])
                }
            }
            let size = Array(try file.tensor("images").shape.dropFirst())
            func map(_ plane: [Float]) throws -> LabelMap {
                try LabelMap(shape: [1] + size, values: plane.map { Int16($0) })
            }
            func cases(_ images: String, _ masks: String) throws -> [LabelledCase] {
                try zip(planes(images), planes(masks)).enumerated().map { number, pair in
                    try LabelledCase(
                        name: "case_\(10_000 + number)",
                        image: CaseImage(channels: 1, height: size[0], width: size[1], values: pair.0),
                        labels: map(pair.1))
                }
            }
            (train, held) = (try cases("images", "masks"), try cases("held", "truth"))
            masks = try planes("predicted").map(map)
            plan = Data((file.metadata["plans"] ?? "").utf8)
            step = Double(file.metadata["step"] ?? "") ?? .nan
            losses = file.metadata["losses"] ?? ""
            threads = file.metadata["threads"] ?? "unknown"
            self.file = data
        }
    }

    private static let datasets: URL = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "datasets")

    /// nnunetv2's start alone takes half a minute, so that one data set is enough for a glance.
    private static let names: [String] = {
        let all = ["colin27-cerebellum", "mni152-white-matter"]
        let asked = ProcessInfo.processInfo.environment["LLMBENCH_AGREEMENT"]?.split(separator: ",").map(String.init)
        if let named = asked?.filter(all.contains), !named.isEmpty { return named }
        return NNUNetReference.isVerifying || asked != nil ? all : ["mni152-white-matter"]
    }()

    @Test(arguments: AgreementTests.names)
    func oursLiesWithinTheRangeOfNNUNetOrAbove(_ dataset: String) throws {
        let setting = Setting.now
        var (ours, theirs): ([[Double]], [[Double]]) = ([], [])
        for seed in setting.seeds {
            let reference = try train(dataset, setting, seed)
            let plan = try NNUNetPlan(json: reference.plan, classes: 2)
            let kept = try KeptTraining.find(
                KeptTraining.file(
                    dataset: dataset, reference: reference.file,
                    setting: "\(setting.size) \(setting.epochs) \(setting.iterations) \(seed)")
            ) { try oursTrained(reference, plan, setting, seed) }
            // Theirs come without postprocessing.
            ours.append(kept.dice)
            theirs.append(dice(reference.masks, reference.held))
            print(
                "\(dataset), seed \(seed), batch \(plan.batchSize) of \(plan.patchSize): Dice ours \(mean(ours.last)), "
                    + "nnunetv2 \(mean(theirs.last)); an iteration ours \(kept.step) s with its patches and \(kept.threads) "
                    + "threads, nnunetv2 \(reference.step) s without and \(reference.threads) threads; step ratio "
                    + "\(kept.step / reference.step); loss by epoch ours \(kept.losses), nnunetv2 \(reference.losses); "
                    + "postprocessed, ours has \(mean(kept.postprocessed))")
        }
        let range = theirs.map { mean($0) }
        let whole = mean(ours.map { mean($0) })
        let interval = interval(ours, theirs)
        print("\(dataset): ours \(whole), nnunetv2 \(range); paired difference over images 95 % in \(interval)")
        #expect(ours.joined().allSatisfy { (0...1).contains($0) })
        guard NNUNetReference.isVerifying else { return }
        #expect(whole >= (range.min() ?? 0))
    }

    /// Our plan has to be theirs, whether the training is kept or not.
    private func oursTrained(_ reference: Theirs, _ plan: NNUNetPlan, _ setting: Setting, _ seed: Int) throws
        -> KeptTraining
    {
        let baseline = try NNUNetBaseline(
            train: reference.train.enumerated().filter { $0.offset % 10 != 0 }.map(\.element),
            validation: reference.train.enumerated().filter { $0.offset % 10 == 0 }.map(\.element),
            channelNames: ["grey"], classes: 2, name: "Dataset001_Agreement",
            budget: TrainingBudget(
                epochs: setting.epochs, iterations: setting.iterations,
                validationIterations: max(1, setting.iterations / 5)), seed: UInt64(seed))
        try #require(baseline.plan.architecture == plan.architecture)
        try #require(baseline.plan.patchSize == plan.patchSize)
        try #require(baseline.plan.batchSize == plan.batchSize)
        let result = try baseline.run(test: reference.held.map(\.image))
        return KeptTraining(
            dice: dice(result.rawMasks, reference.held), postprocessed: dice(result.masks, reference.held),
            step: result.records.reduce(0) { $0 + $1.trainingSeconds } / Double(baseline.budget.totalIterations),
            losses: result.records.map(\.trainLoss),
            threads: RuntimeOptions.defaultThreads)
    }

    private func train(_ dataset: String, _ setting: Setting, _ seed: Int) throws -> Theirs {
        try NNUNetReference.withFolder { folder in
            let file = folder.appending(path: "agreement.safetensors")
            try NNUNetReference.run(
                "agreement.py",
                [file.path, Self.datasets.appending(path: dataset).path]
                    + [setting.size, setting.epochs, setting.iterations, seed, setting.images].map { String($0) }
                    + [ProcessInfo.processInfo.environment["LLMBENCH_AGREEMENT_KEPT"]].compactMap { $0 })
            return try Theirs(Data(contentsOf: file))
        }
    }

    /// Dice of each image; one where neither mask has anything.
    private func dice(_ masks: [LabelMap], _ truth: [LabelledCase]) -> [Double] {
        zip(masks, truth).map { ClassOverlap.meanDice([$0], [$1.labels], classes: 2)[0] ?? 1 }
    }

    private func mean(_ values: [Double]?) -> Double {
        let values = values ?? []
        return values.reduce(0, +) / Double(max(1, values.count))
    }

    /// The 95 % percentile interval of ours less theirs, images drawn with replacement, each with the mean over its seeds.
    private func interval(_ ours: [[Double]], _ theirs: [[Double]]) -> ClosedRange<Double> {
        let images = (ours.first ?? []).indices
        let differences = images.map { image in mean(ours.map { $0[image] }) - mean(theirs.map { $0[image] }) }
        let draws = Draws(seed: 1, purpose: .validation)
        let means = (0..<2000).map { _ in
            mean(images.map { _ in differences[draws.integer(0...differences.count - 1)] })
        }.sorted()
        return means[50]...means[1949]
    }
}
