import ArgumentParser
import Foundation

extension BenchCommand {
    struct Table: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "All named cases against both of PyTorch's layouts, as a Markdown table.",
            discussion: """
                Each case is measured alternately: ours, PyTorch's default layout, channels last, for each round. Peaks of resident \
                memory are those of processes of their own that do two units of work; what a process has before it builds the \
                network (for PyTorch its libraries) is taken off in the second share. Takes about ten minutes.

                  llmbench bench table
                  llmbench bench table --case base16-128-b8 --rounds 3
                """)

        @Option(name: .customLong("case"), help: "Only the cases of this name.")
        var name: String?

        @Option(help: "Threads of either side; LLMBENCH_THREADS or the number of cores when not given.")
        var threads: Int?

        @Option(help: "Rounds after the warm-up; the median counts.")
        var rounds = 5

        @Flag(help: "Leave the memory out.")
        var noMemory = false

        @OptionGroup var output: JSONOption

        func validate() throws {
            guard (threads ?? 1) > 0 else { throw ValidationError("threads must be positive") }
            try BenchCommand.requireRounds(rounds)
            if let name, !BenchCase.all.contains(where: { $0.name == name }) {
                throw ValidationError(
                    "there is no case '\(name)'; there are \(Set(BenchCase.all.map(\.name)).sorted().joined(separator: ", "))"
                )
            }
        }

        /// One case; times in seconds, memory in bytes.
        struct Row: Encodable {
            struct Side: Encodable {
                var name: String
                var seconds: Double
                var least: Double
                var most: Double
                var processorSeconds: Double
                var gigaflops: Double
                var ratio: Double?
                var goal: Double?
                var difference: Double?
                var worstTensorDifference: Double?
                var peak: Int?
                var start: Int?
            }

            var name: String
            var title: String
            var sides: [Side]
        }

        private struct Report: Encodable {
            var machine: String
            var pytorch: String
            var threads: Int
            var rounds: Int
            var cases: [Row]
        }

        func run() async throws {
            let count = Options.threadCount(threads)
            let machine = BenchMachine.line
            let cases = BenchCase.all.filter { name == nil || $0.name == name }
            let bar = ProgressBar(title: "bench table", total: cases.count * rounds)
            var (rows, version): ([Row], String) = ([], "")
            for (index, item) in cases.enumerated() {
                bar.update(index * rounds, note: item.title)
                let (row, found) = try measure(item, count) { bar.update(index * rounds + $0, note: item.title) }
                rows.append(row)
                version = found
            }
            bar.finish()
            let report = Report(machine: machine, pytorch: version, threads: count, rounds: rounds, cases: rows)
            if output.json { return try JSONOption.print(report) }
            print(markdown(report))
        }

        private func measure(
            _ item: BenchCase, _ threads: Int, _ progress: (Int) -> Void
        ) throws -> (row: Row, version: String) {
            let opponents = Opponent.allCases
            let goals = [item.goal.contiguous, item.goal.channelsLast]
            var (sides, version): ([Row.Side], String) = ([], "")
            do {
                let both = try BenchSides(
                    item.network, item.kind, batch: item.batch, threads: threads, against: opponents)
                version = both.version ?? ""
                let differences = try both.differences()
                let timings = try both.measure(rounds: rounds, repeats: nil, progress)
                for (index, timing) in timings.enumerated() {
                    let seconds = timing.wall.median
                    var side = Row.Side(
                        name: index == 0 ? "ours" : opponents[index - 1].rawValue, seconds: seconds,
                        least: timing.wall.least, most: timing.wall.most,
                        processorSeconds: timing.processor.median, gigaflops: both.operations / seconds / 1e9)
                    if index > 0 {
                        side.ratio = seconds / sides[0].seconds
                        side.goal = goals[index - 1]
                        side.difference = differences[index - 1].whole
                        side.worstTensorDifference = differences[index - 1].worstTensor
                    }
                    sides.append(side)
                }
            }
            if !noMemory {
                let mine = try BenchSides.ourPeak([
                    "bench", item.kind.rawValue, "--case", item.name, "--threads", "\(threads)",
                ])
                (sides[0].peak, sides[0].start) = (mine.peak, mine.start)
                for (index, opponent) in opponents.enumerated() {
                    let theirs = try BenchSides.theirPeak(
                        item.network, item.kind, batch: item.batch, threads: threads, opponent)
                    (sides[index + 1].peak, sides[index + 1].start) = (theirs.peak, theirs.start)
                }
            }
            return (Row(name: item.name, title: item.title, sides: sides), version)
        }

        private func markdown(_ report: Report) -> String {
            var lines = [
                "Machine: \(report.machine). \(report.threads) threads, PyTorch \(report.pytorch), \(report.rounds) rounds.",
                "",
                "| case | side | median s (least to most) | GFLOP/s | ratio | goal | CPU ratio | difference | peak MB | ours/theirs | without start |",
                "|---|---|---|---|---|---|---|---|---|---|---|",
            ]
            func number(_ value: Double?, _ format: String) -> String {
                value.map { String(format: format, $0) } ?? "–"
            }
            for row in report.cases {
                let ours = row.sides[0]
                for side in row.sides {
                    let isOurs = side.name == "ours"
                    let times = String(format: "%.3f (%.3f to %.3f)", side.seconds, side.least, side.most)
                    let share = side.peak.flatMap { peak in ours.peak.map { Double($0) / Double(peak) } }
                    let net = side.peak.flatMap { peak in
                        ours.peak.map { Double($0 - (ours.start ?? 0)) / Double(max(peak - (side.start ?? 0), 1)) }
                    }
                    let cells = [
                        isOurs ? row.title : "", side.name, times, number(side.gigaflops, "%.0f"),
                        number(side.ratio, "%.2f"), number(side.goal, "%.1f"),
                        isOurs ? "–" : number(side.processorSeconds / ours.processorSeconds, "%.2f"),
                        number(side.difference, "%.1e"), number(side.peak.map { Double($0) / 1e6 }, "%.0f"),
                        isOurs ? "–" : number(share, "%.2f"), isOurs ? "–" : number(net, "%.2f"),
                    ]
                    lines.append("| " + cells.joined(separator: " | ") + " |")
                }
            }
            return lines.joined(separator: "\n")
        }
    }
}
