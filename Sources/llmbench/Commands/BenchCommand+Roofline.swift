import ArgumentParser
import Foundation
import TensorRuntime

extension BenchCommand {
    struct Roofline: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What this machine can do at best: products a second, and bytes from caches and memory.",
            discussion: """
                The figures of `bench table` and `bench conv` count the products of the definition. F(4×4, 3×3) does with a quarter \
                of them, so its roof is four times the one printed here. A copy has as much to read as to write. Takes 256 MiB a \
                thread; without fused multiply-adds in the build, a multiplication and an addition count as two all the same.

                  llmbench bench roofline --threads 1
                """)

        @Option(help: "Threads; LLMBENCH_THREADS or the number of cores when not given.")
        var threads: Int?

        @OptionGroup var output: JSONOption

        private struct Roofs: Encodable {
            struct Traffic: Encodable {
                var mebibytes: Int
                var readGigabytes: Double
                var copyGigabytes: Double
            }
            var threads: Int
            var gigaflops: Double
            var traffic: [Traffic]
        }

        func validate() throws {
            guard (1...64).contains(threads ?? 1) else { throw ValidationError("threads must be 1 to 64") }
        }

        func run() throws {
            let pool = ThreadPool(threads: Options.threadCount(threads))
            func best(_ measure: () -> Double) -> Double { (0..<5).map { _ in measure() }.max() ?? 0 }
            var roofs = Roofs(
                threads: pool.threadCount, gigaflops: best { MachineProbe.operationsPerSecond(pool: pool) / 1e9 },
                traffic: [])
            for mebibytes in [1, 8, 128] {
                func rate(_ copies: Bool) -> Double {
                    best {
                        MachineProbe.bytesPerSecond(
                            copies: copies, bytes: mebibytes << 20, pool: pool, passes: max(1, 256 / mebibytes)) / 1e9
                    }
                }
                roofs.traffic.append(
                    Roofs.Traffic(mebibytes: mebibytes, readGigabytes: rate(false), copyGigabytes: rate(true)))
            }
            if output.json { return try JSONOption.print(roofs) }
            print("Machine: \(BenchMachine.line). \(roofs.threads) threads, best of five.\n")
            print(String(format: "Fused multiply-adds: %.0f GFLOP/s\n", roofs.gigaflops))
            var table = TextTable([("MiB a thread", .right), ("read GB/s", .right), ("copy GB/s", .right)])
            for row in roofs.traffic {
                table.add([
                    "\(row.mebibytes)", String(format: "%.0f", row.readGigabytes),
                    String(format: "%.0f", row.copyGigabytes),
                ])
            }
            print(table.render())
        }
    }
}
