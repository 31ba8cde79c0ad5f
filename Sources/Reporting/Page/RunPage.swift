import Foundation
import ResultStore
import TensorRuntime

/// One run: what it is, what it chose, how it trained and segmented, and the conversation round by round.
struct RunPage: Sendable {
    let run: StudyEvidence.Run
    /// Unique among the runs of the study.
    let title: String
    let directory: RunDirectory
    let trainings: ReportTable
    let curves: [DrawnFigure]
    /// Path of the curves from the page, without suffix.
    let curvesPath: @Sendable (DrawnFigure) -> String
    let gallery: Result<HeldOutGallery, HeldOutGallery.Absence>
    let predictionPath: @Sendable (HeldOutGallery.Case) -> String
    let figureWarning: String?
    let isLive: Bool

    var markup: Markup {
        var markup = Markup()
        markup.element("div", ["id": "run-head", "data-live": ""]) { head(&$0) }
        section("architecture", "What it chose", &markup, architecture)
        section("training", "Training and evaluation", &markup, training)
        if !run.versions.isEmpty { section("versions", "Versions", &markup, versions) }
        section("held-out", "Held-out images", &markup, heldOut)
        section("prompt", "Prompt", &markup) { markup in
            let prompt = prompt
            fold("The prompt as sent", Self.size(prompt), id: "prompt-text", &markup) {
                $0.element("pre", ["tabindex": "0"], text: prompt)
            }
        }
        markup.element("section", ["id": "rounds", "aria-labelledby": "rounds-title"]) { markup in
            markup.element("h2", ["id": "rounds-title"], text: "Conversation")
            markup.element("div", ["id": "round-list", "data-live-list": ""]) { markup in
                for record in run.rounds { round(record, &markup) }
            }
        }
        markup.element("p", ["class": "notes"], text: "The files lie in generated/\(run.record.path).")
        return markup
    }

    private func head(_ markup: inout Markup) {
        markup.element("h1") { markup in
            markup.text(title + " ")
            let tone = run.record.status == .succeeded ? "good" : run.record.status == .running ? "warn" : "bad"
            markup.element("span", ["class": "badge \(tone)"], text: run.outcome)
        }
        if run.record.fixture {
            markup.element(
                "p", ["class": "notice", "role": "note"],
                text:
                    "This conversation was written by hand to exercise the harness. It says nothing about any language model."
            )
        }
        markup.element("nav", ["class": "inside", "aria-label": "On this page"]) { markup in
            let versions = run.versions.isEmpty ? [] : [("versions", "Versions")]
            for (id, name) in [("architecture", "Architecture"), ("training", "Training")] + versions
                + [("held-out", "Held-out images"), ("prompt", "Prompt")]
            {
                markup.element("a", ["href": "#\(id)"], text: name)
            }
            for record in run.rounds {
                markup.element("a", ["href": "#round-\(record.round)"]) { markup in
                    markup.text("Round \(record.round) ")
                    markup.element(
                        "span", ["class": "badge \(Self.tone(record.outcome))"], text: Self.word(record.outcome))
                }
            }
        }
        markup.element("dl", ["class": "facts"]) { markup in
            for (name, value) in facts {
                markup.element("dt", text: name)
                markup.element("dd", text: StoredText.line(value, limit: 2000))
            }
        }
    }

    private func section(_ id: String, _ title: String, _ markup: inout Markup, _ body: (inout Markup) -> Void) {
        markup.element("section", ["id": id, "data-live": "", "aria-labelledby": "\(id)-title"]) { markup in
            markup.element("h2", ["id": "\(id)-title"], text: title)
            body(&markup)
        }
        markup.newline()
    }

    /// A part that opens on demand.
    func fold(
        _ title: String, _ note: String, id: String, open: Bool = false, _ markup: inout Markup,
        _ body: (inout Markup) -> Void
    ) {
        markup.element("details", ["id": id, "open": open ? "" : nil]) { markup in
            markup.element("summary") { markup in
                markup.text(title + " ")
                markup.element("span", ["class": "meta"], text: note)
            }
            body(&markup)
        }
        markup.newline()
    }

    private var facts: [(String, String)] {
        let record = run.record
        var facts = [
            ("dataset", record.dataset), ("target", record.target), ("provider", record.provider),
            ("prompt", record.promptName.map { "\($0) (\(record.promptHash))" } ?? record.promptHash),
            ("started", record.startedAt.formatted(.iso8601)),
            ("rounds", "\(run.errors.replies) replies, \(run.errors.feedbacks) of \(record.maxRounds) feedbacks used"),
            ("sandbox", record.sandboxed ? "bubblewrap" : "none (--unsafe-no-sandbox)"),
        ]
        if !record.endpointModel.isEmpty { facts.insert(("model", record.endpointModel), at: 2) }
        if !record.asking.isEmpty { facts.append(("asked with", record.asking)) }
        if let reason = record.endReason { facts.append(("ended", reason)) }
        if let capture = run.capture {
            let note = capture.refusals.isEmpty ? "" : ": " + capture.refusals.joined(separator: "; ")
            facts.append(("capture", capture.status.rawValue + note))
            if let failure = capture.failure { facts.append(("capture failed", failure)) }
        }
        return facts
    }

    private func architecture(_ markup: inout Markup) {
        guard let capture = run.capture, let facts = capture.facts.flatMap(JSONFacts.init) else {
            return markup.element("p", ["class": "empty"], text: "Nothing of this run was captured.")
        }
        let graph = try? Graph(
            contentsOf: directory.capture(seed: capture.seed, epochs: capture.epochs)
                .appending(path: "eval-graph.json"))
        markup.start("div", ["class": "beside"])
        defer { markup.end("div") }
        if let shape = UNetShape(facts: facts, graph: graph) {
            markup.start("div", ["class": "drawing"])
            markup.element(
                "div",
                [
                    "class": "scroll", "role": "region", "tabindex": "0",
                    "aria-label": "The captured network as a drawing",
                ]
            ) { $0.append(UNetDiagram(shape: shape).markup) }
            markup.element("p", ["class": "notes"], text: shape.sentence)
            markup.end("div")
        }
        let choices = StudyEvidence.choices(of: run)
        markup.element("table", ["class": "plain"]) { markup in
            markup.element("caption", ["class": "unseen"], text: "Choices of this run, as captured and as stated")
            markup.element("thead") { markup in
                markup.element("tr") { markup in
                    for title in ["choice", "as captured", "as the model stated it"] {
                        markup.element("th", ["scope": "col"], text: title)
                    }
                }
            }
            markup.element("tbody") { markup in
                for choice in choices {
                    markup.element("tr", ["class": choice.agrees ? nil : "differs"]) { markup in
                        markup.element("th", ["scope": "row"], text: choice.title)
                        markup.element("td", text: StoredText.line(choice.real))
                        markup.element("td") { markup in
                            markup.text(StoredText.line(choice.stated ?? "–"))
                            if !choice.agrees {
                                markup.text(" ")
                                markup.element("span", ["class": "badge bad"], text: "differs")
                            }
                        }
                    }
                }
            }
        }
    }

    private func training(_ markup: inout Markup) {
        guard !trainings.rows.isEmpty else {
            return markup.element("p", ["class": "empty"], text: "Not trained yet.")
        }
        markup.append(TableView(table: trainings).markup)
        markup.element("div", ["class": "figures"]) { markup in
            for figure in curves {
                markup.append(
                    FigureView(drawn: figure, path: curvesPath(figure), warning: figureWarning, isLive: isLive).markup)
            }
        }
    }

    /// What the model was asked to make of its program, and which is kept.
    private func versions(_ markup: inout Markup) {
        markup.append(TableView(table: StudyEvidence.versionsTable(of: [run])).markup)
    }

    private func heldOut(_ markup: inout Markup) {
        switch gallery {
        case .success(let gallery):
            markup.append(GalleryView(gallery: gallery, root: "../", predictionPath: predictionPath).markup)
        case .failure(.notEvaluated):
            markup.element("p", ["class": "empty"], text: "Not evaluated yet.")
        case .failure(.reason(let reason)):
            markup.element("p", ["class": "empty"], text: "Not shown: \(reason).")
        }
    }

    /// The first user message of the first request; the prompt is the same for the whole run.
    private var prompt: String {
        struct Request: Decodable {
            struct Message: Decodable {
                var role: String
                var content: String
            }
            var messages: [Message]
        }
        guard let (data, _) = StoredText.bytes(directory.round(0).request, limit: 1 << 20),
            let request = try? JSONDecoder().decode(Request.self, from: data),
            let first = request.messages.first(where: { $0.role == "user" })
        else { return "(not stored)" }
        return StoredText.escapingControls(first.content)
    }

    static func tone(_ outcome: RoundRecord.Outcome) -> String {
        switch outcome {
        case .clean: "good"
        case .clarification: "warn"
        case .error, .contract, .extraction: "bad"
        }
    }

    static func word(_ outcome: RoundRecord.Outcome) -> String {
        switch outcome {
        case .clean: "runs"
        case .error: "error"
        case .contract: "contract breached"
        case .extraction: "no usable files"
        case .clarification: "whole file asked for"
        }
    }

    static func size(_ text: String) -> String {
        let bytes = text.utf8.count
        return bytes < 1024 ? "\(bytes) bytes" : "\(bytes / 1024) KiB"
    }
}
