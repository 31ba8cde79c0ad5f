import Foundation
import TensorRuntime
import Testing

/// Self-attention, as `Attention` of `eager_reference.py`.
private final class SelfAttention: Layer {
    let mix: MultiheadAttention

    init(_ features: Int, _ heads: Int) { mix = MultiheadAttention(features, heads: heads) }
    override func forward(_ x: Variable) throws -> Variable { try mix(x) }
}

/// The modules of `LAYERS` in `eager_reference.py`, by name.
private let layers: [String: @Sendable () -> Layer] = [
    "conv2d": { Conv2d(4, 6, kernel: [3, 1], stride: [2, 1], padding: [1, 0], groups: 2, bias: false) },
    "conv2d_circular": { Conv2d(3, 5, kernel: 3, padding: [1, 2], paddingMode: .circular) },
    "conv2d_replicate": { Conv2d(3, 5, kernel: 3, padding: 1, paddingMode: .replicate) },
    "conv1d": { Conv1d(4, 6, kernel: 3, stride: 2, padding: 1, dilation: 2, groups: 2) },
    "conv3d": { Conv3d(2, 3, kernel: [1, 3, 3], padding: [0, 1, 1]) },
    "conv_transpose1d": { ConvTranspose1d(4, 6, kernel: 4, stride: 2, padding: 1) },
    "conv_transpose3d": { ConvTranspose3d(2, 3, kernel: [1, 2, 2], stride: [1, 2, 2]) },
    "conv_transpose2d": { ConvTranspose2d(4, 6, kernel: 3, stride: 2, padding: 1, outputPadding: 1, groups: 2) },
    "linear": { Linear(5, 3) }, "attention": { SelfAttention(8, 2) },
    "batch_norm1d": { BatchNorm1d(4) }, "batch_norm1d_line": { BatchNorm1d(4, momentum: 0.3) },
    "batch_norm2d": { BatchNorm2d(3, epsilon: 1e-3) },
    "batch_norm2d_plain": { BatchNorm2d(3, affine: false, tracksStatistics: false) },
    "batch_norm3d": { BatchNorm3d(3) }, "instance_norm1d": { InstanceNorm1d(3) },
    "instance_norm2d": { InstanceNorm2d(3, affine: true, tracksStatistics: true) },
    "instance_norm3d": { InstanceNorm3d(3, affine: true) }, "group_norm": { GroupNorm(2, 6) },
    "layer_norm": { LayerNorm([3, 4]) }, "prelu": { ParametricReLU(3) },
    "pools1d": {
        Sequential(
            MaxPool1d(3, stride: 2, padding: 1), AvgPool1d(2, stride: 1), AdaptiveAvgPool1d(3), AdaptiveMaxPool1d(2))
    },
    "pools2d": {
        Sequential(
            MaxPool2d(2, stride: 1, padding: 1, ceilMode: true),
            AvgPool2d([2, 1], stride: 1, padding: [1, 0], ceilMode: true, countsPadding: false),
            AdaptiveAvgPool2d([5, 4]), AdaptiveMaxPool2d(3))
    },
    "pools3d": {
        Sequential(
            MaxPool3d(2, stride: 1), AvgPool3d([1, 2, 2], stride: 1), AdaptiveAvgPool3d(3),
            AdaptiveMaxPool3d([1, 2, 2]))
    },
    "upsample": {
        Sequential(
            Upsample(scale: 2), Upsample(size: [9, 7], mode: .bilinear),
            Upsample(scales: [1.5, 2], mode: .bicubic, alignCorners: true))
    },
    "rearranged": {
        Sequential(
            Padding([1, 2, 0, 1], mode: .reflect), PixelUnshuffle(2), Padding([0, 1, -1, 1]),
            Padding([1, 1, 1, 1], mode: .circular), PixelShuffle(2), Flatten())
    },
]

@Suite(.serialized)
struct EagerLayerTests {
    @Test(
        "Every layer agrees with PyTorch's: names of its state, result, gradients, running statistics, evaluation",
        arguments: PythonReference.sources)
    func layersAgree(_ source: PythonReference.Source) throws {
        let seed = source == .live ? PythonReference.seed("layersAgree") : 1
        let count = source == .stored ? 1 : PythonReference.isVerifying ? 50 : 2
        try PythonReference.withValues(source, "eager_reference.py", ["layers", "\(seed)", "\(count)"]) { folder in
            var worst: (error: Double, name: String) = (0, "")
            for index in 0..<count {
                let file = try SafeTensors(contentsOf: folder.appending(path: "layers-\(index).safetensors"))
                let cases = ReferenceTensors.split(file)
                #expect(Set(cases.keys) == Set(layers.keys))
                for (name, make) in layers.sorted(by: { $0.key < $1.key }) {
                    guard let reference = cases[name] else { continue }
                    let engine = Engine(RuntimeOptions(threads: index % 2 + 1))
                    let found = try engine.run { try largestError(make(), reference) }
                    #expect(found.error < 1e-4, "\(name)-\(index), seed \(seed): \(found.what)")
                    if found.error > worst.error { worst = (found.error, "\(name)-\(index) \(found.what)") }
                }
            }
            print("layersAgree: \(layers.count * count) cases, worst error \(worst.error) (\(worst.name))")
        }
    }

    private func largestError(_ layer: Layer, _ reference: ReferenceTensors) throws -> (error: Double, what: String) {
        try layer.load(reference.group("before"))
        let x = Variable(try reference.tensor("x"), requiresGradient: true)
        let result = try layer(x)
        try (result * Variable(reference.tensor("weights"))).sum().backward()
        var errors = [
            ("result", relativeError(try result.value.values, try reference.tensor("out").values)),
            ("gradient of the input", gradientError(x.gradient, try reference.tensor("dx"))),
        ]
        #expect(result.shape == (try reference.tensor("out").shape))
        let gradients = try reference.group("grad")
        #expect(Set(layer.namedParameters.map(\.name)) == Set(gradients.keys))
        for (name, parameter) in layer.namedParameters {
            guard let want = gradients[name] else { continue }
            errors.append(("gradient of \(name)", gradientError(parameter.gradient, want)))
        }
        let state = layer.state()
        for (name, want) in try reference.group("after") {
            errors.append(("\(name) afterwards", relativeError(state[name]?.values ?? [], want.values)))
        }
        layer.evaluate()
        let evaluation = try withoutGradients { try layer(Variable(x.value)).value }
        errors.append(("evaluation", relativeError(evaluation.values, try reference.tensor("evaluation").values)))
        return errors.map { ($0.1, $0.0) }.max { $0.0 < $1.0 || $1.0.isNaN } ?? (.nan, "")
    }
}
