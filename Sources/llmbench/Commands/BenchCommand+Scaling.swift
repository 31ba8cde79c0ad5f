import ArgumentParser
import Foundation
import TensorRuntime

extension BenchCommand {
    struct Scaling: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forward and backward of the U-Net at growing sizes, with one thread and with all.",
            discussion: """
                Cost per pixel is the time of a step without the optimizer over the pixels of the batch. Base 16 from 128×128, \
                batch 2, to 512×512, batch 16; base 64 as far as the plan of its memory stays within --memory.

                  llmbench bench scaling --memory 12
                """)

        @Option(help: "Threads of the second measurement; LLMBENCH_THREADS or the number of cores when not given.")
        var threads: Int?

        @Option(help: "GiB that a plan may take, parameters and gradients included.")
        var memory = 12

        @Option(help: "Only the networks with this many channels at the first level: 16 or 64.")
        var base: Int?

        @Option(help: "Measurements after a warm-up; the median counts.")
        var rounds = 3

        @OptionGroup var output: JSONOption

        private struct Row: Encodable {
            var base: Int
            var size: Int
            var batch: Int
            var gibibytes: Double
            var seconds: Double
            var secondsOneThread: Double
            var nanosecondsPerPixel: Double
            var speedup: Double
        }

        func validate() throws {
            guard (threads ?? 1) > 0, (1...1024).contains(memory) else {
                throw ValidationError("threads must be positive, the memory 1 to 1024 GiB")
            }
            try BenchCommand.requireRounds(rounds)
            guard base.map([16, 64].contains) ?? true else { throw ValidationError("base is 16 or 64") }
        }

        func run() async throws {
            let count = Options.threadCount(threads)
            let plan = [
                (16, [(128, 2), (128, 8), (256, 2), (256, 8), (512, 2), (512, 8), (512, 16)]),
                (64, [(128, 2), (128, 8), (256, 2), (256, 8), (512, 2), (512, 4), (512, 8)]),
            ].filter { base == nil || $0.0 == base }
            let bar = ProgressBar(title: "bench scaling", total: plan.reduce(0) { $0 + $1.1.count })
            var (rows, skipped, done): ([Row], [String], Int) = ([], [], 0)
            // Each row is printed when it is there: the last ones take minutes.
            if !output.json {
                print("Machine: \(BenchMachine.line). Threads: 1 and \(count).\n")
                print(
                    """
                    | base | size | batch | plan GiB | s | ns a pixel | s, one thread | speed-up |
                    |---|---|---|---|---|---|---|---|
                    """)
            }
            for (base, sizes) in plan {
                for (size, batch) in sizes {
                    bar.update(done, note: "base \(base), \(size)×\(size), batch \(batch)")
                    done += 1
                    if let row = try measure(base, size, batch, count) {
                        rows.append(row)
                        if !output.json { show(row) }
                    } else {
                        skipped.append("base \(base), \(size)×\(size), batch \(batch)")
                    }
                }
            }
            bar.finish()
            if output.json { return try JSONOption.print(rows) }
            for text in skipped { print("\nNot measured, the plan takes more than \(memory) GiB: \(text).") }
        }

        private func show(_ row: Row) {
            print(
                String(
                    format: "| %d | %d×%d | %d | %.1f | %.3f | %.0f | %.3f | %.2f |", row.base, row.size, row.size,
                    row.batch, row.gibibytes, row.seconds, row.nanosecondsPerPixel, row.secondsOneThread, row.speedup))
            fflush(nil)
        }

        /// Nil when the plan takes more memory than allowed.
        ///
        /// Where both plans fit at once, one thread and all take turns, so that what else the machine does meets both; the
        /// speed-up is the median of the rounds' ratios.
        private func measure(_ base: Int, _ size: Int, _ batch: Int, _ count: Int) throws -> Row? {
            let network = BenchNetwork(base: base, size: size)
            let data = try BenchData.batch(batch, network)
            let parameters = try ParameterStore(graphs: [network.train], tensors: network.initialTensors())
            func bytes(_ threads: Int) throws -> Int {
                try MemoryRequirement(
                    of: network.train, batch: batch, parameters: parameters, options: RuntimeOptions(threads: threads)
                ).total
            }
            /// Seconds of one step with some threads, measured at each call.
            func side(_ threads: Int) throws -> () throws -> Double {
                let compiled = try CompiledGraph(
                    graph: network.train, batch: batch, parameters: parameters,
                    options: RuntimeOptions(threads: threads))
                _ = try compiled.step(data)
                // As `bench table` does: steps of a few milliseconds are timed by the third of a second, and warmed up as long,
                // or caches and sleeping cores are what is measured.
                let once = try Timings.measure { _ = try compiled.step(data) }
                let repeats = max(1, min(20, Int((0.35 / once).rounded(.up))))
                func unit() throws { for _ in 0..<repeats { _ = try compiled.step(data) } }
                try unit()
                return { try Timings.measure(unit) / Double(repeats) }
            }
            let (bytesOne, bytesAll) = (try bytes(1), try bytes(count))
            guard max(bytesOne, bytesAll) <= memory << 30 else { return nil }
            var (one, all, ratios) = (Timings(), Timings(), Timings())
            if bytesOne + bytesAll <= memory << 30 {
                let (alone, together) = (try side(1), try side(count))
                for _ in 0..<rounds {
                    let (a, b) = (try alone(), try together())
                    one.add(a)
                    all.add(b)
                    ratios.add(a / b)
                }
            } else {
                func measure(_ threads: Int, into timings: inout Timings) throws {
                    let step = try side(threads)
                    for _ in 0..<rounds { timings.add(try step()) }
                }
                try measure(1, into: &one)
                try measure(count, into: &all)
                ratios.add(one.median / all.median)
            }
            return Row(
                base: base, size: size, batch: batch, gibibytes: Double(bytesAll) / Double(1 << 30),
                seconds: all.median, secondsOneThread: one.median,
                nanosecondsPerPixel: all.median * 1e9 / Double(batch * size * size), speedup: ratios.median)
        }
    }
}
