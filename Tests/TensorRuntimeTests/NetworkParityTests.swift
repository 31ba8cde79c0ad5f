import Foundation
import TensorRuntime
import Testing

/// Ten U-Nets of different make (Tests/Fixtures/runtime/networks.py) trained beside PyTorch from the same weights on the same
/// batches. What a difference means is measured, not guessed: PyTorch trains each network three times, in its default layout, in
/// channels-last, whose kernels add in another order, and from weights that are off by a millionth, the rounding error of one
/// convolution by Winograd's algorithm. (PyTorch uses the same kernels for both layouts of some networks, and then its own
/// difference is the last bit.) Rounding grows exponentially in training, so one comparison says little and the mean of its
/// logarithm is what to average: in `scripts/verify` differences are geometric means over three seeds; the sample has a seed that
/// was chosen once.
struct NetworkParityTests {
    private static let steps = 50

    private static let names = [
        "plain", "residual", "attention gates", "squeeze and excitation", "bilinear", "nested", "group norm", "dropout",
        "deep supervision", "3-D",
    ]

    /// All ten from three seeds in `scripts/verify`, three of them from one seed otherwise.
    @Test("U-Nets train 50 steps beside PyTorch, as near as PyTorch in another layout or perturbed, times three")
    func trainsAsPyTorchDoes() throws {
        let seed = PythonReference.seed("trainsAsPyTorchDoes", sample: 6)
        var random = KernelRandom(seed: UInt64(seed))
        let sample = (0..<3).map { Self.names[($0 * 3 + random.int(0...2) + seed % 10) % 10] }
        let names = PythonReference.isVerifying ? Self.names : sample
        var differences: [String: [Difference]] = [:]
        for run in 0..<(PythonReference.isVerifying ? 3 : 1) {
            try PythonReference.withFolder { folder in
                try PythonReference.run(
                    "network_reference.py",
                    [folder.path, PythonReference.captureHelper.path, "\(seed + run)", "\(Self.steps)"] + names)
                for (number, name) in names.enumerated() {
                    for (what, difference) in try train(name, folder.appending(path: "\(number)")) {
                        differences["\(name), \(what)", default: []].append(difference)
                    }
                }
            }
        }
        #expect(differences.count == 2 * names.count)
        for (place, found) in differences.sorted(by: { $0.key < $1.key }) {
            let ours = Self.geometricMean(found.map(\.ours))
            let layouts = Self.geometricMean(found.map(\.layouts))
            let perturbed = Self.geometricMean(found.map(\.perturbed))
            print(
                "trainsAsPyTorchDoes: \(place): ours \(ours), PyTorch's layouts \(layouts), perturbed \(perturbed), "
                    + "values up to \(found[0].size)")
            #expect(ours <= 3 * max(layouts, perturbed), "\(place)")
            for one in found { #expect(one.ours <= 30 * max(one.layouts, one.perturbed), "\(place), in one training") }
        }
    }

    /// Largest differences from PyTorch's default layout, and the largest value.
    private struct Difference {
        var ours: Float
        var layouts: Float
        var perturbed: Float
        var size: Float
    }

    private static func geometricMean(_ values: [Float]) -> Float {
        exp(values.map { log(max($0, 1e-8)) }.reduce(0, +) / Float(values.count))
    }

    private func train(_ name: String, _ folder: URL) throws -> [(String, Difference)] {
        func graph(_ kind: String) throws -> Graph {
            try Graph(contentsOf: folder.appending(path: "\(kind)-graph.json"))
        }
        func tensors(_ file: String) throws -> [String: Tensor] {
            try SafeTensors(contentsOf: folder.appending(path: "\(file).safetensors")).tensors()
        }
        let (start, masks, result) = (try tensors("start"), try tensors("masks"), try tensors("result"))
        let session = try GraphSession(
            train: graph("train"), evaluation: graph("eval"), tensors: start, options: RuntimeOptions(threads: 2))
        let optimizer = try Optimizer(.adam(.init(learningRate: 1e-3)), parameters: session.parameters, threads: 2)
        var drawn: [Int: [Int: Tensor]] = [:]
        for (key, mask) in masks {
            let parts = key.split(separator: ".").compactMap { Int($0) }
            drawn[parts[0], default: [:]][parts[1]] = mask
        }
        var losses: [Float] = []
        for step in 0..<Self.steps {
            try session.setMasks(drawn[step] ?? [:])
            let batch = [
                "image": try #require(start["image.\(step % 8)"]), "mask": try #require(start["mask.\(step % 8)"]),
            ]
            losses.append(try session.step(batch))
            try optimizer.step(session.parameters)
        }
        let output = try session.predict(["image": try #require(start["held"])])
        #expect(losses[Self.steps - 1] < losses[0], "\(name) learns")
        return try [("loss", losses), ("output", Array(output.values))].map { what, ours in
            let plain = Array(try #require(result["\(what).default"]).values)
            let other = Array(try #require(result["\(what).channels_last"]).values)
            let perturbed = Array(try #require(result["\(what).perturbed"]).values)
            return (
                what,
                Difference(
                    ours: largestDifference(ours, plain), layouts: largestDifference(other, plain),
                    perturbed: largestDifference(perturbed, plain), size: plain.map(abs).max() ?? 0)
            )
        }
    }

    private func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
        guard a.count == b.count else { return .infinity }
        return zip(a, b).map { abs($0 - $1) }.reduce(0) { $1.isNaN || $0.isNaN ? .nan : max($0, $1) }
    }
}
