import TensorRuntime
import Testing

private final class Inner: Layer {
    let conv1 = Conv2d(3, 8, kernel: 3)
    override func forward(_ x: Variable) throws -> Variable { try conv1(x) }
}

private final class Outer: Layer {
    let encoder = [Inner()]
    override func forward(_ x: Variable) throws -> Variable { try encoder[0](x) }
}

private final class Attending: Layer {
    let mix: MultiheadAttention
    init(_ features: Int) { mix = MultiheadAttention(features, heads: 2) }
    override func forward(_ x: Variable) throws -> Variable { try mix(x) }
}

/// What bad input is told: the operation, all shapes, and the layer, when the operation is noted down.
struct EagerErrorTests {
    private let image: Variable
    private let line: Variable

    init() throws {
        image = Variable(try Tensor(shape: [1, 1, 8, 8], repeating: 0))
        line = Variable(try Tensor(shape: [3], values: [0, 1.5, 7]))
    }

    private func message(_ body: () throws -> Variable) -> String {
        do {
            return "no error, shape \(try body().shape)"
        } catch {
            return "\(error)"
        }
    }

    @Test("Operands that do not fit: the operation, the module and the shapes of all operands")
    func shapesAndModule() throws {
        #expect(
            message { try Outer()(image) } == """
                convolution (encoder.0.conv1): weights [8, 3, 3, 3] in 1 groups do not fit an input of shape \
                [1, 1, 8, 8]; operands of shape [1, 1, 8, 8], [8, 3, 3, 3], [8]
                """)
        #expect(
            message { try image + line } == """
                add: shapes [1, 1, 8, 8] and [3] cannot be broadcast; operands of shape [1, 1, 8, 8], [3]
                """)
        #expect(
            message { try Sequential(Activation(.relu), BatchNorm3d(1))(image) } == """
                batch_norm (1): shape [1, 1, 8, 8] is not N C D H W
                """)
        #expect(
            message { try Sequential(BatchNorm1d(1))(image) }
                == "batch_norm (0): shape [1, 1, 8, 8] is not N C or N C L")
        #expect(
            message { try Sequential(InstanceNorm2d(2, affine: true))(image) } == """
                instance_norm (0): [2] values for 1 channels of shape [1, 1, 8, 8]
                """)
        #expect(message { try Sequential(MaxPool3d(2))(image) }.hasPrefix("max_pool3d (0): windows of 2"))
        #expect(
            message { try Attending(4)(image) } == """
                attention (mix): a sequence of shape [1, 1, 8, 8] is not N L E with 4 features
                """)
        #expect(
            message { try Variable(Tensor(shape: [0, 2], values: [])).relu() } == """
                relu: an operand is empty; operands of shape [0, 2]
                """)
        #expect(message { try image.matmul(line) }.hasPrefix("matmul: matrices [1, 1, 8, 8] and [3] cannot be multi"))
        #expect(message { try .einsum("ij,jk", image, line) }.contains("; operands of shape [1, 1, 8, 8], [3]"))
        #expect(
            message { try .stacked([image, line]) }.hasPrefix("stack: shapes [[1, 1, 8, 8], [3]] cannot be stacked"))
        #expect(message { try .concatenated([]) } == "concatenate: it has 0 operands; operands of shape ")
        #expect(message { try image.attention(keys: line, values: line) }.hasPrefix("scaled_dot_product_attention: "))
    }

    @Test("Axes and sizes that are not there")
    func axesAndSizes() throws {
        #expect(message { try image.softmax(axis: 4) }.hasPrefix("softmax: axis 4 does not exist among 4"))
        #expect(message { try image.sum(axes: [-5]) }.hasPrefix("sum: axis -5 does not exist among 4"))
        #expect(message { try image.flattened(from: 5) }.hasPrefix("flatten: axes 5 to -1 of shape"))
        #expect(message { try image.transposed(0, 4) }.hasPrefix("transpose: axes 0 and 4"))
        #expect(message { try image.squeezed(axis: 2) }.hasPrefix("squeeze: axis 2 of shape"))
        #expect(message { try image.unsqueezed(axis: 7) }.hasPrefix("unsqueeze: shape"))
        #expect(message { try image.split(axis: 1, length: 0)[0] }.hasPrefix("split: axis 1 of shape [1, 1, 8, 8]"))
        #expect(message { try image.gathered(axis: 4, line) }.hasPrefix("gather: axis 4 does not exist among 4"))
        #expect(
            message { try image.top(9).values }.hasPrefix("topk: there are no 9 elements along axis 3 of [1, 1, 8, 8]"))
        #expect(
            message { try line.maxPooled(kernel: 2) } == "max_pool: shape [3] is not N C and one to three spatial axes")
        #expect(
            message { try image.padded([0, 0, 9, 0], mode: .reflect) }.hasPrefix("pad: reflect padding by 9 and 0"))
        #expect(
            message { try image.interpolated(by: -1) }.hasPrefix("interpolate: shape [1, 1, 8, 8] cannot be resampled"))
        #expect(
            message { try image.interpolated(by: [1, 2, 3]) }.hasSuffix(
                "cannot be resampled by factors of [1.0, 2.0, 3.0]"))
        #expect(
            message { try image.interpolated(by: 2, mode: .trilinear) } == """
                interpolate: trilinear resampling does not fit shape [1, 1, 8, 8]
                """)
        #expect(message { try image.pixelShuffled(2) }.hasPrefix("pixel_shuffle: a factor of 2 does not fit shape"))
        #expect(message { try image.dropout(1.5) } == "dropout: p = 1.5 is no probability")
        #expect(message { try line.channelDropout() } == "channel_dropout: shape [3] is not N C …")
        #expect(message { try Variable.bernoulli([2], probability: 2) } == "p = 2.0 is no probability")
        #expect(
            message { try Loss.crossEntropy(image, image, labelSmoothing: 2) }.hasPrefix("cross_entropy: a label smoo"))
    }

    @Test("Positions and classes that are not whole numbers in range")
    func positions() throws {
        let scores = Variable(try Tensor(shape: [1, 2, 3], repeating: 0))
        let labels = Variable(try Tensor(shape: [1, 3], values: [0, -100, 2]))
        #expect(
            message { try Loss.crossEntropy(scores, labels) } == """
                cross_entropy: element 2 of indices of shape [1, 3] is 2.0, which is none of 2 classes of shape [1, 2, 3]
                """)
        #expect(message { try Loss.negativeLogLikelihood(scores, labels) }.hasPrefix("nll_loss: element 2 of"))
        #expect(
            message { try Loss.diceCrossEntropy(scores, labels) }.hasPrefix("dice_cross_entropy_loss: element 1 of"))
        #expect(
            message { try line.selected(axis: 0, line) } == """
                index_select: element 1 of indices of shape [3] is 1.5, which is none of 3 entries along axis 0 of shape [3]
                """)
        #expect(
            message { try line.gathered(axis: -1, line) }.hasPrefix("gather: element 1 of indices of shape [3] is 1.5"))
        #expect(
            message { try line.oneHot(classes: 9) } == """
                one_hot: element 1 of indices of shape [3] is 1.5, which is none of 9 classes
                """)
        // A computed position is not looked at: the result is not a number.
        let computed = try line * 1
        #expect(try line.selected(axis: 0, computed).value.values[2].isNaN)
        let ignored = Variable(try Tensor(shape: [1, 3], values: [0, -100, 1]))
        #expect(abs(try Loss.crossEntropy(scores, ignored).scalar - 0.693_147_2) < 1e-6)
    }

    @Test("Predictions and targets of different shapes are refused, not broadcast")
    func targets() throws {
        let other = Variable(try Tensor(shape: [1, 1, 8, 1], repeating: 1))
        let losses: [(String, (Variable, Variable) throws -> Variable)] = [
            ("binary_cross_entropy", { try Loss.binaryCrossEntropy($0, $1) }),
            ("binary_cross_entropy_with_logits", { try Loss.binaryCrossEntropyWithLogits($0, $1) }),
            ("mse_loss", { try Loss.meanSquaredError($0, $1) }), ("l1_loss", { try Loss.meanAbsoluteError($0, $1) }),
            ("smooth_l1_loss", { try Loss.smoothL1($0, $1) }),
        ]
        for (name, loss) in losses {
            #expect(
                message { try loss(image, other) } == """
                    \(name): a prediction of shape [1, 1, 8, 8] and a target of shape [1, 1, 8, 1]
                    """)
        }
        for (name, loss) in [
            ("dice_loss", { try Loss.dice($0, $1) }), ("tversky_loss", { try Loss.tversky($0, $1) }),
            ("focal_loss", { try Loss.focal($0, $1) }),
        ] as [(String, (Variable, Variable) throws -> Variable)] {
            let text = message { try loss(image, other) }
            #expect(text.hasPrefix("\(name): ") && text.hasSuffix("; operands of shape [1, 1, 8, 8], [1, 1, 8, 1]"))
        }
        #expect(message { try Loss.deepSupervision([]) }.hasPrefix("dice_cross_entropy_loss: it needs pairs of logits"))
    }

    @Test("Impossible layers say why, under their name, when they are first used")
    func faults() throws {
        #expect(
            message { try Sequential(Conv2d(3, 4, kernel: 3, groups: 2))(image) } == """
                Conv2d (0): 3 channels in, 4 out, a kernel of [3, 3] and 2 groups do not fit together
                """)
        for (layer, reason) in [
            (Linear(0, 2), "0 inputs and 2 outputs"), (BatchNorm2d(0), "0 channels"),
            (Linear(Int.max, 2), "\(Int.max) inputs and 2 outputs"),
            (
                Conv2d(1 << 40, Int.max, kernel: 3),
                "\(1 << 40) channels in, \(Int.max) out, a kernel of [3, 3] and 1 groups do not fit together"
            ),
            (InstanceNorm2d(-1), "-1 channels"), (GroupNorm(3, 4), "4 channels in 3 groups"),
            (LayerNorm([]), "a normalized shape of []"), (ParametricReLU(0), "0 slopes"),
            (Attending(5), "5 features in 2 heads"),
            (
                ConvTranspose2d(2, 2, kernel: [1, 2, 3]),
                """
                2 channels in, 2 out, a kernel of [1, 2, 3] and 1 groups do not fit together
                """
            ),
        ] as [(Layer, String)] {
            #expect(message { try layer(image) }.hasSuffix(": \(reason)"))
        }
    }

    @Test("Gradients of what is no scalar, or depends on nothing, are refused")
    func gradients() throws {
        func backward(_ x: Variable) -> String {
            message {
                try x.backward()
                return x
            }
        }
        let w = Variable(try Tensor(shape: [2], repeating: 1), requiresGradient: true)
        #expect(backward(try w * 2) == "backward: only a scalar has gradients, not a result of shape [2]")
        #expect(
            backward(try image.sum()) == "backward: the result of shape [] depends on nothing that requires a gradient")
        #expect(throws: RuntimeError.invalidShape("a tensor of shape [1, 1, 8, 8] is no scalar")) {
            _ = try image.scalar
        }
    }
}
