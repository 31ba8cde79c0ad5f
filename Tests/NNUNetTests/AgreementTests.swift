import Foundation
import TensorRuntime
import Testing

@testable import NNUNet

/// Our training against nnunetv2's on the embedded data sets, by the Dice of held-out images.
///
/// A few iterations on a few small images by default; `LLMBENCH_VERIFY=1` asks for 500 iterations at 128 × 128 with six seeds each,
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
                ? Setting(size: 128, epochs: 2, iterations: 250, seeds: Array(1...6), images: 0)
                : Setting(size: 32, epochs: 2, iterations: 2, seeds: [1], images: 12)
        }
    }

    /// What both are trained on and scored by, and nnunetv2's plan.
    struct Trial {
        var train: [LabelledCase]
        var held: [LabelledCase]
        var plan: NNUNetPlan
        /// All of it, as it was written.
        var file: Data

        init(_ data: Data) throws {
            let file = try SafeTensors(data: data)
            func cases(_ images: String, _ masks: String) throws -> [LabelledCase] {
                try zip(AgreementTests.planes(file, images), AgreementTests.maps(file, masks)).enumerated().map {
                    number, pair in
                    try LabelledCase(
                        name: "case_\(10_000 + number)",
                        image: CaseImage(
                            channels: 1, height: pair.1.shape[1], width: pair.1.shape[2], values: pair.0),
                        labels: pair.1)
                }
            }
            (train, held) = (try cases("images", "masks"), try cases("held", "truth"))
            plan = try NNUNetPlan(json: Data((file.metadata["plans"] ?? "").utf8), classes: 2)
            self.file = data
        }
    }

    /// What nnunetv2 came to.
    private struct Theirs {
        var masks: [LabelMap]
        var step: Double
        /// By epoch.
        var losses: String
        var threads: String

        init(_ data: Data) throws {
            let file = try SafeTensors(data: data)
            masks = try AgreementTests.maps(file, "predicted")
            step = Double(file.metadata["step"] ?? "") ?? .nan
            losses = file.metadata["losses"] ?? ""
            threads = file.metadata["threads"] ?? "unknown"
        }
    }

    private static func planes(_ file: SafeTensors, _ name: String) throws -> [[Float]] {
        let tensor = try file.tensor(name)
        let pixels = tensor.count / tensor.shape[0]
        return (0..<tensor.shape[0]).map { Array(tensor.values[$0 * pixels..<($0 + 1) * pixels]) }
    }

    private static func maps(_ file: SafeTensors, _ name: String) throws -> [LabelMap] {
        let size = Array(try file.tensor(name).shape.dropFirst())
        return try planes(file, name).map { try LabelMap(shape: [1] + size, values: $0.map { Int16($0) }) }
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
        func reference(seed: Int, epochs: Int) throws -> Data {
            try Self.reference(
                dataset, size: setting.size, epochs: epochs, iterations: setting.iterations, seed: seed,
                images: setting.images)
        }
        let trial = try Trial(reference(seed: 1, epochs: 0))
        // Ours first: a comparison that is broken off during theirs, which take longer, has them all.
        let ours = try setting.seeds.map { seed in
            try KeptTraining.find(
                KeptTraining.file(
                    dataset: dataset, reference: trial.file,
                    setting: "\(setting.size) \(setting.epochs) \(setting.iterations) \(seed)")
            ) { try oursTrained(trial, setting, seed) }
        }
        var theirs: [[Double]] = []
        for (seed, kept) in zip(setting.seeds, ours) {
            let reference = try Theirs(reference(seed: seed, epochs: setting.epochs))
            // They come without postprocessing.
            theirs.append(dice(reference.masks, trial.held))
            print(
                "\(dataset), seed \(seed), batch \(trial.plan.batchSize) of \(trial.plan.patchSize): Dice ours "
                    + "\(mean(kept.dice)), nnunetv2 \(mean(theirs.last)); an iteration ours \(kept.step) s with its "
                    + "patches and \(kept.threads) threads, nnunetv2 \(reference.step) s without and "
                    + "\(reference.threads) threads; loss by epoch ours \(kept.losses), nnunetv2 \(reference.losses); "
                    + "postprocessed, ours has \(mean(kept.postprocessed))")
        }
        let range = theirs.map { mean($0) }
        let dice = ours.map(\.dice)
        let whole = mean(dice.map { mean($0) })
        let interval = interval(dice, theirs)
        print(
            "\(dataset): ours \(dice.map { mean($0) }), mean \(whole), nnunetv2 \(range); difference of the means over seeds "
                + "\(whole - mean(range)), its standard error \(error(dice.map { mean($0) }, range)); "
                + "paired difference over images 95 % in \(interval)")
        #expect(dice.joined().allSatisfy { (0...1).contains($0) })
        guard NNUNetReference.isVerifying else { return }
        #expect(whole >= (range.min() ?? 0))
    }

    /// Our plan has to be theirs, whether the training is kept or not.
    private func oursTrained(_ trial: Trial, _ setting: Setting, _ seed: Int) throws -> KeptTraining {
        let baseline = try NNUNetBaseline(
            train: trial.train.enumerated().filter { $0.offset % 10 != 0 }.map(\.element),
            validation: trial.train.enumerated().filter { $0.offset % 10 == 0 }.map(\.element),
            channelNames: ["grey"], classes: 2, name: "Dataset001_Agreement",
            budget: TrainingBudget(
                epochs: setting.epochs, iterations: setting.iterations,
                validationIterations: max(1, setting.iterations / 5)), seed: UInt64(seed))
        try #require(baseline.plan.architecture == trial.plan.architecture)
        try #require(baseline.plan.patchSize == trial.plan.patchSize)
        try #require(baseline.plan.batchSize == trial.plan.batchSize)
        let result = try baseline.run(test: trial.held.map(\.image))
        return KeptTraining(
            dice: dice(result.rawMasks, trial.held), postprocessed: dice(result.masks, trial.held),
            step: result.records.reduce(0) { $0 + $1.trainingSeconds } / Double(baseline.budget.totalIterations),
            losses: result.records.map(\.trainLoss),
            threads: RuntimeOptions.defaultThreads)
    }

    /// The file of nnunetv2; with no epochs that of the images, masks and plan.
    static func reference(_ dataset: String, size: Int, epochs: Int, iterations: Int, seed: Int, images: Int) throws
        -> Data
    {
        try NNUNetReference.withFolder { folder in
            let file = folder.appending(path: "agreement.safetensors")
            try NNUNetReference.run(
                "agreement.py",
                [file.path, datasets.appending(path: dataset).path]
                    + [size, epochs, iterations, seed, images].map { String($0) }
                    + [ProcessInfo.processInfo.environment["LLMBENCH_AGREEMENT_KEPT"]].compactMap { $0 })
            return try Data(contentsOf: file)
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

    /// Of the difference of two means, with variances of their own (Welch 1947); not a number for single values.
    private func error(_ a: [Double], _ b: [Double]) -> Double {
        func part(_ values: [Double]) -> Double {
            let (centre, count) = (mean(values), Double(values.count))
            return values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / (count - 1) / count
        }
        return (part(a) + part(b)).squareRoot()
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
