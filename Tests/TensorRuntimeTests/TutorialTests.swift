import Foundation
import TensorRuntime
import Testing

// The code of the articles in Sources/TensorRuntime/TensorRuntime.docc stands here word by word.

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

/// Images N 1 H W in [0, 1] and masks of 0 and 1.
func slices(_ url: URL) throws -> (images: Tensor, masks: Tensor) {
    let file = try SafeTensors(contentsOf: url)
    let bytes = try file.tensor("images")
    return (try Tensor(shape: bytes.shape, values: bytes.values.map { $0 / 255 }), try file.tensor("masks"))
}

/// Trains and returns the mean loss of each epoch.
func train(_ model: UNet, images: Tensor, masks: Tensor, epochs: Int, batch: Int) throws -> [Float] {
    let optimizer = try Optimizer(.adam(.init(learningRate: 3e-3)), parameters: model.parameters)
    let starts = Array(stride(from: 0, to: images.shape[0], by: batch))
    return try (0..<epochs).map { _ in
        var total: Float = 0
        for start in starts {
            let rows = Array(start..<min(start + batch, images.shape[0]))
            let logits = try model(Variable(images.rows(rows)))
            let target = try Variable(masks.rows(rows))
            let loss = try Loss.binaryCrossEntropyWithLogits(logits, target) + Loss.dice(logits.sigmoid(), target)
            try loss.backward()
            try optimizer.step(model.parameters)
            model.zeroGradients()
            total += try loss.scalar
        }
        return total / Float(starts.count)
    }
}

/// Probabilities in [0, 1].
func predict(_ model: UNet, _ images: Tensor) throws -> Tensor {
    model.evaluate()
    defer { model.train() }
    return try withoutGradients { try model(Variable(images)).sigmoid().value }
}

/// One step of a captured graph: the loss and the new weights.
func step(
    _ unet: UNetGraph, _ weights: [String: Tensor], _ batch: [String: Tensor]
) throws -> (Float, [String: Tensor]) {
    let session = try GraphSession(train: unet.train, evaluation: unet.evaluation, tensors: weights)
    let optimizer = try Optimizer(.adam(.init(learningRate: 1e-3)), parameters: session.parameters)
    let loss = try session.step(batch)
    try optimizer.step(session.parameters)
    return (loss, try session.parameters.state())
}

/// The same step in Swift code.
func step(_ model: UNet, _ batch: [String: Tensor]) throws -> (Float, [String: Tensor]) {
    let optimizer = try Optimizer(.adam(.init(learningRate: 1e-3)), parameters: model.parameters)
    let logits = try model(Variable(batch["image"]!))
    let loss = try Loss.binaryCrossEntropyWithLogits(logits, Variable(batch["mask"]!))
    try loss.backward()
    try optimizer.step(model.parameters)
    return (try loss.scalar, model.state())
}

@Suite(.serialized)
struct TutorialTests {
    private let root = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()

    private func lines(_ text: some StringProtocol) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    @Test("The code of the articles is the code that is tested", arguments: ["UNetIn40Lines", "TwoWaysIn"])
    func articlesAreTested(name: String) throws {
        let catalogue = root.appending(path: "Sources/TensorRuntime/TensorRuntime.docc")
        let article = try String(contentsOf: catalogue.appending(path: "\(name).md"), encoding: .utf8)
        let code = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
        let blocks = article.components(separatedBy: "```swift\n").dropFirst().map {
            lines($0.components(separatedBy: "```")[0])
        }
        let tested = lines(code).joined(separator: "\n")
        #expect(blocks.count >= 2)
        for block in blocks {
            let text = block.joined(separator: "\n")
            #expect(tested.contains(text), "not in TutorialTests.swift:\n\(text)")
        }
        // The first block of the tutorial is the network, in the promised length.
        if name == "UNetIn40Lines" { #expect(blocks[0].contains("final class UNet: Layer {") && blocks[0].count <= 40) }
    }

    @Test("The stored slices are those of the embedded dataset, every second row and column")
    func slicesAreEmbedded() throws {
        let stored = PythonReference.fixtures.appending(path: "stored/slices.safetensors")
        let file = try SafeTensors(contentsOf: stored)
        #expect(try file.tensor("images").shape == [16, 1, 96, 80])
        guard PythonReference.sources.contains(.live) else { return }
        let dataset = root.appending(path: "datasets/colin27-cerebellum")
        try PythonReference.withValues(.live, "eager_reference.py", ["slices", dataset.path]) { folder in
            let fresh = try SafeTensors(contentsOf: folder.appending(path: "slices.safetensors"))
            for name in ["images", "masks"] { #expect(try fresh.tensor(name) == file.tensor(name)) }
        }
    }

    @Test("The tutorial's U-Net learns the embedded slices of the cerebellum")
    func learns() throws {
        try Engine(RuntimeOptions(threads: 2, seed: 1)).run { () throws in
            let (images, masks) = try slices(PythonReference.fixtures.appending(path: "stored/slices.safetensors"))
            let model = UNet(channels: 8, depth: 3)
            let losses = try train(model, images: images, masks: masks, epochs: 15, batch: 4)
            let probabilities = try predict(model, images)
            print("learns: mean losses \(losses), \(Engine.current.statistics)")
            #expect(losses[14] < 0.8 * losses[0] && losses[14] < losses[7])
            #expect(probabilities.shape == masks.shape && probabilities.values.allSatisfy { $0 >= 0 && $0 <= 1 })
            // One program trains and one predicts.
            #expect(Engine.current.statistics.compilations == 2)
            #expect(Engine.current.statistics.runs == 61)
            #expect(model.state()["encoder.0.1.num_batches_tracked"]?.values == [60])
        }
    }

    @Test("Both ways in take the same step from the same weights")
    func waysAgree() throws {
        try Engine(RuntimeOptions(seed: 4)).run { () throws in
            let model = UNet(channels: 4, depth: 2)
            // The graph calls its stages enc1, bottleneck, up2, dec2, …, final.
            func captured(_ name: String) -> String {
                let parts = name.split(separator: ".").map(String.init)
                let stage = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
                let names = ["encoder": "enc\(stage + 1)", "up": "up\(2 - stage)", "decoder": "dec\(2 - stage)"]
                guard let renamed = names[parts[0]] else { return name.replacing("head", with: "final") }
                return ([renamed] + parts.dropFirst(2)).joined(separator: ".")
            }
            let weights = Dictionary(
                uniqueKeysWithValues: model.state().filter { !$0.key.hasSuffix("tracked") }.map {
                    (captured($0.key), $0.value)
                })
            let image = try Tensor.uniform(shape: [2, 1, 16, 16])
            let batch = [
                "image": image, "mask": try Tensor(shape: image.shape, values: image.values.map { $0.rounded() }),
            ]
            let (graphLoss, graphState) = try step(UNetGraph(baseChannels: 4, depth: 2, size: 16), weights, batch)
            let (loss, state) = try step(model, batch)
            #expect(loss == graphLoss)
            for (name, tensor) in state where !name.hasSuffix("tracked") {
                #expect(graphState[captured(name)] == tensor, "\(name)")
            }
        }
    }

    @Test(
        "From a PyTorch state: the same output, gradients and statistics, 20 Adam steps alike, and back to PyTorch",
        arguments: PythonReference.sources)
    func agreesWithPyTorch(_ source: PythonReference.Source) throws {
        let seed = source == .live ? PythonReference.seed("agreesWithPyTorch") : 1
        let channels = source == .live ? 8 : 4
        try PythonReference.withValues(source, "eager_reference.py", ["unet", "\(seed)", "\(channels)"]) { folder in
            let reference = try SafeTensors(contentsOf: folder.appending(path: "unet.safetensors"))
            try Engine(RuntimeOptions(threads: 2)).run { () throws in
                let model = UNet(channels: channels, depth: 2)
                try model.load(contentsOf: folder.appending(path: "state.safetensors"))
                try compare(model, reference)
                guard source == .live else { return }
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
