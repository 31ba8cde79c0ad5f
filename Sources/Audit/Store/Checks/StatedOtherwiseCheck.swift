import ResultStore

/// What a model says of its pipeline in config.json against what was captured of it.
///
/// Numbers, lists of numbers and names of classes are compared; free words are not, because spelling is no difference. `epochs`
/// is not: config.json comes from the check run, which has its own.
struct StatedOtherwiseCheck: StoreCheck {
    let id = "stated-otherwise"
    let asks = "Are a pipeline's real choices those that its config.json states?"
    let why =
        "A table made from what models say of themselves would be wrong here; tables of this report use what was captured."

    private typealias Value = LooseObject.Value

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        evidence.runs.compactMap { run in
            guard let capture = run.captures.last(where: { $0.stated != nil && $0.pipeline != nil }) else { return nil }
            let differences = Self.differences(capture)
            guard !differences.isEmpty else { return nil }
            // How many stages a U-Net has depends on whether the bottleneck counts: a matter of words.
            let isWording = differences.allSatisfy { $0.key.hasSuffix("_stages") }
            return finding(
                isWording ? .note : .warning, run.path,
                differences.map { "\($0.key) is \($0.real), stated as \($0.stated)" }.joined(separator: "; "),
                look: evidence.query(
                    "SELECT stated, pipeline, facts FROM capture WHERE id = \(capture.record.id ?? -1)"))
        }
    }

    private static func differences(_ capture: AuditEvidence.Capture) -> [(key: String, real: String, stated: String)] {
        guard let stated = capture.stated else { return [] }
        return real(capture).compactMap { key, choices in
            guard let said = stated[key], said != .null, let first = choices.first,
                !choices.contains(where: { agrees($0, said) })
            else { return nil }
            return (key, first.shown, said.shown)
        }
    }

    /// By the key of config.json; several values where each of them is a true statement.
    private static func real(_ capture: AuditEvidence.Capture) -> [(String, [Value])] {
        let (facts, pipeline) = (capture.facts, capture.pipeline)
        var choices: [(String, [Value])] = [
            "trainable_parameters", "encoder_stages", "decoder_stages", "encoder_channels", "decoder_channels",
            "bottleneck_channels",
        ].map { key in (key, (facts?[key]).map { [$0] } ?? []) }
        let optimizer = pipeline?.object("optimizer")
        let groups = optimizer?.objects("groups") ?? []
        choices.append(("optimizer", optimizer?["name"].map { [$0] } ?? []))
        // The one-cycle policy is named by its highest rate, not by the one it begins with.
        choices.append(
            (
                "learning_rate",
                groups.compactMap { $0["lr"] } + (pipeline?.object("scheduler")?["max_lr"].map { [$0] } ?? [])
            ))
        choices.append(("weight_decay", groups.compactMap { $0["weight_decay"] }))
        choices.append(("batch_size", pipeline?["batch_size"].map { [$0] } ?? []))
        // A list is how several channels of sizes are given; a number stands for both sides.
        choices.append(("input_size", facts?["image_size"].map { [$0] } ?? []))
        choices.append(("input_channels", facts?["channels"].map { [$0] } ?? []))
        return choices
    }

    private static func agrees(_ real: Value, _ stated: Value) -> Bool {
        switch (real, stated) {
        case (.number(let a), .number(let b)): abs(a - b) <= 1e-9 * max(abs(a), abs(b))
        case (.text(let a), .text(let b)): a.lowercased() == b.lowercased() || b.lowercased().hasPrefix(a.lowercased())
        case (.list(let a), .list(let b)): a.count == b.count && zip(a, b).allSatisfy { agrees($0, $1) }
        case (.list(let a), .number): a.allSatisfy { agrees($0, stated) }
        case (.number, .list(let b)): !b.isEmpty && b.allSatisfy { agrees(real, $0) }
        default: true
        }
    }
}
