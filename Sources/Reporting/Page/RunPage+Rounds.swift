import Foundation
import ResultStore

extension RunPage {
    /// One round in the order it happened: reasoning, reply, code with what changed, check run, error, what was said back.
    func round(_ record: RoundRecord, _ markup: inout Markup) {
        let folder = directory.round(record.round)
        let id = "round-\(record.round)"
        let error = run.errorRecords.first { $0.round == record.round }
        let tone = record.outcome == .clean ? "clean" : "failed"
        markup.element("section", ["class": "round \(tone)", "id": id, "aria-labelledby": "\(id)-title"]) { markup in
            markup.element("h3", ["id": "\(id)-title"]) { markup in
                markup.text("Round \(record.round) ")
                markup.element(
                    "span", ["class": "badge \(Self.tone(record.outcome))"], text: Self.word(record.outcome))
            }
            markup.element("p", ["class": "lead"], text: meta(record))
            if let error { summary(of: error, in: record, &markup) }
            if let text = StoredText.read(folder.reasoning), !text.isEmpty {
                fold("Reasoning", Self.size(text), id: "\(id)-reasoning", &markup) {
                    $0.element("p", ["class": "prose"], text: CodeView.cut(text))
                }
            }
            let reply = StoredText.read(folder.reply)
            fold("Reply", Self.size(reply ?? ""), id: "\(id)-reply", &markup) { markup in
                markup.append(ReplyView(text: reply ?? "(not stored)", label: "Reply of round \(record.round)").markup)
            }
            for index in record.files.indices { file(index, of: record, error: error, &markup) }
            output(folder.standardError, "Standard error", "\(id)-stderr", &markup)
            output(folder.standardOutput, "Standard output", "\(id)-stdout", &markup)
            for interaction in run.interactions where interaction.round == record.round {
                fold(
                    "Said back", "\(interaction.kind.rawValue), \(Self.size(interaction.text))",
                    id: "\(id)-said-\(interaction.ordinal)", &markup
                ) {
                    $0.element(
                        "pre", ["tabindex": "0"], text: CodeView.cut(StoredText.escapingControls(interaction.text)))
                }
            }
        }
        markup.newline()
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

    private func summary(of error: ErrorRecord, in record: RoundRecord, _ markup: inout Markup) {
        markup.element("p", ["class": "error"]) { markup in
            markup.element(
                "strong", text: StoredText.line("\(error.errorClass), \(error.subcategory)", limit: 160))
            if let file = error.file {
                let place = StoredText.line(file, limit: 120) + (error.line.map { ", line \($0)" } ?? "")
                markup.text(" in ")
                if let index = record.files.firstIndex(where: { $0.name == file }), let line = error.line {
                    markup.element("a", ["href": "#\(Self.id(record.round, index))-L\(line)"], text: place)
                } else {
                    markup.text(place)
                }
            }
            markup.text(": " + StoredText.line(error.message, limit: 600))
        }
    }

    private static func id(_ round: Int, _ file: Int) -> String { "round-\(round)-file-\(file + 1)" }

    /// A file that a round changed: what changed, and the whole of it. One that was carried over is named with the round that has it,
    /// unless the error lies in it.
    private func file(_ index: Int, of record: RoundRecord, error: ErrorRecord?, _ markup: inout Markup) {
        let file = record.files[index]
        let id = Self.id(record.round, index)
        let name = StoredText.line(file.name, limit: 120)
        let isAtFault = error?.file == file.name && error?.line != nil
        let origin = run.rounds.last { earlier in
            earlier.round < record.round && earlier.files.contains { $0.name == file.name && $0.changed }
        }
        guard file.changed || isAtFault || origin == nil else {
            markup.element("p", ["class": "carried"]) { markup in
                markup.text("\(name): as in ")
                let there = origin?.files.firstIndex { $0.name == file.name } ?? 0
                let round = origin?.round ?? 0
                markup.element("a", ["href": "#\(Self.id(round, there))"], text: "round \(round)")
            }
            return
        }
        let text = text(of: file, round: record.round)
        if file.changed, let origin, let text, let old = self.text(of: file, round: origin.round) {
            fold("\(name): what changed", "since round \(origin.round)", id: "\(id)-diff", open: true, &markup) {
                $0.append(DiffView(from: old, to: text, label: "\(name), changes since round \(origin.round)").markup)
            }
        }
        fold(name, file.changed ? "\(file.bytes) bytes" : "unchanged", id: id, open: isAtFault, &markup) { markup in
            let mark = isAtFault ? error?.line.map { CodeView.Mark(line: $0, message: Self.fault(error)) } : nil
            markup.append(
                CodeView(
                    text: text ?? "(not stored)", language: .init(fileName: file.name),
                    label: "\(name), round \(record.round)", id: id, mark: mark
                ).markup)
        }
    }

    private static func fault(_ error: ErrorRecord?) -> String {
        error.map { "\($0.errorClass): \($0.message)" } ?? ""
    }

    /// A stored name is a plain file name; anything with a separator does not come from the extraction.
    private func text(of file: RoundRecord.File, round: Int) -> String? {
        guard !file.name.contains("/"), !file.name.utf8.contains(0), file.name.utf8.count < 256 else { return nil }
        return StoredText.read(directory.round(round).files.appending(path: file.name))
    }

    private func output(_ url: URL, _ title: String, _ id: String, _ markup: inout Markup) {
        guard let text = StoredText.read(url), !text.isEmpty else { return }
        fold(title, Self.size(text), id: id, &markup) { $0.element("pre", ["tabindex": "0"], text: CodeView.cut(text)) }
    }
}
