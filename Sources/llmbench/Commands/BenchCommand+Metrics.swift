import ArgumentParser
import Foundation
import Metrics

extension BenchCommand {
    struct Metrics: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Surface distances beside scipy's, on pairs of masks made for it.",
            discussion: """
                Both sides get the same masks, work in turn in one run with one thread, and must give the same numbers. HD95 is the \
                larger of the two directions' 95th percentiles. scipy's side is what MedPy does, a distance transform of the whole \
                frame for each direction; the second column of ratios is against scipy within the window that holds both masks, \
                which is where ours looks.

                  llmbench bench metrics
                  llmbench bench metrics --size 256 --json
                """)

        @Option(help: "Height and width of the masks.")
        var size = 512

        @Option(help: "Rounds after the warm-up; the median counts.")
        var rounds = 7

        @OptionGroup var output: JSONOption

        private struct Row: Encodable {
            var masks: String
            var hd95: Double
            /// scipy's and ours, of HD95 and of the distance transform's mean.
            var maxDifference: Double
            var oursS: Double
            var theirsS: Double
            var ratio: Double
            var theirsCroppedS: Double
            var ratioCropped: Double
            var transformOursS: Double
            var transformTheirsS: Double
            var transformRatio: Double
        }

        func validate() throws {
            guard (16...4096).contains(size) else { throw ValidationError("the size is 16 to 4096") }
            try BenchCommand.requireRounds(rounds)
        }

        func run() throws {
            let peer = try PythonPeer("scipy", script: "Benchmarks/metrics_bench.py", arguments: [], threads: 1)
            let folder = try BenchFolder()
            let pairs = try BenchMasks.pairs(size: size)
            let bar = ProgressBar(title: "bench metrics", total: pairs.count)
            var rows: [Row] = []
            for (index, pair) in pairs.enumerated() {
                bar.update(index, note: pair.name)
                rows.append(try measure(pair, peer, folder))
            }
            bar.finish()
            if output.json { return try JSONOption.print(rows) }
            print("Machine: \(BenchMachine.line). \(size)×\(size) pixels, one thread, scipy \(peer.version).\n")
            var table = TextTable([
                ("masks", .left), ("HD95 px", .right), ("ours ms", .right), ("scipy ms", .right), ("ratio", .right),
                ("scipy, window ms", .right), ("ratio", .right), ("transform ms", .right), ("scipy ms", .right),
                ("ratio", .right),
            ])
            for row in rows {
                func ms(_ seconds: Double) -> String { String(format: "%.2f", seconds * 1e3) }
                func times(_ ratio: Double) -> String { String(format: "%.1f", ratio) }
                table.add([
                    row.masks, String(format: "%.2f", row.hd95), ms(row.oursS), ms(row.theirsS), times(row.ratio),
                    ms(row.theirsCroppedS), times(row.ratioCropped), ms(row.transformOursS), ms(row.transformTheirsS),
                    times(row.transformRatio),
                ])
            }
            print(table.render())
            print("\nRatios are scipy's median over ours: above 1 ours is faster. Both sides agree to 1e-6.")
        }

        private func measure(_ pair: BenchMasks.Pair, _ peer: PythonPeer, _ folder: BenchFolder) throws -> Row {
            let file = folder.file("masks.bin")
            try Data(pair.predicted.values + pair.truth.values).write(to: file)
            try peer.ask("load \(file.path) \(size) \(size)")
            func hd95() throws -> Double {
                try SurfaceDistances(predicted: pair.predicted, truth: pair.truth).hausdorff95
            }
            func transform() -> Double { DistanceTransform.distances(to: pair.truth).reduce(0, +) }
            let distance = try hd95()
            let pixels = Double(size * size)
            let differences = [
                abs(distance - (try peer.ask("hd95 1").value ?? .nan)),
                abs(distance - (try peer.ask("hd95-cropped 1").value ?? .nan)),
                abs(transform() - (try peer.ask("transform 1").value ?? .nan)) / pixels,
            ]
            let difference = differences.max() ?? .nan
            guard differences.allSatisfy({ $0 <= 1e-6 * max(1, distance) }) else {
                throw CommandFailure.failed(
                    "our distances and scipy's differ by \(differences) pixels on \(pair.name)")
            }
            let (ours, theirs) = try alternate(peer, "hd95") { _ = try hd95() }
            let (_, cropped) = try alternate(peer, "hd95-cropped") {}
            let (oursTransform, theirTransform) = try alternate(peer, "transform") {
                _ = DistanceTransform.distances(to: pair.truth)
            }
            return Row(
                masks: pair.name, hd95: distance, maxDifference: difference, oursS: ours.median, theirsS: theirs.median,
                ratio: theirs.median / ours.median, theirsCroppedS: cropped.median,
                ratioCropped: cropped.median / ours.median, transformOursS: oursTransform.median,
                transformTheirsS: theirTransform.median, transformRatio: theirTransform.median / oursTransform.median)
        }

        /// Both sides in turn, of each as many repetitions a round as take a tenth of a second.
        private func alternate(
            _ peer: PythonPeer, _ command: String, _ work: () throws -> Void
        ) throws -> (ours: Timings, theirs: Timings) {
            func repeats(_ seconds: Double) -> Int { max(1, min(1000, Int(0.1 / max(seconds, 1e-6)))) }
            let (count, theirCount) = (repeats(try Timings.measure(work)), repeats(try peer.time("\(command) 1")))
            var (ours, theirs) = (Timings(), Timings())
            for _ in 0..<rounds {
                ours.add(try Timings.measure { for _ in 0..<count { try work() } } / Double(count))
                theirs.add(try peer.time("\(command) \(theirCount)"))
            }
            return (ours, theirs)
        }
    }
}

/// Masks of the kinds that segmentation meets, and the worst for a distance transform.
enum BenchMasks {
    struct Pair {
        var name: String
        var predicted: Mask
        var truth: Mask
    }

    static func pairs(size: Int) throws -> [Pair] {
        let side = Double(size)
        func blob(_ cx: Double, _ cy: Double, _ radius: Double, waves: Double) throws -> Mask {
            try mask(size) { x, y in
                let (dx, dy) = ((x - cx * side), (y - cy * side))
                let reach = radius * side * (1 + 0.15 * sin(waves * atan2(dy, dx)))
                return dx * dx + dy * dy < reach * reach
            }
        }
        var state: UInt64 = 7
        func speckle() throws -> Mask {
            try mask(size) { _, _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return state >> 40 & 255 < 12
            }
        }
        return [
            Pair(
                name: "a lesion", predicted: try blob(0.5, 0.52, 0.22, waves: 5),
                truth: try blob(0.48, 0.5, 0.24, waves: 7)),
            Pair(
                name: "most of the frame", predicted: try blob(0.5, 0.5, 0.45, waves: 9),
                truth: try blob(0.5, 0.5, 0.42, waves: 4)),
            Pair(
                name: "small and far", predicted: try blob(0.1, 0.1, 0.04, waves: 3),
                truth: try blob(0.9, 0.88, 0.05, waves: 3)),
            Pair(name: "speckles all over", predicted: try speckle(), truth: try speckle()),
        ]
    }

    private static func mask(_ size: Int, _ isInside: (Double, Double) -> Bool) throws -> Mask {
        var values = [UInt8](repeating: 0, count: size * size)
        for y in 0..<size {
            for x in 0..<size where isInside(Double(x) + 0.5, Double(y) + 0.5) { values[y * size + x] = 1 }
        }
        return try Mask(width: size, height: size, values: values)
    }
}
