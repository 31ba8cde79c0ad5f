import Foundation
import ResultStore

extension StudyEvidence {
    /// What each model chose, read from the graph, beside what it said of itself in config.json.
    ///
    /// One row a property and a column pair a run would be unreadable for many models, so a run is a row and a choice that
    /// differs from the stated one is shown as `real (said: stated)`.
    public func architecturesTable() -> ReportTable {
        var table = ReportTable(
            name: "architectures", title: "What each model chose",
            columns: [.init("model", key: "model")]
                + Choice.all.map { .init($0.title, key: $0.key, numeric: $0.numeric) }
                + [.init("said otherwise", key: "mismatches", numeric: true)])
        table.rows = runs.map(architecturesRow)
        table.notes = [
            "Architecture and loop are read from the captured graph and the objects of the run, not from the source text. "
                + "(said: …) marks a choice that config.json states differently.",
            "A dash: the run has no capture, or the choice does not apply.",
        ]
        return table
    }

    /// One choice of a run beside what the model said of it.
    struct StatedChoice: Sendable {
        var title: String
        var real: String
        var stated: String?
        var agrees: Bool
    }

    /// The choices of one run that apply to it.
    static func choices(of run: Run) -> [StatedChoice] {
        guard let capture = run.capture, let facts = capture.facts.flatMap(JSONFacts.init) else { return [] }
        let pipeline = capture.pipeline.flatMap(JSONFacts.init)
        let stated = capture.stated.flatMap(JSONFacts.init)
        return Choice.all.compactMap { choice in
            guard let real = choice.real(facts, pipeline) else { return nil }
            let said = choice.statedKeys.lazy.compactMap { stated?[$0] }.first
            return StatedChoice(
                title: choice.title, real: real.shown, stated: said?.shown,
                agrees: said.map { choice.agrees(real, $0) } ?? true)
        }
    }

    private func architecturesRow(_ run: Run) -> [ReportTable.Cell] {
        guard let capture = run.capture, let facts = capture.facts.flatMap(JSONFacts.init) else {
            return [.text(run.label)] + Choice.all.map { _ in .missing } + [.missing]
        }
        let pipeline = capture.pipeline.flatMap(JSONFacts.init)
        let stated = capture.stated.flatMap(JSONFacts.init)
        var mismatches = 0
        let cells: [ReportTable.Cell] = Choice.all.map { choice in
            guard let real = choice.real(facts, pipeline) else { return .missing }
            if let said = choice.statedKeys.lazy.compactMap({ stated?[$0] }).first, !choice.agrees(real, said) {
                mismatches += 1
                return .text("\(real.shown) (said: \(said.shown))")
            }
            return real.cell
        }
        return [.text(run.label)] + cells + [stated == nil ? .missing : .integer(mismatches)]
    }
}

/// One column: where the real value lies, and under which keys a model states it.
private struct Choice: Sendable {
    var title: String
    var key: String
    var statedKeys: [String]
    var numeric = false
    var real: @Sendable (_ facts: JSONFacts, _ pipeline: JSONFacts?) -> JSONFacts.Value?

    init(
        _ title: String, _ key: String, stated: [String]? = nil, numeric: Bool = false,
        real: (@Sendable (JSONFacts, JSONFacts?) -> JSONFacts.Value?)? = nil
    ) {
        self.title = title
        self.key = key
        statedKeys = stated ?? [key]
        self.numeric = numeric
        self.real = real ?? { facts, _ in facts[key] }
    }

    /// Text is compared loosely: case, spaces and the spelling of a block are a matter of style.
    func agrees(_ real: JSONFacts.Value, _ said: JSONFacts.Value) -> Bool {
        switch (real, said) {
        case (.number(let a), .number(let b)): abs(a - b) <= 1e-9 * max(abs(a), abs(b))
        case (.text(let a), .text(let b)):
            // "concatenate, padded" is what a model calls "concatenation"; "BCE with logits" is its "BCEWithLogits".
            Self.words(a).starts(with: Self.words(b)) || Self.words(a).joined() == Self.words(b).joined()
        case (.list(let a), .list(let b)): a == b
        default: real == said
        }
    }

    /// Spellings that mean the same, so that only a real difference is marked.
    private static let synonyms = [
        "batchnorm": "bn", "batchnorm2d": "bn", "conv3x3": "conv", "conv2d": "conv", "concatenation": "concatenate",
        "bcewithlogitsloss": "bce", "bcewithlogits": "bce", "bceloss": "bce", "bilinear_align_corners": "bilinear",
        "null": "none",
    ]

    private static func words(_ text: String) -> [String] {
        text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "." && $0 != "_" })
            .map { synonyms[String($0)] ?? String($0) }
    }

    static let all: [Choice] = [
        Choice("parameters", "trainable_parameters", numeric: true),
        Choice("encoder", "encoder_channels"), Choice("bottleneck", "bottleneck_channels", numeric: true),
        Choice("decoder", "decoder_channels"), Choice("block", "conv_block"),
        Choice("norm", "normalization"), Choice("up-sampling", "upsampling"), Choice("skip", "skip"),
        Choice("loss", "loss"), Choice("image size", "image_size", stated: ["input_size", "image_size"]),
        Choice("optimizer", "optimizer") { _, pipeline in pipeline?.object("optimizer")?["name"] },
        Choice("learning rate", "learning_rate", numeric: true) { _, pipeline in
            pipeline?.object("optimizer")?.firstObject("groups")?["lr"]
        },
        Choice("weight decay", "weight_decay", numeric: true) { _, pipeline in
            pipeline?.object("optimizer")?.firstObject("groups")?["weight_decay"]
        },
        Choice("scheduler", "scheduler") { _, pipeline in
            pipeline.map { $0.object("scheduler")?["name"] ?? .text("none") }
        },
        Choice("batch", "batch_size", numeric: true) { _, pipeline in pipeline?["batch_size"] },
        // config.json states the epochs of the check run it was written by, so it is not compared.
        Choice("epochs", "epochs", stated: [], numeric: true) { _, pipeline in pipeline?["epochs"] },
    ]
}

/// A JSON object written by generated code's side of the sandbox, read without trust in its shape.
struct JSONFacts {
    enum Value: Hashable {
        case text(String)
        case number(Double)
        case list([Value])

        var shown: String {
            switch self {
            case .text(let text): String(text.prefix(80))
            case .number(let value): value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
            case .list(let values): values.prefix(12).map(\.shown).joined(separator: "-")
            }
        }

        var cell: ReportTable.Cell {
            guard case .number(let value) = self else { return .text(shown) }
            if value == value.rounded(), abs(value) < 1e15 { return .integer(Int(value)) }
            // Learning rates and weight decays: as many digits as they need.
            return .text("\(value)")
        }
    }

    private let object: [String: Any]

    init?(_ json: String) {
        guard let object = (try? JSONSerialization.jsonObject(with: Data(json.utf8))) as? [String: Any] else {
            return nil
        }
        self.object = object
    }

    private init(object: [String: Any]) {
        self.object = object
    }

    subscript(key: String) -> Value? { object[key].flatMap(Self.value) }

    func object(_ key: String) -> JSONFacts? { (object[key] as? [String: Any]).map(JSONFacts.init(object:)) }

    func firstObject(_ key: String) -> JSONFacts? {
        (object[key] as? [[String: Any]])?.first.map(JSONFacts.init(object:))
    }

    private static func value(_ any: Any) -> Value? {
        switch any {
        case let text as String: return .text(text)
        case let number as NSNumber: return .number(number.doubleValue)
        case let list as [Any]: return .list(list.compactMap(value))
        default: return nil
        }
    }
}
