import Foundation
import Prompts
import ResultStore

/// Fills the sentences that the harness has to say itself.
public protocol FeedbackTexts: Sendable {
    /// - Returns: the text, and the SHA-256 of the template it came from.
    func feedback(_ template: FeedbackTemplate, slots: [String: String]) throws -> FilledFeedback
}

/// A sentence of the harness, ready to be sent.
public struct FilledFeedback: Sendable, Hashable {
    public var text: String
    public var templateHash: String

    public init(text: String, templateHash: String) {
        self.text = text
        self.templateHash = templateHash
    }
}

/// The templates in `prompts/feedback/`, read once.
public struct FeedbackTemplates: FeedbackTexts {
    private let templates: [FeedbackTemplate: PromptTemplate]

    /// - Parameter folder: `prompts/feedback/`
    /// - Throws: `PromptError` for a template that is missing or has a slot that nobody fills: before a run begins, not in its
    ///   middle.
    public init(folder: URL) throws(PromptError) {
        var templates: [FeedbackTemplate: PromptTemplate] = [:]
        for template in FeedbackTemplate.allCases {
            templates[template] = try PromptTemplate.load(folder.appending(path: template.file), known: template.slots)
        }
        self.templates = templates
    }

    public func feedback(_ template: FeedbackTemplate, slots: [String: String]) throws -> FilledFeedback {
        guard let loaded = templates[template] else {
            throw PromptError.unreadable(file: template.file, reason: "it was not loaded")
        }
        let rendered = try loaded.render(slots)
        return FilledFeedback(text: rendered.text, templateHash: rendered.templateSHA256)
    }
}

/// Composes what is said back after a round.
struct FeedbackComposer {
    let texts: any FeedbackTexts
    let run: Int64

    /// The interaction that answers a reply whose files were checked; nil where it ran clean.
    func answer(to verdict: CheckVerdict, round: Int) throws -> InteractionRecord? {
        switch verdict.kind {
        case .clean: return nil
        case .error:
            return InteractionRecord(runId: run, round: round, ordinal: 0, kind: .error, text: verdict.detail)
        case .timeout:
            let slots = [
                "seconds": "\(Int(verdict.wallLimit.rounded()))", "epochs": "\(verdict.epochs)",
                "sample_count": "\(verdict.samples)",
            ]
            return try templated(.timeout, .timeout, round, slots)
        case .killed: return try templated(.killed, .killed, round, ["reason": verdict.detail])
        case .silent: return try templated(.error, .silent, round, ["ending": verdict.detail])
        case .contract: return try templated(.contract, .contract, round, ["breach": verdict.detail])
        }
    }

    /// The interaction that answers a reply that gave no complete set of files; nil where it did.
    func answer(to verdict: Extraction.Verdict, round: Int) throws -> InteractionRecord? {
        switch verdict {
        case .complete: nil
        case .missing(let files):
            try templated(.extraction, .noFiles, round, ["files": Self.list(files)])
        case .truncated: try templated(.extraction, .outputTruncated, round, [:])
        case .unclear(let reason, let files):
            try templated(.clarification, .clarification, round, ["reason": reason, "files": Self.list(files)])
        }
    }

    /// The hint after `count` times the same error.
    func hint(count: Int, round: Int) throws -> InteractionRecord {
        var hint = try templated(.hint, .hint, round, ["count": "\(count)"])
        hint.ordinal = 1
        return hint
    }

    private func templated(
        _ kind: InteractionRecord.Kind, _ name: FeedbackTemplate, _ round: Int, _ slots: [String: String]
    ) throws -> InteractionRecord {
        let filled = try texts.feedback(name, slots: slots)
        return InteractionRecord(
            runId: run, round: round, ordinal: 0, kind: kind, text: filled.text, templateHash: filled.templateHash)
    }

    /// "`a.py`, `b.py` and `c.py`"; what is no file name stands without quotes.
    static func list(_ names: [String]) -> String {
        let quoted = names.map { $0.hasSuffix(".py") || $0.hasSuffix(".swift") ? "`\($0)`" : $0 }
        guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "" }
        return quoted.dropLast().joined(separator: ", ") + " and " + last
    }
}
