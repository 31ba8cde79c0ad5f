import Foundation
import Prompts
import Testing

private let prompts = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "prompts")

@Suite("A prompt template") struct PromptTests {
    @Test("fills its slots, and what a value holds stays as it is")
    func rendered() throws {
        let template = try PromptTemplate(text: "a {{x}} b {{ y_2 }}{{x}}\n\n", file: "t.md")
        #expect(template.slots == ["x", "y_2"])
        let prompt = try template.render(["x": "{{y_2}}", "y_2": "\n"])
        #expect(prompt.text == "a {{y_2}} b \n{{y_2}}")
        #expect(prompt.templateSHA256 == template.sha256)
        #expect(prompt.shortHash.count == 8 && prompt.sha256.hasPrefix(prompt.shortHash))
    }

    @Test("has the hash of its text, which any change changes")
    func hash() throws {
        // printf 'hello' | sha256sum
        #expect(
            try PromptTemplate(text: "hello", file: "t.md").render().sha256
                == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
        let a = try PromptTemplate(text: "{{x}}", file: "t.md")
        #expect(try a.render(["x": "1"]).sha256 != a.render(["x": "2"]).sha256)
    }

    @Test("names file and line of a slot that nobody knows, that has no value, or that is none")
    func mistakes() {
        #expect(throws: PromptError.unknownSlot(name: "nope", file: "t.md", line: 3, known: ["x"])) {
            _ = try PromptTemplate(text: "{{x}}\r\n\n{{nope}}", file: "t.md", known: ["x"])
        }
        #expect(throws: PromptError.missingValue(name: "x", file: "t.md", line: 2)) {
            _ = try PromptTemplate(text: "a\n{{x}}", file: "t.md").render(["y": ""])
        }
        for text in ["\n{{", "\n{{}}", "\n{{X}}", "\n{{a b}}", "\n{{a\n}}", "\n{{1}}", "\n{{{a}}}"] {
            #expect(throws: PromptError.malformedSlot(file: "t.md", line: 2), "\(text)") {
                _ = try PromptTemplate(text: text, file: "t.md")
            }
        }
    }

    @Test("that is not there, or is no text, is an error with its path")
    func unreadable() throws {
        #expect(throws: PromptError.self) { _ = try PromptTemplate.load(prompts.appending(path: "none.md")) }
        let file = try temporaryFolder().appending(path: "t.md")
        try Data([0xFF, 0xFE, 0x00]).write(to: file)
        #expect(throws: PromptError.unreadable(file: file.path, reason: "it is no UTF-8 text")) {
            _ = try PromptTemplate.load(file)
        }
    }
}

@Suite("The project's prompts") struct ShippedPromptTests {
    private let values = PipelinePromptValues(
        imageKind: "axial slices of a T1-weighted MRI of the head", foreground: "the cerebellum",
        foregroundHint: "small", channels: 1, maskSuffix: "_mask", samples: 216)

    @Test("ask for a pipeline with every slot filled")
    func pipeline() throws {
        let template = try PromptTemplate.load(prompts.appending(path: "pytorch.md"), known: PipelinePromptValues.slots)
        #expect(template.slots == PipelinePromptValues.slots)
        let prompt = try template.render(values.values)
        #expect(!prompt.text.contains("{{"))
        #expect(prompt.text.contains("216 pairs") && prompt.text.contains("`masks/NAME_mask.png`"))
        for name in [
            "dataset.py", "model.py", "train.py", "main.py", "--data", "--out", "--epochs", "train_losses.xlsx",
            "val_losses.xlsx", "validation_dice_scores.xlsx", "test_dice_scores.xlsx", "unet_model.pth",
            "unet_state_dict.pth", "loss_curve.png", "test_samples.png", "config.json", "train_test_split", "Subset",
            "torchinfo", "tqdm",
        ] {
            #expect(prompt.text.contains(name), "\(name)")
        }
    }

    @Test("have a text for each thing that the harness says itself", arguments: FeedbackTemplate.allCases)
    func feedback(kind: FeedbackTemplate) throws {
        let url = prompts.appending(path: "feedback/\(kind.file)")
        let template = try PromptTemplate.load(url, known: kind.slots)
        let filled = try template.render(Dictionary(uniqueKeysWithValues: kind.slots.map { ($0, "VALUE") }))
        #expect(!filled.text.isEmpty && !filled.text.contains("{{"))
        #expect(template.slots == kind.slots)
    }
}
