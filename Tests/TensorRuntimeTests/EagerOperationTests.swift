import Foundation
import TensorRuntime
import Testing

private typealias Function = @Sendable ([Variable]) throws -> Variable

/// The functions of `CASES` in `eager_reference.py`, by name.
private let functions: [String: Function] = [
    "add": { try $0[0] + $0[1] }, "sub": { try $0[0] - $0[1] }, "mul": { try $0[0] * $0[1] },
    "div": { try $0[0] / $0[1] },
    "scalars": { try 2 - (($0[0] + 1.5) * 3 - 0.5) / 4 + 1 / ($0[0].squared() + 2) },
    "negate": { try -$0[0] }, "maximum": { try $0[0].maximum($0[1]) }, "minimum": { try $0[0].minimum($0[1]) },
    "pow": { try $0[0].power($0[1]) }, "pow_scalar": { try $0[0].power(1.5) }, "abs": { try $0[0].absolute() },
    "exp": { try $0[0].exp() }, "log": { try $0[0].log() }, "log1p": { try $0[0].log1p() },
    "sqrt": { try $0[0].squareRoot() }, "rsqrt": { try $0[0].reciprocalSquareRoot() },
    "square": { try $0[0].squared() }, "reciprocal": { try $0[0].reciprocal() }, "sign": { try $0[0].sign() },
    "floor": { try $0[0].floor() }, "round": { try $0[0].rounded() },
    "clamp": { try $0[0].clamped(minimum: -0.5, maximum: 0.7) },
    "compare": { x in
        let choice = try (x[0] .> x[1]) + 2 * (x[0] .<= x[1])
        return try x[0] * choice + x[1] * (x[0] .> 0.3)
    },
    "choose": { try ($0[0] .< 0).choose($0[0], otherwise: $0[1] * 2) },
    "matmul": { try $0[0].matmul($0[1]) },
    "relu": { try $0[0].relu() }, "sigmoid": { try $0[0].sigmoid() }, "tanh": { try $0[0].tanh() },
    "silu": { try $0[0].silu() }, "mish": { try $0[0].mish() }, "hardswish": { try $0[0].hardSwish() },
    "hardsigmoid": { try $0[0].hardSigmoid() }, "log_sigmoid": { try $0[0].logSigmoid() },
    "relu6": { try $0[0].relu6() }, "leaky_relu": { try $0[0].leakyReLU(slope: 0.2) },
    "elu": { try $0[0].elu(alpha: 0.7) }, "gelu": { try $0[0].gelu() },
    "gelu_tanh": { try $0[0].gelu(approximate: true) },
    "softplus": { try $0[0].softplus(beta: 2, threshold: 10) },
    "hardtanh": { try $0[0].hardTanh(minimum: -0.5, maximum: 0.8) }, "prelu": { try $0[0].prelu($0[1]) },
    "softmax": { try $0[0].softmax() }, "log_softmax": { try $0[0].logSoftmax(axis: -1) },
    "reshape": { try $0[0].reshaped([6, -1]) }, "flatten": { try $0[0].flattened(from: 1, to: 2) },
    "permute": { try $0[0].permuted([2, 0, 1]) }, "transpose": { try $0[0].transposed(1, 2) },
    "expand": { try $0[0].expanded([2, 3, 4]) },
    "squeeze": { try $0[0].squeezed(axis: 1).unsqueezed(axis: 0) },
    "slice": { try $0[0].sliced(axis: 1, 1..<6, step: 2) }, "select": { try $0[0].selected(axis: 1, 2) },
    "concatenate": { x in
        let (a, s) = (x[0], x[0].shape)
        return try .concatenated([a, x[1].expanded([s[0], 2, s[2], s[3]])])
    },
    "stack": { try .stacked([$0[0], $0[1]], axis: 1) }, "pad": { try $0[0].padded([1, 2, 0, 1], value: 0.5) },
    "sum": { try $0[0].sum(axes: [0, 2]) }, "mean": { try $0[0].mean(axes: [1], keepsAxes: true) },
    "amax": { try $0[0].maximum(axes: [2]) }, "amin": { try $0[0].minimum(axes: [1, 2], keepsAxes: true) },
    "variance": { try $0[0].variance(axes: [0, 2]) + $0[0].variance(axes: [0, 2], isUnbiased: false) },
    "argmax": { try $0[0].sum() + $0[0].argmax(axis: 1) },
    "conv2d": { try $0[0].convolved($0[1], bias: $0[2], stride: 2, padding: [1, 2], groups: 2) },
    "conv2d_dilated": { try $0[0].convolved($0[1], padding: 2, dilation: 2) },
    "conv_transpose2d": {
        try $0[0].convolvedTransposed($0[1], bias: $0[2], stride: 2, padding: 1, outputPadding: 1)
    },
    "linear": { try $0[0].linear($0[1], bias: $0[2]) },
    "max_pool2d": { try $0[0].maxPooled2d(kernel: 3, stride: 2, padding: 1, ceilMode: true) },
    "avg_pool2d": { try $0[0].averagePooled2d(kernel: 2, stride: [2, 1], padding: 1, countsPadding: false) },
    "adaptive_avg_pool2d": { try $0[0].adaptiveAveragePooled2d([3, 2]) },
    "nearest": { try $0[0].interpolated(by: 1.7) },
    "bilinear": { try $0[0].interpolated(to: [7, 11], mode: .bilinear) },
    "bilinear_corners": { try $0[0].interpolated(by: 2, mode: .bilinear, alignCorners: true) },
    "batch_norm": {
        try $0[0].batchNormalized(
            weight: $0[1], bias: $0[2], runningMean: $0[3], runningVariance: $0[4], isTraining: true)
    },
    "batch_norm_eval": {
        try $0[0].batchNormalized(
            weight: $0[1], bias: $0[2], runningMean: $0[3], runningVariance: $0[4], isTraining: false)
    },
    "group_norm": { try $0[0].groupNormalized(groups: 3, weight: $0[1], bias: $0[2]) },
    "instance_norm": { try $0[0].instanceNormalized(weight: $0[1], bias: $0[2]) },
    "layer_norm": { try $0[0].layerNormalized([6], weight: $0[1], bias: $0[2]) },
    "bce": { try Loss.binaryCrossEntropy($0[0], $0[1]) },
    "bce_logits": { try Loss.binaryCrossEntropyWithLogits($0[0], $0[1]) },
    "bce_logits_weighted": {
        try Loss.binaryCrossEntropyWithLogits($0[0], $0[1], weight: $0[2], positiveWeight: $0[3], reduction: .sum)
    },
    "cross_entropy": { try Loss.crossEntropy($0[0], $0[1], weight: $0[2]) },
    "mse": { try Loss.meanSquaredError($0[0], $0[1]) }, "l1": { try Loss.meanAbsoluteError($0[0], $0[1]) },
    "smooth_l1": { try Loss.smoothL1($0[0], $0[1], beta: 0.5) },
    "dice": { try Loss.dice($0[0], $0[1]) },
    "dice_batch": { try Loss.dice($0[0], $0[1], smoothing: 1e-5, overBatch: true) },
    "tversky": { try Loss.tversky($0[0], $0[1], falsePositives: 0.3, falseNegatives: 0.7) },
    "focal": { try Loss.focal($0[0], $0[1]) },
]

@Suite(.serialized)
struct EagerOperationTests {
    @Test("Every function of variables agrees with PyTorch, forward and all gradients, on random shapes")
    func functionsAgree() throws {
        let seed = PythonReference.seed("functionsAgree")
        let count = PythonReference.isVerifying ? 200 : 3
        try PythonReference.withFolder { folder in
            let names = try PythonReference.run(
                "eager_reference.py", ["operations", "\(seed)", "\(count)", folder.path]
            ).split(whereSeparator: \.isWhitespace).map(String.init)
            #expect(Set(names) == Set(functions.keys))
            var worst: (error: Double, name: String) = (0, "")
            for name in names {
                guard let function = functions[name] else { continue }
                for index in 0..<count {
                    let file = try SafeTensors(contentsOf: folder.appending(path: "\(name)-\(index).safetensors"))
                    let engine = Engine(RuntimeOptions(threads: index % 2 + 1))
                    let found = try engine.run { try largestError(function, file) }
                    #expect(found.error < 1e-4, "\(name)-\(index), seed \(seed): \(found.what)")
                    if found.error > worst.error { worst = (found.error, "\(name)-\(index) \(found.what)") }
                }
            }
            print("functionsAgree: \(names.count * count) cases, worst error \(worst.error) (\(worst.name))")
        }
    }

    private func largestError(_ function: Function, _ file: SafeTensors) throws -> (error: Double, what: String) {
        let count = file.entries.keys.filter { $0.hasPrefix("in.") }.count
        let inputs = try (0..<count).map { index in
            Variable(try file.tensor("in.\(index)"), requiresGradient: file.entries["grad.\(index)"] != nil)
        }
        let result = try function(inputs)
        let want = try file.tensor("out")
        #expect(result.shape == want.shape)
        var worst = (relativeError(try result.value.values, want.values), "result")
        try (result * Variable(file.tensor("weights"))).sum().backward()
        for (index, input) in inputs.enumerated() where input.requiresGradient {
            let want = try file.tensor("grad.\(index)").values
            let size = want.reduce(0) { max($0, abs($1)) }
            // Gradients that cancel to nearly nothing are judged beside values of order one.
            let got = input.gradient?.values ?? [Float](repeating: 0, count: want.count)
            let error =
                size > 1e-2
                ? relativeError(got, want) : Double(zip(got, want).map { abs($0 - $1) }.max() ?? 0) / 1e-2
            if error > worst.0 || error.isNaN { worst = (error.isNaN ? .infinity : error, "gradient \(index)") }
        }
        return worst
    }
}
