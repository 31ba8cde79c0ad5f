import Foundation
import ResultStore

/// One run, round by round, as the template sees it.
struct RunPage {
    let run: StudyEvidence.Run
    let evidence: StudyEvidence
    let workspace: Workspace

    var model: [String: Any] {
        let directory = workspace.directory(of: run.record.key)
        var model: [String: Any] = [
            "label": run.label, "path": run.record.path, "outcome": run.outcome,
            "tone": run.record.status == .succeeded ? "good" : "bad",
            "facts": facts.map { ["name": $0.0, "value": $0.1] },
            "rounds": run.rounds.map { round($0, in: directory) },
            "footer": "The files lie in generated/\(run.record.path).",
        ]
        let prompt = prompt(in: directory)
        model["prompt"] = prompt
        model["promptSize"] = Self.size(prompt)
        if !run.trainings.isEmpty {
            var table = evidence.diceTable()
            table.rows = table.rows.filter { $0.first == .text(run.label) }
            model["trainings"] = TableModel(table).model
        }
        if run.record.fixture {
            model["notice"] =
                "This conversation was written by hand to exercise the harness. It says nothing about any language model."
        }
        return model
    }

    private var facts: [(String, String)] {
        let record = run.record
        var facts = [
            ("dataset", record.dataset), ("target", record.target), ("provider", record.provider),
            ("prompt", record.promptHash), ("started", record.startedAt.formatted(.iso8601)),
            ("rounds", "\(run.errors.replies) replies, \(run.errors.feedbacks) of \(record.maxRounds) feedbacks used"),
            ("sandbox", record.sandboxed ? "bubblewrap" : "none (--unsafe-no-sandbox)"),
        ]
        if let reason = record.endReason { facts.append(("ended", reason)) }
        if let capture = run.capture {
            let note = capture.refusals.isEmpty ? "" : ": " + capture.refusals.joined(separator: "; ")
            facts.append(("capture", capture.status.rawValue + note))
            if let failure = capture.failure { facts.append(("capture failed", failure)) }
        }
        return facts
    }

    /// The first user message of the first request; the prompt is the same for the whole run.
    private func prompt(in directory: RunDirectory) -> String {
        struct Request: Decodable {
            struct Message: Decodable {
                var role: String
                var content: String
            }
            var messages: [Message]
        }
        guard let text = StoredText.read(directory.round(0).request, limit: 1 << 20),
            let request = try? JSONDecoder().decode(Request.self, from: Data(text.utf8)),
            let first = request.messages.first(where: { $0.role == "user" })
        else { return "(not stored)" }
        return StoredText.escapingControls(first.content)
    }

    private func round(_ record: RoundRecord, in directory: RunDirectory) -> [String: Any] {
        let folder = directory.round(record.round)
        let error = run.errorRecords.first { $0.round == record.round }
        let clean = record.outcome == .clean
        var model: [String: Any] = [
            "number": "\(record.round)", "outcome": Self.words[record.outcome] ?? record.outcome.rawValue,
            "tone": clean ? "clean" : "failed",
            "badge": clean ? "good" : record.outcome == .clarification ? "warn" : "bad",
            "meta": meta(record),
            "files": record.files.map { file($0, in: folder, error: error) },
        ]
        if let error {
            let place = error.file.map { " (\($0):\(error.line ?? 0))" } ?? ""
            model["error"] = StoredText.escapingControls(
                "\(error.errorClass), \(error.subcategory)\(place): \(error.message.prefix(600))")
        }
        add(StoredText.read(folder.reply) ?? "(not stored)", as: "reply", to: &model)
        if let reasoning = StoredText.read(folder.reasoning), !reasoning.isEmpty {
            add(reasoning, as: "reasoning", to: &model)
        }
        if let text = StoredText.read(folder.standardError), !text.isEmpty { add(text, as: "stderr", to: &model) }
        if let text = StoredText.read(folder.standardOutput), !text.isEmpty { add(text, as: "stdout", to: &model) }
        model["feedback"] = run.interactions.filter { $0.round == record.round }.map {
            ["kind": $0.kind.rawValue, "text": StoredText.escapingControls($0.text)]
        }
        return model
    }

    private static let words: [RoundRecord.Outcome: String] = [
        .clean: "runs", .error: "error", .contract: "contract breached", .extraction: "no usable files",
        .clarification: "whole file asked for",
    ]

    private func add(_ text: String, as name: String, to model: inout [String: Any]) {
        model[name] = text
        model["\(name)Size"] = Self.size(text)
    }

    private func meta(_ record: RoundRecord) -> String {
        var parts = ["\(record.codeLines) lines of code"]
        if let termination = record.termination { parts.append("check run: \(termination)") }
        if let seconds = record.checkSeconds { parts.append("\(ReportTable.Cell.fixed(seconds, 1)) s") }
        if let bytes = record.checkPeakBytes { parts.append("\(bytes >> 20) MiB at peak") }
        let exchanges = run.exchanges.filter { $0.round == record.round && $0.status == .complete }
        if let tokens = exchanges.last?.outputTokens { parts.append("\(tokens) output tokens") }
        return parts.joined(separator: " · ")
    }

    private func file(_ file: RoundRecord.File, in folder: RoundDirectory, error: ErrorRecord?) -> [String: Any] {
        // A stored name is a plain file name; anything with a separator does not come from the extraction.
        let text = file.name.contains("/") ? nil : StoredText.read(folder.files.appending(path: file.name))
        let lines = (text ?? "(not stored)").split(separator: "\n", omittingEmptySubsequences: false)
        let marked = error?.file == file.name ? error?.line : nil
        return [
            "name": file.name, "meta": file.changed ? "\(file.bytes) bytes" : "unchanged", "open": false,
            "lines": lines.enumerated().map { ["text": String($1), "here": $0 + 1 == marked] as [String: Any] },
        ]
    }

    private static func size(_ text: String) -> String {
        let bytes = text.utf8.count
        return bytes < 1024 ? "\(bytes) bytes" : "\(bytes / 1024) KiB"
    }
}
