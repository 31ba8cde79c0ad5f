import Drawing
import ResultStore

/// Drawings on the terminal.
enum DrawingText {
    static func table(_ summaries: [DrawingSummary]) -> TextTable {
        var table = TextTable([
            ("drawings", .left), ("of", .left), ("pictures", .right), ("read", .right), ("failed", .right),
            ("mean Dice", .right), ("95 %", .right), ("of read", .right), ("mean IoU", .right), ("HD95", .right),
        ])
        for summary in summaries {
            let name =
                summary.set.split(separator: "/").dropFirst().joined(separator: "/")
                + (summary.labels > 0 ? " (\(summary.labels) labels)" : "") + (summary.finished ? "" : " (unfinished)")
            let refined = summary.refinement.isEmpty ? "" : " refined \(summary.refinement)"
            let counts = ["\(summary.pictures)", "\(summary.totals.drawn)", "\(summary.totals.failed)"]
            if summary.scores.isEmpty { table.add([name + refined, "-"] + counts + ["-", "-", "-", "-", "-"]) }
            for score in summary.scores {
                let interval = score.interval.map { "\(digits($0.lower)) to \(digits($0.upper))" } ?? "-"
                table.add(
                    [name + refined, score.combination == .single ? "single draws" : score.combination.rawValue]
                        + counts + [
                            digits(score.dice), interval, score.diceOfRead.map { digits($0) } ?? "-",
                            digits(score.iou), score.hausdorff95.map { "\(digits($0, 1)) \(score.unit)" } ?? "-",
                        ])
            }
        }
        return table
    }

    /// What a reader of one set must know.
    static func notes(_ summary: DrawingSummary) -> [String] {
        var notes: [String] = []
        if let consistency = summary.selfConsistency {
            notes.append("self-consistency: the draws of a picture overlap by a mean IoU of \(digits(consistency))")
        }
        if !summary.failures.isEmpty { notes.append("failed draws: \(list(summary.failures))") }
        if !summary.repairs.isEmpty { notes.append("mended answers: \(list(summary.repairs))") }
        if summary.kind == .model {
            let mark = summary.totals.costIsEstimate ? "about " : ""
            let cost = summary.totals.cost.map { ", $\(digits($0, 4))" } ?? ""
            notes.append(
                "\(summary.totals.requests) requests (\(summary.totals.lost) lost, \(summary.totals.refused) refused): "
                    + "\(mark)\(summary.totals.inputTokens) tokens in, \(summary.totals.outputTokens) out\(cost)")
        }
        notes.append("a failed draw counts 0 in the mean Dice and IoU, and not in the columns of what was read")
        if summary.units > 1 {
            notes.append(
                "95 %: bootstrap interval, resampled by \(summary.resampledBy.rawValue) (\(summary.units)), "
                    + (summary.allOfOne.map { "all of one \($0.rawValue): it says nothing about another" }
                        ?? (summary.resampledBy == .image
                            ? "pictures taken as independent"
                            : "so that pictures of one \(summary.resampledBy.rawValue) stay together"))
            )
        }
        if summary.labels > 0 {
            notes.append(
                "(\(summary.labels) labels): the window of static-box is learnt from so many labelled training pictures"
            )
        }
        notes += unfinished([summary])
        if summary.scores.contains(where: { $0.combination == .last }) {
            notes.append(
                "single draws: raw, the first drawing; last: enhanced, the last of its turns or looks that could be read; kept: gated, the "
                    + "one that the gate prefers")
        }
        if summary.kind == .ceiling {
            notes.append("\(summary.drawer) is drawn from the truth: what no drawer of so many vertices can exceed")
        }
        if summary.fixture {
            notes.append("\(summary.drawer) is made for this project: these figures say nothing about any model")
        }
        return notes
    }

    /// What there is to know where a session did not come to its end.
    static func unfinished(_ summaries: [DrawingSummary]) -> [String] {
        guard summaries.contains(where: { !$0.finished }) else { return [] }
        let unscored = summaries.filter(\.refinement.isEmpty).reduce(0) { $0 + $1.unscored }
        return [
            "(unfinished): a session is under way or was broken off; the same `llmbench polygon draw` goes on"
                + (unscored > 0 ? "; \(unscored) pictures are drawn and not scored yet, and count in no mean" : "")
        ]
    }

    private static func list(_ counts: [String: Int]) -> String {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) × \($0.key)" }
            .joined(separator: ", ")
    }

    static func digits(_ value: Double, _ count: Int = 3) -> String {
        guard value.isFinite else { return "\(value)" }
        var scale = 1.0
        for _ in 0..<count { scale *= 10 }
        let all = String(Int((abs(value) * scale).rounded()))
        let padded = String(repeating: "0", count: max(0, count + 1 - all.count)) + all
        let sign = value < 0 && all.contains { $0 != "0" } ? "-" : ""
        return "\(sign)\(padded.dropLast(count)).\(padded.suffix(count))"
    }
}
