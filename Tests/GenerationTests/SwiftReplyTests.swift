import Diagnosis
import Testing

@testable import Generation

@Suite("Replies in Swift")
struct SwiftReplyTests {
    private let extractor = ReplyExtractor(expected: PipelineTarget.swift.files)

    private func program() throws -> [String: String] {
        var files: [String: String] = [:]
        for name in PipelineTarget.swift.files { files[name] = try Fixtures.text("swift-example/\(name)") }
        return files
    }

    private func block(_ name: String, _ text: String) -> String { "```swift\n// \(name)\n\(text)```\n" }

    @Test("four named blocks are four files")
    func whole() throws {
        let program = try program()
        let reply = PipelineTarget.swift.files.map { block($0, program[$0] ?? "") }.joined(separator: "\nThen:\n\n")
        let extraction = extractor.extract(reply: reply, isTruncated: false, current: [:])
        #expect(extraction.verdict == .complete && extraction.changed == Set(PipelineTarget.swift.files))
        #expect(extraction.files["main.swift"] == "// main.swift\n" + (program["main.swift"] ?? ""))
    }

    @Test("a name may stand in the fence, in a heading, or in the header of the file")
    func naming() throws {
        let program = try program()
        let text = program["Model.swift"] ?? ""
        for reply in [
            "```swift title=\"Model.swift\"\n\(text)```", "### Model.swift\n\n```swift\n\(text)```",
            "```swift\n//\n//  Model.swift\n//\n\n\(text)```",
            "Here is the corrected `Model.swift`:\n\n```\n\(text)```",
        ] {
            let extraction = extractor.extract(reply: reply, isTruncated: false, current: program)
            #expect(extraction.verdict == .complete && extraction.changed == ["Model.swift"], "\(reply.prefix(60))")
        }
    }

    @Test("quoted compiler output and other languages are left aside")
    func aside() throws {
        let program = try program()
        let reply = """
            The compiler says in Model.swift:

            ```
            /code/Model.swift:7:9: error: cannot find 'Conv2D' in scope
            ```

            ```python
            # Model.swift
            import torch
            ```

            """
        let extraction = extractor.extract(reply: reply, isTruncated: false, current: program)
        #expect(extraction.verdict == .missing(PipelineTarget.swift.files) && extraction.files == program)
    }

    @Test("a file that lost what the program uses, or leaves parts out, is asked for whole")
    func fragments() throws {
        let program = try program()
        let lost = block("Train.swift", "import TensorRuntime\n\nfunc predict(_ x: Int) -> Int { x }\n")
        let first = extractor.extract(reply: lost, isTruncated: false, current: program)
        #expect(
            first.verdict
                == .unclear(
                    reason: "Train.swift no longer holds trainEpoch, which the program uses", files: ["Train.swift"]))
        #expect(first.files == program)
        let elided = block("Model.swift", "final class DilatedNet: Layer {\n    // ... rest unchanged\n}\n")
        let second = extractor.extract(reply: elided, isTruncated: false, current: program)
        #expect(
            second.verdict == .unclear(reason: "the code for Model.swift leaves parts out", files: ["Model.swift"]))
    }

    @Test("code without a name is asked about")
    func unnamed() throws {
        let extraction = extractor.extract(
            reply: "```swift\nlet x = 1\n```\n", isTruncated: false, current: try program())
        #expect(
            extraction.verdict
                == .unclear(
                    reason: "no file is named for the block that begins with `let x = 1`",
                    files: ["the files that it changes"]))
    }

    @Test("the outline sees the top level through strings, comments and braces")
    func outline() {
        let source = """
            import Foundation
            /* func hidden() { */
            final class UNet: Layer {
                func forward() { print("} func no() {") }
            }
            let text = \"\"\"
            func inside() {}
            \"\"\"
            public func train() -> Int { 1 }
            """
        let outline = SwiftOutline(source)
        #expect(outline.declarations == ["UNet", "train"] && outline.hasStatements)
        #expect(!SwiftOutline("import A\n\nstruct B {\n    let c = 1\n}\n").hasStatements)
    }
}
