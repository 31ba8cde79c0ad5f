import Foundation
import Sandbox
import Testing

@testable import Capture

@Suite("The U-Net of a file", .serialized)
struct UNetExaminationTests {
    private let fixture: CaptureFixture
    private let examination: UNetExamination

    init() throws {
        fixture = try CaptureFixture()
        examination = try UNetExamination(
            runner: fixture.runner, interpreter: fixture.runner.interpreter, helper: fixture.helper)
    }

    @Test("is found and described")
    func describes() async throws {
        let file = CaptureFixture.pipeline("bilinear-pad-plateau").appending(path: "model.py")
        let found = try await examination.describe(file)
        #expect(found.className == "UNet")
        #expect(found.constructor == "UNet(n_channels=1, n_classes=1)")
        // Counted by hand: 3·3·i·o + o for each convolution, 2·o for each batch norm.
        #expect(found.trainableParameters == 53217)
        #expect(found.encoderStages == 3)
        #expect(found.decoderStages == 3)
        #expect(found.encoderChannels == [8, 16, 32])
        #expect(found.decoderChannels == [16, 8, 8])
        #expect(found.bottleneckChannels == 32)
        #expect(found.convBlock == "(Conv-BN-ReLU)x2")
        #expect(found.normalization == "batch")
        #expect(found.upsampling == "bilinear")
        #expect(found.skip == "concatenate, padded")
        #expect(found.finalLayer == "Conv 1x1")
        #expect(found.outputActivation == "sigmoid")
    }

    @Test(
        "agrees with PyTorch on our runtime",
        arguments: ["transposed-logits", "cropped-dice-clip", "two-class-cycle", "attention-accumulate"])
    func verifies(pipeline: String) async throws {
        let found = try await examination.verify(CaptureFixture.pipeline(pipeline).appending(path: "model.py"))
        #expect(found.forwardError < 1e-3)
        #expect(found.gradientError < 1e-3, "at \(found.worstGradient ?? "no parameter")")
        #expect(found.agrees)
    }

    /// With TensorFlow in the sandbox.
    private func keras() throws -> UNetExamination {
        let python = try PythonEnvironment.locate(.tensorflow, root: CaptureFixture.package)
        let runner = try BubblewrapSandbox(python: python)
        return try UNetExamination(runner: runner, interpreter: runner.interpreter, helper: fixture.helper)
    }

    @Test("is described where a function of Keras makes it")
    func describesKeras() async throws {
        let file = CaptureFixture.pipeline("keras/functional").appending(path: "model.py")
        let found = try await keras().describe(file)
        #expect(found.className == "build_unet" && found.constructor == "build_unet(size=64, channels=1)")
        // Counted by hand, of widths 16, 32, 64 and 128 below them: 9·i·o for each convolution without bias, 2·o for each batch norm,
        // 4·i·o + o for each transposed one, 17 for the head.
        #expect(found.trainableParameters == 482_449)
        #expect(found.inputChannels == 1 && found.encoderStages == 3 && found.decoderStages == 3)
        #expect(found.encoderChannels == [16, 32, 64] && found.decoderChannels == [64, 32, 16])
        #expect(
            found.bottleneckChannels == 128 && found.convBlock == "(Conv-BN-ReLU)x2" && found.normalization == "batch")
        #expect(found.upsampling == "transposed" && found.skip == "concatenate")
        #expect(found.finalLayer == "Conv 1x1" && found.outputActivation == "sigmoid")
    }

    @Test(
        "agrees with TensorFlow on our runtime: a function's model, layers of many kinds, a class that is subclassed",
        arguments: ["functional", "many-layers", "subclassed"])
    func verifiesKeras(pipeline: String) async throws {
        let file = CaptureFixture.pipeline("keras/\(pipeline)").appending(path: "model.py")
        let found = try await keras().verify(file)
        #expect(found.forwardError < 1e-3)
        #expect(found.gradientError < 1e-3, "at \(found.worstGradient ?? "no parameter")")
        #expect(found.agrees && found.forwardError > 0)
    }

    @Test("of Keras is asked for by name where there are two, and missing or broken ones are told")
    func kerasFailures() async throws {
        let (examination, file) = (try keras(), fixture.folder.appending(path: "two.py"))
        let model = try String(
            contentsOf: CaptureFixture.pipeline("keras/functional").appending(path: "model.py"), encoding: .utf8)
        try (model + "\n\ndef build_small(size):\n    return build_unet(size, widths=(4,))\n").write(
            to: file, atomically: true, encoding: .utf8)
        await #expect(
            throws: CaptureError.notDescribed(
                file: "two.py", reason: "several could be the U-Net: build_unet, build_small; name one with --class")
        ) { try await examination.describe(file) }
        let small = try await examination.describe(file, className: "build_small")
        #expect(small.className == "build_small" && small.encoderChannels == [4])
        try "import keras\n\n\ndef build(size):\n    return size\n".write(to: file, atomically: true, encoding: .utf8)
        await #expect(
            throws: CaptureError.notDescribed(
                file: "two.py",
                reason: "no function or keras.Model is called build_unet in the file; there are: build")
        ) { try await examination.describe(file, className: "build_unet") }
        await #expect(
            throws: CaptureError.notDescribed(
                file: "two.py",
                reason:
                    "no function or class of the file makes a model that maps an image of 1 or 3 channels to a mask; name one with --class"
            )
        ) { try await examination.describe(file) }
    }

    @Test(
        "is run with the framework that its file imports",
        arguments: [
            ("import torch\nfrom torch import nn\n", PythonStack.pytorch), ("import keras\n", .tensorflow),
            ("from tensorflow.keras import layers\n", .tensorflow),
            ("import numpy as np, tensorflow as tf\n", .tensorflow),
            ("import torch\nimport keras\n", .pytorch), ("# import keras\nkeras = 'import keras'\n", .pytorch),
            ("def f():\n    import tensorflow as tf\n", .tensorflow), ("from kerastuner import x\n", .pytorch),
            ("", .pytorch),
        ])
    func framework(source: String, expected: PythonStack) {
        #expect(UNetExamination.framework(of: source) == expected)
    }

    @Test("is asked for by name where there are two, and missing or broken ones are told")
    func failures() async throws {
        let model = try String(
            contentsOf: CaptureFixture.pipeline("transposed-logits").appending(path: "model.py"), encoding: .utf8)
        let file = fixture.folder.appending(path: "two.py")
        try (model + "\n\nclass OtherUNet(UNet):\n    pass\n").write(to: file, atomically: true, encoding: .utf8)
        await #expect(
            throws: CaptureError.notDescribed(
                file: "two.py", reason: "several classes could be the U-Net: UNet, OtherUNet; name one with --class")
        ) { try await examination.describe(file) }
        #expect(try await examination.describe(file, className: "OtherUNet").className == "OtherUNet")
        await #expect(throws: CaptureError.self) { try await examination.describe(file, className: "Missing") }
        try "import nothing_of_this_name\n".write(to: file, atomically: true, encoding: .utf8)
        await #expect(
            throws: CaptureError.notDescribed(
                file: "two.py",
                reason: "model.py cannot be imported: ModuleNotFoundError: No module named 'nothing_of_this_name'")
        ) { try await examination.describe(file) }
    }
}
