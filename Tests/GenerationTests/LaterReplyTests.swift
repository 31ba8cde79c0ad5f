import Diagnosis
import Foundation
import Testing

@testable import Generation

@Suite("A later reply changes what it names and no more")
struct LaterReplyTests {
    let program: [String: String]

    init() throws {
        program = try Fixtures.program()
    }

    private func extract(_ reply: String) -> Extraction {
        ReplyExtractor().extract(reply: reply, isTruncated: false, current: program)
    }

    @Test("one whole file")
    func oneFile() throws {
        let code = (program["model.py"] ?? "").replacing("8", with: "16")
        let extraction = extract("The channels were wrong.\n\n```python\n# model.py\n\(code)```")
        #expect(extraction.verdict == .complete)
        #expect(extraction.changed == ["model.py"])
        #expect(extraction.files["model.py"] == "# model.py\n" + code)
        #expect(extraction.files["train.py"] == program["train.py"])
    }

    @Test("a function of a named file takes the place of the old one")
    func namedFunction() throws {
        let reply =
            "In `train.py`, replace the function:\n\n```python\ndef dice(prediction, target):\n    return 1.0\n```"
        let extraction = extract(reply)
        #expect(extraction.verdict == .complete)
        let train = try #require(extraction.files["train.py"])
        #expect(train.contains("def dice(prediction, target):\n    return 1.0\n"))
        #expect(!train.contains("overlap"))
        #expect(train.contains("def train_epoch"))
        #expect(train.contains("def evaluate"))
    }

    @Test("a function without a file goes where the only one of its name is")
    func unnamedFunction() throws {
        let extraction = extract("Fixed:\n\n```python\ndef block(inputs, outputs):\n    return None\n```")
        #expect(extraction.verdict == .complete)
        #expect(extraction.changed == ["model.py"])
        #expect(extraction.files["model.py"]?.contains("    return None\n") == true)
        #expect(extraction.files["model.py"]?.contains("class UNet") == true)
    }

    @Test("a class with its decorator and the import it needs")
    func classAndImport() throws {
        let reply = """
            ```python model.py
            import math

            class UNet(nn.Module):
                def forward(self, x):
                    return math.pi * x
            ```
            """
        let model = try #require(extract(reply).files["model.py"])
        #expect(model.contains("import torch\nfrom torch import nn\nimport math\n"))
        #expect(model.contains("return math.pi * x"))
        #expect(model.contains("def block"))
        #expect(!model.contains("self.last"))
    }

    @Test("an import line is added after the others, once")
    func importLine() throws {
        let reply = "Add the missing import to `train.py`:\n\n```python\nimport numpy as np\nimport torch\n```"
        let extraction = extract(reply)
        #expect(extraction.verdict == .complete)
        let train = try #require(extraction.files["train.py"])
        #expect(train.hasPrefix("import torch\nfrom tqdm import tqdm\nimport numpy as np\n"))
        #expect(train.components(separatedBy: "import torch\n").count == 2)
    }

    @Test("a new helper is put before the definition that came with it")
    func newHelper() throws {
        let reply = "```python train.py\ndef smooth():\n    return 1\n\n\ndef dice(a, b):\n    return smooth()\n```"
        let train = try #require(extract(reply).files["train.py"])
        let helper = try #require(train.range(of: "def smooth()"))
        let user = try #require(train.range(of: "def dice(a, b)"))
        #expect(helper.lowerBound < user.lowerBound)
        #expect(train.contains("def evaluate"))
    }

    @Test("a file that drops a function nobody uses is whole")
    func droppedFunction() throws {
        let code =
            "from model import UNet\n\n\ndef main():\n    print(UNet)\n\n\nif __name__ == \"__main__\":\n    main()\n"
        #expect(extract("```python main.py\n\(code)```").files["main.py"] == code)
        let train =
            "import torch\n\n\ndef train_epoch(model, loader, optimizer):\n    return 0\n\n\ndef evaluate(model, loader):\n    return []\n"
        #expect(extract("```python train.py\n\(train)```").files["train.py"] == train)
    }

    @Test("a main function without the guard keeps the guard")
    func mainWithoutGuard() throws {
        let main = try #require(extract("```python main.py\ndef main():\n    print(1)\n```").files["main.py"])
        #expect(main.hasSuffix("if __name__ == \"__main__\":\n    main()\n"))
        #expect(main.contains("print(1)"))
        #expect(!main.contains("argparse.ArgumentParser"))
    }

    @Test(
        "what could go in more than one place is asked for in whole",
        arguments: [
            ("loose lines", "In `main.py` change\n\n```python\nparser.add_argument(\"--lr\", type=float)\n```"),
            ("the inside of a function", "In `main.py` change\n\n```python\n    print(UNet)\n```"),
            ("a method without its class", "In `model.py`:\n\n```python\ndef forward(self, x):\n    return x\n```"),
            ("parts left out", "```python main.py\nimport argparse\n\n# ... rest of the code unchanged ...\n```"),
            (
                "parts left out by words",
                "```python train.py\nimport torch\n\ndef dice(a, b):\n    return 1\n\n# rest of the file remains the same\n```"
            ),
        ])
    func unclear(what: String, reply: String) throws {
        let extraction = extract(reply)
        guard case .unclear(_, let files) = extraction.verdict else {
            Issue.record("\(what): \(extraction.verdict)")
            return
        }
        #expect(files.count == 1)
        #expect(extraction.files == program)
    }

    @Test("unnamed lines alone are asked about, and beside a whole file they are an explanation")
    func unnamedLines() throws {
        let line = "```python\nloss = criterion(output, target)\n```\n"
        guard case .unclear = extract("Use this:\n\n\(line)").verdict else {
            Issue.record("not asked")
            return
        }
        let whole = "```python model.py\n\(program["model.py"] ?? "")```"
        #expect(extract("The line\n\n\(line)\nwas wrong.\n\n\(whole)").verdict == .complete)
    }

    @Test("a reply of apologies asks for the files again")
    func apologies() {
        #expect(
            extract("I am sorry, it should work now.").verdict
                == .missing(["dataset.py", "model.py", "train.py", "main.py"]))
    }

    @Test("the hand-written conversations end with all files, whole")
    func recordings() throws {
        let sources = Fixtures.repository.appending(path: "recordings/sources")
        let conversations = try FileManager.default.contentsOfDirectory(atPath: sources.path).sorted()
        #expect(conversations.count >= 5)
        for conversation in conversations {
            let folder = sources.appending(path: conversation)
            let target =
                PipelineTarget(rawValue: String(conversation.dropFirst("fixture-".count))) ?? .pytorch
            let extractor = ReplyExtractor(expected: target.files)
            var files: [String: String] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            where name.hasPrefix("reply-") {
                let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
                let extraction = extractor.extract(reply: text, isTruncated: false, current: files)
                #expect(extraction.verdict == .complete, "\(conversation) \(name)")
                #expect(!extraction.changed.isEmpty)
                files = extraction.files
            }
            #expect(files.keys.sorted() == target.files.sorted(), "\(conversation)")
        }
    }
}
