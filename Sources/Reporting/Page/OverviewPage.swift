import Foundation
import ResultStore
import Statistics

/// The first page: whether the evidence holds together, what there is, and how the models did.
struct OverviewPage: Sendable {
    let evidence: StudyEvidence
    let audit: AuditSummary?
    let tables: [PageTables.Heading]
    /// The figures that are shown at once; the others are on their own page.
    let figures: [DrawnFigure]
    let figureWarning: String?
    let isLive: Bool

    var markup: Markup {
        var markup = Markup()
        markup.element("h1", text: "Study \(evidence.study)")
        markup.element("p", ["class": "lead", "id": "lead", "data-live": ""], text: lead)
        AuditView(audit: audit).add(to: &markup)
        markup.element("section", ["id": "models", "aria-labelledby": "models-title"]) { markup in
            markup.element("h2", ["id": "models-title"], text: "Models")
            let table = ModelsTable(evidence)
            markup.append(TableView(table: table.table, links: table.links).markup)
        }
        if !figures.isEmpty {
            markup.element("section", ["id": "figures", "aria-labelledby": "figures-title"]) { markup in
                markup.element("h2", ["id": "figures-title"], text: "Figures")
                markup.element("div", ["class": "figures"]) { markup in
                    for figure in figures {
                        markup.append(
                            FigureView(
                                drawn: figure, path: "figures/\(figure.figure.name)", formats: [.png, .svg, .pdf],
                                warning: figureWarning, isLive: isLive
                            ).markup)
                    }
                }
            }
        }
        markup.element("section", ["id": "contents", "aria-labelledby": "contents-title"]) { markup in
            markup.element("h2", ["id": "contents-title"], text: "In this report")
            markup.element("ul") { markup in
                func item(_ link: String, _ title: String, _ note: String?, _ markup: inout Markup) {
                    markup.element("li") { markup in
                        markup.element("a", ["href": link], text: title)
                        if let note { markup.text(" – \(note)") }
                    }
                }
                item("runs.html", "Runs", "each conversation round by round, its code, training and images", &markup)
                for table in tables { item("tables/\(table.name).html", table.title, nil, &markup) }
                item("figures.html", "Figures", "with hover values, and as PNG, SVG and PDF for print", &markup)
                item("report.xlsx", "Workbook", "every table as a sheet", &markup)
            }
        }
        return markup
    }

    private var lead: String {
        let datasets = Set(evidence.runs.map(\.record.dataset)).sorted().joined(separator: ", ")
        let clean = evidence.runs.count { $0.record.status == .succeeded }
        let going = evidence.runs.count { $0.record.status == .running }
        let evaluated = evidence.runs.reduce(0) { $0 + $1.trainings.count { $0.record.status == .evaluated } }
        guard !evidence.runs.isEmpty else { return "No run has begun." }
        return "\(evidence.runs.count) runs on \(datasets). \(clean) came to code that runs and keeps the contract"
            + (going > 0 ? ", \(going) not at the end yet" : "") + "; \(evaluated) trainings evaluated."
    }
}

/// The audit's result, or that there was none.
struct AuditView {
    var audit: AuditSummary?

    func add(to markup: inout Markup) {
        let tone = audit.map { $0.isClean ? "clean" : "failed" } ?? "unknown"
        markup.element(
            "section", ["id": "audit", "class": "audit \(tone)", "data-live": "", "aria-labelledby": "audit-title"]
        ) { markup in
            markup.element("h2", ["id": "audit-title"], text: "Audit")
            guard let audit else {
                return markup.element(
                    "p",
                    text:
                        "No audit was run on this evidence: nothing here was checked for duplicates, leaks or numbers that do not "
                        + "follow from the data. Figures carry a mark for it.")
            }
            markup.element("p", text: Self.verdict(audit))
            guard !audit.findings.isEmpty else { return }
            markup.element("ul", ["class": "findings"]) { markup in
                for finding in audit.findings.sorted(by: Self.graver) { item(finding, &markup) }
            }
        }
    }

    private func item(_ finding: AuditSummary.Finding, _ markup: inout Markup) {
        let tone = finding.severity == .error ? "bad" : finding.severity == .warning ? "warn" : "good"
        markup.element("li") { markup in
            markup.element("span", ["class": "badge \(tone)"], text: finding.severity.rawValue)
            markup.text(" ")
            markup.element("strong", text: StoredText.line(finding.place))
            markup.text(": " + StoredText.line(finding.what, limit: 600))
            markup.element(
                "p", ["class": "meta"],
                text: StoredText.line("\(finding.whyItMatters) To look: \(finding.howToLook)", limit: 600))
        }
    }

    private static func verdict(_ audit: AuditSummary) -> String {
        let when = audit.auditedAt.formatted(.iso8601)
        guard !audit.findings.isEmpty else { return "\(audit.checks) checks on \(when), no finding." }
        let counts = AuditSummary.Severity.allCases.compactMap { severity -> String? in
            let count = audit.findings.count { $0.severity == severity }
            return count == 0 ? nil : "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
        }
        return "\(audit.checks) checks on \(when): \(counts.joined(separator: ", "))."
    }

    private static func graver(_ a: AuditSummary.Finding, _ b: AuditSummary.Finding) -> Bool {
        let order = AuditSummary.Severity.allCases
        return (order.firstIndex(of: a.severity) ?? 0, a.place) < (order.firstIndex(of: b.severity) ?? 0, b.place)
    }

    /// What a figure must carry: nil after a clean audit.
    static func figureWarning(_ audit: AuditSummary?) -> String? {
        guard let audit else { return "Not audited." }
        return audit.isClean ? nil : "The audit has findings."
    }
}

/// A row a model and dataset: its runs in brief, so that a study of hundreds of runs opens on a page.
struct ModelsTable {
    var table: ReportTable
    /// To the runs of a model.
    var links: [String: String] = [:]

    init(_ evidence: StudyEvidence) {
        table = ReportTable(
            name: "models", title: "Models",
            columns: [
                .init("model", key: "model"), .init("dataset", key: "dataset"),
                .init("runs", key: "runs", numeric: true), .init("ran", key: "ran", numeric: true),
                .init("fed back", key: "feedbacks", numeric: true),
                .init("errors", key: "errors", numeric: true),
                .init("evaluated", key: "evaluated", numeric: true),
                .init("mean Dice", key: "mean_dice", numeric: true), .init("worst", key: "worst", numeric: true),
                .init("best", key: "best", numeric: true), .init("threshold", key: "threshold", numeric: true),
            ])
        struct Key: Hashable { var model, dataset: String }
        let groups = Dictionary(grouping: evidence.runs) { Key(model: $0.record.model, dataset: $0.record.dataset) }
        for (key, runs) in groups.sorted(by: { ($0.key.model, $0.key.dataset) < ($1.key.model, $1.key.dataset) }) {
            let dice = runs.compactMap(\.headline?.meanDice)
            func cell(_ value: Double?, _ digits: Int = 3) -> ReportTable.Cell {
                value.map { .number($0, digits: digits) } ?? .missing
            }
            table.rows.append([
                .text(key.model), .text(key.dataset), .integer(runs.count),
                .integer(runs.count { $0.record.status == .succeeded }),
                cell(Statistics.median(runs.map { Double($0.errors.feedbacks) }), 1),
                .integer(runs.reduce(0) { $0 + $1.errorRecords.count }), .integer(dice.count),
                cell(Statistics.mean(dice)), cell(dice.min()), cell(dice.max()),
                cell(evidence.reference(for: runs[0])?.bestThresholdDice),
            ])
            links[key.model] = "runs.html#f.model=\(Self.encoded(key.model))"
        }
        table.notes = [
            "ran: came to code that runs and keeps the contract. fed back: the median over runs of what was said back. "
                + "Dice: the mean over held-out images of each run (engine swift where it was evaluated, else pytorch, else emitted; first "
                + "seed), then over runs. threshold: the best single grey level, which learns nothing."
        ]
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}

extension StudyEvidence.Run {
    /// The evaluated training that speaks for the run: engine swift before the others, the first seed.
    var headline: StudyEvidence.Training? {
        let preference: [TrainingRecord.Engine] = [.swift, .pytorch, .emitted]
        return preference.lazy.compactMap { evaluated($0).first }.first
    }
}
