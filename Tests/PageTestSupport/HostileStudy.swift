import Foundation
import ResultStore

/// One run in which every field that comes from a model or its program tries to become something else than text.
public enum HostileStudy {
    /// Each of them would leave its mark in `window.pwned`, ask for something elsewhere, break out of an element, or change how text
    /// around it reads.
    public static let text = [
        "<script>window.pwned=1</script>", "<img src=x onerror=\"window.pwned=2\">", "<svg onload=window.pwned=3>",
        "<a href=\"javascript:window.pwned=4\">click</a>",
        "</textarea></title></style></pre></details></section></main>",
        "\" onfocus=\"window.pwned=5\" autofocus=\"", "' onmouseover='window.pwned=6", "--><!--<script>", "]]><b>",
        "<iframe src=http://example.com/></iframe>", "<link rel=stylesheet href=http://example.com/x.css>",
        "<meta http-equiv=refresh content=0;url=http://example.com/>", "<base href=http://example.com/>",
        "{{main}}{{{main}}}{{#runs}}", "&lt;script&gt; &amp; &#x3c;",
        "\u{0}nul \u{1b}[31mred\u{1b}[0m \u{7}\u{8}\u{9b}31m \u{85}",
        "\u{202e}txt.exe\u{202c} \u{2066}\u{2069}\u{200f}\u{061c}",
        "\u{2028}\u{2029}\u{feff}\u{200b}\u{e0041}", "`${window.pwned=7}`",
    ].joined(separator: " ")

    /// Two million characters without a break.
    public static let longLine = String(repeating: "A<b>", count: 500_000)

    /// Adds the run to a study.
    ///
    /// - Returns: the run.
    @discardableResult
    public static func add(to study: SyntheticStudy) throws -> RunRecord {
        let key = RunKey(
            study: study.name, dataset: "ellipses", model: "hostile", target: "pytorch", promptHash: "5f2d09ab",
            index: 1)
        var record = RunRecord(key: key, provider: text, endpointModel: text, datasetHash: "other")
        record.status = .succeeded
        record.endReason = text
        let run = try study.store.beginRun(record)
        let id = run.id ?? -1
        try addRound(0, file: "model.py", message: text, to: study, key, id)
        try addRound(1, file: "\(text).py", message: longLine, to: study, key, id)
        _ = try study.store.storeCapture(
            CaptureRecord(
                runId: id, datasetHash: "other", epochs: nil, seed: 0, status: .captured,
                facts: try json([
                    "encoder_channels": [8, 16], "decoder_channels": [16, 8], "bottleneck_channels": 32,
                    "conv_block": text, "skip": text, "upsampling": text, "final_layer": text,
                    "output_activation": longLine, "loss": text, "image_size": [64, 64], "normalization": text,
                ]),
                pipeline: try json(["optimizer": ["name": text, "groups": []], "scheduler": ["name": longLine]]),
                stated: try json(["loss": "else", "optimizer": text, "conv_block": longLine]),
                refusals: [text, longLine],
                failure: text))
        var training = try study.store.beginTraining(
            TrainingRecord(runId: id, engine: .emitted, seed: 0, epochs: 2, datasetHash: "other"))
        training.status = .failed
        training.failure = text + longLine
        try study.store.updateTraining(training)
        var evaluated = try study.store.beginTraining(
            TrainingRecord(runId: id, engine: .swift, seed: 0, epochs: 2, datasetHash: "other"))
        let trained = evaluated.id ?? -1
        for epoch in 1...2 {
            try study.store.storeEpoch(
                EpochRecord(trainingId: trained, epoch: epoch, trainLoss: 0.5, validationLoss: -.infinity),
                validationDice: [])
        }
        try study.store.storeHeldOut(
            [HeldOutRecord(trainingId: trained, sample: text, dice: 0.5, modelGridDice: .nan)], batches: [],
            training: trained)
        evaluated.status = .evaluated
        try study.store.updateTraining(evaluated)
        return run
    }

    private static func addRound(
        _ round: Int, file: String, message: String, to study: SyntheticStudy, _ key: RunKey, _ run: Int64
    ) throws {
        let folder = study.workspace.directory(of: key).round(round)
        try FileManager.default.createDirectory(at: folder.files, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(at: folder.check, withIntermediateDirectories: true)
        let program = "import os\n\(text)\n'''\(text)\n'''\nraise ValueError(\"\(text)\")\n\(longLine)\n# \(round)\n"
        let reply = "\(text)\n\n```python\n\(program)```\n\n```\(text)\n\(longLine)\n```\n\(longLine)"
        for url in [folder.reply, folder.reasoning, folder.standardError, folder.standardOutput] {
            try Data(reply.utf8).write(to: url)
        }
        // Bytes that are no text at all, between the others.
        try Data(program.utf8 + [0xFF, 0xFE, 0xC0, 0x80] + Array(text.utf8)).write(
            to: folder.files.appending(path: "model.py"))
        try Data(try json(["messages": [["role": "user", "content": text + longLine]]]).utf8).write(to: folder.request)
        try study.store.finishRound(
            RoundRecord(
                runId: run, round: round, outcome: .error,
                files: [
                    .init(name: "model.py", sha256: "\(round)", bytes: program.utf8.count, changed: true),
                    .init(name: file, sha256: "x", bytes: 1, changed: true),
                    .init(name: "../../../../etc/passwd", sha256: "x", bytes: 1, changed: true),
                ], codeLines: 4, termination: text),
            error: ErrorRecord(
                runId: run, round: round, errorClass: text, subcategory: text, message: message, file: file, line: 2,
                function: text, signature: text),
            interactions: [
                InteractionRecord(runId: run, round: round, ordinal: 0, kind: .error, text: text + longLine)
            ])
    }

    private static func json(_ object: [String: Any]) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
    }
}
