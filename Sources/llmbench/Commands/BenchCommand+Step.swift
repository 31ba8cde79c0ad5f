import ArgumentParser
import Foundation
import TensorRuntime

extension BenchCommand {
    struct Step: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One training step of a U-Net: forward, backward, update.",
            discussion: """
                The difference is max|a - b| / max|b| of the loss and of the gradient as one vector, before the first update. \
                The worst tensor alone differs more, between any two programs: a pre-activation that one of them rounds to the \
                other side of zero changes the gradient of its channel by a few per cent.

                  llmbench bench step --base 64 --size 256 --batch 2 --against pytorch --json
                  llmbench bench step --case unet3d-b2 --against pytorch

                Cases: \(BenchCase.names(.step)).
                """)

        @OptionGroup var options: Options
        @OptionGroup var selection: CaseSelection

        func run() async throws { try selection.run(.step, options, "training step") }
    }

    struct Infer: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One prediction of a U-Net: from a batch of images to probabilities.",
            discussion: """
                  llmbench bench infer --against pytorch --json
                  llmbench bench infer --case base64-256-b2 --against pytorch

                Cases: \(BenchCase.names(.infer)).
                """)

        @OptionGroup var options: Options
        @OptionGroup var selection: CaseSelection

        func run() async throws { try selection.run(.infer, options, "prediction") }
    }

    /// A named case instead of base, size and batch.
    struct CaseSelection: ParsableArguments {
        @Option(name: .customLong("case"), help: "A named case; it decides network, size and batch.")
        var name: String?

        @Flag(help: "Say where our time goes, operation by operation, instead of comparing.")
        var profile = false

        @Flag(help: .hidden)
        var peak = false

        func run(_ kind: BenchCase.Kind, _ options: Options, _ what: String) throws {
            let chosen = try name.map { try BenchCase.named($0, kind) }
            let network = chosen?.network ?? BenchNetwork(base: options.base, size: options.size)
            let batch = chosen?.batch ?? options.batch
            if peak {
                return try BenchSides.printPeak(network, kind, batch: batch, threads: options.threadCount)
            }
            if profile {
                let sides = try BenchSides(network, kind, batch: batch, threads: options.threadCount, against: [])
                return try BenchProfile(sides, runs: options.rounds).print(json: options.output.json)
            }
            let sides = try BenchSides(
                network, kind, batch: batch, threads: options.threadCount, against: options.against.map { [$0] } ?? [])
            let difference = try sides.differences().first
            let bar = ProgressBar(title: "bench \(kind.rawValue)", total: options.rounds)
            let timings = try sides.measure(rounds: options.rounds, repeats: options.repeats) { bar.update($0) }
            bar.finish()
            var result = BenchResult(
                ours: timings[0].wall, theirs: timings.count > 1 ? timings[1].wall : nil,
                operations: sides.operations, threads: options.threadCount)
            result.maxDifference = difference?.whole
            result.worstTensorDifference = difference?.worstTensor
            result.pytorch = sides.version
            result.against = options.against?.rawValue
            result.processorSeconds = timings[0].processor.median
            result.theirProcessorSeconds = timings.count > 1 ? timings[1].processor.median : nil
            if options.output.json { return try JSONOption.print(result) }
            result.printTable(chosen?.title ?? what)
        }
    }
}
