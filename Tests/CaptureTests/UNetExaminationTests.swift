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
