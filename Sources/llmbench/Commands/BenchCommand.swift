import ArgumentParser
import Foundation
import TensorRuntime

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the runtime side by side with PyTorch, and the metrics side by side with scipy.",
        discussion: """
            Both sides get the same weights and the same batch, work in turn, and are compared before they are timed. The ratio is \
            PyTorch's median time over ours: above 1 means ours is faster.

              llmbench bench table
              llmbench bench step --against pytorch
              llmbench bench infer --base 32 --size 256 --batch 2 --against pytorch-channels-last --json
              llmbench bench conv --explain
              llmbench bench metrics
            """,
        subcommands: [Table.self, Step.self, Infer.self, Conv.self, Scaling.self, Roofline.self, Metrics.self]
    )

    /// What a side of the comparison is called on the command line.
    enum Opponent: String, ExpressibleByArgument, CaseIterable {
        case pytorch
        case pytorchChannelsLast = "pytorch-channels-last"

        var layout: String { self == .pytorch ? "contiguous" : "channels-last" }
    }

    struct Options: ParsableArguments {
        @Option(help: "Channels of the U-Net's first level.")
        var base = 16

        @Option(help: "Height and width of the images; a multiple of 16.")
        var size = 128

        @Option(help: "Images a batch.")
        var batch = 8

        @Option(help: "Threads of either side; LLMBENCH_THREADS or the number of cores when not given.")
        var threads: Int?

        @Option(help: "Rounds after the warm-up; the median counts.")
        var rounds = 5

        @Option(help: "Repetitions a round.")
        var repeats = 3

        @Option(help: "Which side to compare with: \(Opponent.allCases.map(\.rawValue).joined(separator: ", ")).")
        var against: Opponent?

        @OptionGroup var output: JSONOption

        func validate() throws {
            guard base > 0, base <= 512, batch > 0, batch <= 1024, (threads ?? 1) > 0 else {
                throw ValidationError("base (1 to 512), batch (1 to 1024) and threads must be positive")
            }
            try BenchCommand.requireRounds(rounds)
            try BenchCommand.requireRounds(repeats, "--repeats")
            guard size > 0, size % 16 == 0, size <= 2048 else {
                throw ValidationError("the size \(size) is no multiple of 16 up to 2048")
            }
        }

        var threadCount: Int { Self.threadCount(threads) }

        static func threadCount(_ threads: Int?) -> Int { RuntimeOptions(threads: threads).threads }
    }
}

/// Times of one side, in seconds.
struct Timings {
    private(set) var seconds: [Double] = []

    mutating func add(_ time: Double) {
        seconds.append(time)
    }

    var median: Double {
        let sorted = seconds.sorted()
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    var least: Double { seconds.min() ?? .nan }
    var most: Double { seconds.max() ?? .nan }

    /// Seconds that `body` takes.
    static func measure(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        let elapsed = ContinuousClock.now - start
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    }
}

/// What `bench` reports; the first four fields are fixed for scripts.
struct BenchResult: Encodable {
    var oursSeconds: Double
    var theirsSeconds: Double?
    var ratio: Double?
    var maxDifference: Double?
    var worstTensorDifference: Double?
    var oursSpread: [Double]
    var theirsSpread: [Double]?
    var gigaflops: Double
    var theirGigaflops: Double?
    var threads: Int
    var pytorch: String?
    var against: String?
    /// Of all threads; with one thread the yardstick on a machine that others use too.
    var processorSeconds: Double?
    var theirProcessorSeconds: Double?

    enum CodingKeys: String, CodingKey {
        case ratio, threads, pytorch, against
        case oursSeconds = "ours_s"
        case theirsSeconds = "theirs_s"
        case maxDifference = "max_difference"
        case worstTensorDifference = "worst_tensor_difference"
        case oursSpread = "ours_spread_s"
        case theirsSpread = "theirs_spread_s"
        case gigaflops = "ours_gflops"
        case theirGigaflops = "theirs_gflops"
        case processorSeconds = "ours_cpu_s"
        case theirProcessorSeconds = "theirs_cpu_s"
    }

    /// - Parameter operations: multiplications and additions of the convolutions by definition, the yardstick of GFLOP/s.
    init(ours: Timings, theirs: Timings?, operations: Double, threads: Int) {
        oursSeconds = ours.median
        theirsSeconds = theirs?.median
        ratio = theirs.map { $0.median / ours.median }
        oursSpread = [ours.least, ours.most]
        theirsSpread = theirs.map { [$0.least, $0.most] }
        gigaflops = operations / ours.median / 1e9
        theirGigaflops = theirs.map { operations / $0.median / 1e9 }
        self.threads = threads
    }

    func printTable(_ what: String) {
        var table = TextTable([
            (what, .left), ("median", .right), ("least", .right), ("most", .right), ("GFLOP/s", .right),
        ])
        table.add(["ours", time(oursSeconds), time(oursSpread[0]), time(oursSpread[1]), decimals(gigaflops, 0)])
        if let seconds = theirsSeconds, let spread = theirsSpread, let rate = theirGigaflops {
            table.add([
                "\(against ?? "") \(pytorch ?? "")", time(seconds), time(spread[0]), time(spread[1]), decimals(rate, 0),
            ])
        }
        print(table.render())
        if let ratio, let difference = maxDifference {
            print(
                "ratio \(decimals(ratio, 2)) (above 1: ours is faster), relative difference \(String(format: "%.1e", difference))"
            )
        }
    }

    private func time(_ seconds: Double) -> String {
        "\(decimals(seconds * 1000, 1)) ms"
    }

    private func decimals(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }
}

/// The Euclidean norm.
func norm(_ values: [Float]) -> Double {
    values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
}

/// max|a - b| / max|b|.
func relativeDifference(_ a: [Float], _ b: [Float]) -> Double {
    guard a.count == b.count else { return .infinity }
    var (largest, difference): (Float, Float) = (0, 0)
    for (x, y) in zip(a, b) {
        guard x.isFinite, y.isFinite else { return .nan }
        largest = max(largest, abs(y))
        difference = max(difference, abs(x - y))
    }
    return largest == 0 ? Double(difference) : Double(difference / largest)
}

/// A folder for the files that both sides read, removed with the value.
final class BenchFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(
            path: "llmbench-bench-\(UUID().uuidString)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func file(_ name: String) -> URL {
        url.appending(path: name)
    }
}

extension BenchCommand {
    /// Refuses a number of rounds that would never end, or that measures nothing.
    static func requireRounds(_ count: Int, _ option: String = "--rounds") throws {
        guard (1...10_000).contains(count) else {
            throw ValidationError("\(option) \(count): give a number from 1 to 10000")
        }
    }
}
