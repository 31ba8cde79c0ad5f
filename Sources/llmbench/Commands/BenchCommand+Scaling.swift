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
            guard rounds > 0, (threads ?? 1) > 0, (1...1024).contains(memory) else {
                throw ValidationError("rounds and threads must be positive, the memory 1 to 1024 GiB")
            }
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
        private func measure(_ base: Int, _ size: Int, _ batch: Int, _ count: Int) throws -> Row? {
            let network = BenchNetwork(base: base, size: size)
            let data = try BenchData.batch(batch, network)
            let graph = network.train
            let parameters = try ParameterStore(graphs: [graph], tensors: network.initialTensors())
            func time(_ threads: Int) throws -> (seconds: Double, bytes: Int)? {
                let options = RuntimeOptions(threads: threads)
                let bytes = try MemoryRequirement(
                    of: graph, batch: batch, parameters: parameters, options: options
                ).total
                guard bytes <= memory << 30 else { return nil }
                let compiled = try CompiledGraph(graph: graph, batch: batch, parameters: parameters, options: options)
                _ = try compiled.step(data)
                // As `bench table` does: steps of a few milliseconds are timed by the third of a second, and warmed up as long,
                // or caches and sleeping cores are what is measured.
                let once = try Timings.measure { _ = try compiled.step(data) }
                let repeats = max(1, min(20, Int((0.35 / once).rounded(.up))))
                func unit() throws { for _ in 0..<repeats { _ = try compiled.step(data) } }
                try unit()
                var timings = Timings()
                for _ in 0..<rounds { timings.add(try Timings.measure(unit) / Double(repeats)) }
                return (timings.median, bytes)
            }
            guard let one = try time(1), let all = try time(count) else { return nil }
            return Row(
                base: base, size: size, batch: batch, gibibytes: Double(all.bytes) / Double(1 << 30),
                seconds: all.seconds, secondsOneThread: one.seconds,
                nanosecondsPerPixel: all.seconds * 1e9 / Double(batch * size * size), speedup: one.seconds / all.seconds
            )
        }
    }
}
