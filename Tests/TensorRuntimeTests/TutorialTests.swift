import Foundation
import TensorRuntime
import Testing

/// Twice: a 3×3 convolution, batch norm and ReLU.
func block(_ input: Int, _ output: Int) -> Sequential {
    Sequential(
        Conv2d(input, output, kernel: 3, padding: 1, bias: false), BatchNorm2d(output), Activation(.relu),
        Conv2d(output, output, kernel: 3, padding: 1, bias: false), BatchNorm2d(output), Activation(.relu))
}

final class UNet: Layer {
    let encoder: [Sequential]
    let bottleneck: Sequential
    let up: [ConvTranspose2d]
    let decoder: [Sequential]
    let head: Conv2d
    let pool = MaxPool2d(2)

    init(channels: Int, depth: Int) {
        let widths = (0..<depth).map { channels << $0 }
        encoder = widths.map { block($0 == channels ? 1 : $0 / 2, $0) }
        bottleneck = block(channels << (depth - 1), channels << depth)
        up = widths.reversed().map { ConvTranspose2d(2 * $0, $0, kernel: 2, stride: 2) }
        decoder = widths.reversed().map { block(2 * $0, $0) }
        head = Conv2d(channels, 1, kernel: 1)
    }

    override func forward(_ image: Variable) throws -> Variable {
        var (x, skips): (Variable, [Variable]) = (image, [])
        for stage in encoder {
            let features = try stage(x)
            skips.append(features)
            x = try pool(features)
        }
        x = try bottleneck(x)
        for (up, stage) in zip(up, decoder) {
            x = try stage(.concatenated([up(x), skips.removeLast()]))
        }
        return try head(x)
    }
}

@Suite(.serialized)
struct TutorialTests {
    @Test("From a PyTorch state: the same output, gradients and statistics, 20 Adam steps alike, and back to PyTorch")
    func agreesWithPyTorch() throws {
        let seed = PythonReference.seed("agreesWithPyTorch")
        try PythonReference.withFolder { folder in
            try PythonReference.run("eager_reference.py", ["unet", "\(seed)", folder.path])
            let reference = try SafeTensors(contentsOf: folder.appending(path: "unet.safetensors"))
            try Engine(RuntimeOptions(threads: 2)).run {
                let model = UNet(channels: 8, depth: 2)
                try model.load(contentsOf: folder.appending(path: "state.safetensors"))
                try compare(model, reference)
                try model.save(to: folder.appending(path: "saved.safetensors"))
                try PythonReference.run("eager_reference.py", ["reload", folder.path])
                let theirs = try SafeTensors(contentsOf: folder.appending(path: "reloaded.safetensors")).tensor("out")
                let ours = try withoutGradients { try model(Variable(reference.tensor("image.0"))).value }
                #expect(relativeError(ours.values, theirs.values) < 1e-4)
            }
        }
    }

    private func compare(_ model: UNet, _ reference: SafeTensors) throws {
        let optimizer = try Optimizer(.adam(.init(learningRate: 1e-3)), parameters: model.parameters, threads: 2)
        var (worstLoss, worstGradient) = (0.0, 0.0)
        let losses = try reference.tensor("losses").values
        for step in 0..<20 {
            let logits = try model(Variable(reference.tensor("image.\(step % 4)")))
            let loss = try Loss.binaryCrossEntropyWithLogits(logits, Variable(reference.tensor("mask.\(step % 4)")))
            try loss.backward()
            if step == 0 {
                #expect(relativeError(try logits.value.values, try reference.tensor("logits").values) < 1e-4)
                for (name, parameter) in model.namedParameters {
                    let error = relativeError(
                        parameter.gradient?.values ?? [], try reference.tensor("grad.\(name)").values)
                    #expect(error < 1e-3, "gradient of \(name)")
                    worstGradient = max(worstGradient, error)
                }
                for (name, tensor) in model.state() where reference.entries["buffer.\(name)"] != nil {
                    #expect(relativeError(tensor.values, try reference.tensor("buffer.\(name)").values) < 1e-4)
                }
            }
            try optimizer.step(model.parameters)
            model.zeroGradients()
            worstLoss = max(worstLoss, Double(abs(try loss.scalar - losses[step])))
        }
        print("agreesWithPyTorch: worst gradient \(worstGradient), largest loss difference in 20 steps \(worstLoss)")
        #expect(worstLoss < 1e-3)
        #expect(losses[19] < losses[0])
        #expect(Engine.current.statistics.compilations == 1)
        model.evaluate()
        let output = try withoutGradients { try model(Variable(reference.tensor("image.0"))).value }
        // Twenty steps turn rounding noise of gradients near zero into steps of the learning rate.
        #expect(relativeError(output.values, try reference.tensor("evaluation").values) < 0.02)
    }
}
