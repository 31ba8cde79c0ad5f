import Drawing
import Polygons
import Reporting
import ResultStore

/// Gates as a table.
enum GateTable {
    static func table(_ measurements: [GateMeasurement]) -> ReportTable {
        ReportTable(
            name: "gates", title: "Whether gates deserve trust",
            columns: [
                .init("dataset", key: "dataset"), .init("drawer", key: "drawer"), .init("skill", key: "skill"),
                .init("gate", key: "gate"), .init("pictures", key: "pictures", numeric: true),
                .init("Spearman", key: "spearman", numeric: true),
                .init("from", key: "spearman_lower", numeric: true),
                .init("to", key: "spearman_upper", numeric: true), .init("valid", key: "valid"),
                .init("never", key: "dice_never", numeric: true), .init("always", key: "dice_always", numeric: true),
                .init("gated", key: "dice_gated", numeric: true), .init("oracle", key: "dice_oracle", numeric: true),
            ], rows: measurements.map(row), notes: notes(measurements))
    }

    private static func row(_ item: GateMeasurement) -> [ReportTable.Cell] {
        func number(_ value: Double?) -> ReportTable.Cell { value.map { .number($0, digits: 3) } ?? .missing }
        let trust = item.trust
        return [
            .text(item.dataset), .text(item.drawer), .text(item.title), .text(item.gate.name),
            .integer(item.pictures), number(trust.correlation?.statistic), number(trust.interval?.lower),
            number(trust.interval?.upper), .text(item.verdict), number(trust.dice(.never)),
            number(trust.dice(.always)), number(trust.dice(.gated)), number(trust.dice(.oracle)),
        ]
    }

    /// What was drawn with replacement: `d by subject`.
    private static func units(_ measurements: [GateMeasurement]) -> String {
        var seen: Set<String> = []
        return measurements.map { "\($0.dataset) by \($0.resampledBy.rawValue)" }.filter { seen.insert($0).inserted }
            .joined(separator: ", ")
    }

    private static func notes(_ measurements: [GateMeasurement]) -> [String] {
        var notes = [
            "Spearman's correlation of the gate's score, which needs no truth, with the Dice, over the drawings without and with the skill; 95 % interval from units drawn with replacement, \(units(measurements)).",
            "valid: the interval lies above 0 and is of at least \(GateTrust.leastUnits) such units, fewer being too few to tell; only then may a loop that this gate steers be called deployable. Mean Dice of pictures that both sides could be read of.",
        ]
        if measurements.contains(where: \.fixture) {
            notes.append("Rows of a fixture are of drawings made for this project and say nothing about any model.")
        }
        return notes
    }
}

extension DrawingSetRecord {
    /// Whether this set was asked for as the other was, but for the skill.
    func isPlainPartner(of skilled: DrawingSetRecord) -> Bool {
        skill == nil && drawer == skilled.drawer && dataset == skilled.dataset && datasetHash == skilled.datasetHash
            && shape == skilled.shape && imageSize == skilled.imageSize && grid == skilled.grid
            && convention == skilled.convention && temperature == skilled.temperature
            && samplingSeed == skilled.samplingSeed && promptHash == skilled.promptHash
    }
}
