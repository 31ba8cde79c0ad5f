import ResultStore
import Training

/// One version of a program as `generate --refine` prints it.
struct RefinedVersionReport: Encodable {
    var version: Int
    var run: String
    var status: String
    var engine: String?
    var epochs: Int?
    var keptEpoch: Int?
    var validationDice: Double?
    var heldOutDice: Double?
    var kept: Bool
    var obstacle: String?
    var evaluationFailure: String?

    init(_ version: RefinedVersion) {
        self.version = version.version
        run = version.run.path
        status = version.run.status.rawValue
        engine = version.training?.engine.rawValue
        epochs = version.validation?.epochs.count
        keptEpoch = version.validation?.keptEpoch
        validationDice = version.validation?.dice
        heldOutDice = version.heldOutDice
        kept = version.isKept
        obstacle = version.obstacle
        evaluationFailure = version.evaluationFailure
    }

    enum CodingKeys: String, CodingKey {
        case version, run, status, engine, epochs, kept, obstacle
        case keptEpoch = "kept_epoch"
        case validationDice = "validation_dice"
        case heldOutDice = "held_out_dice"
        case evaluationFailure = "evaluation_failure"
    }

    static func table(_ versions: [RefinedVersion]) -> TextTable {
        var table = TextTable([
            ("version", .right), ("result", .left), ("epochs", .right), ("validation Dice", .right),
            ("held-out Dice", .right), ("remark", .left),
        ])
        for version in versions {
            let row = RefinedVersionReport(version)
            table.add([
                "\(row.version)", row.status, row.epochs.map { "\($0)" } ?? "–",
                row.validationDice.map(ProgressText.fourDigits) ?? "–",
                row.heldOutDice.map(ProgressText.fourDigits) ?? "–",
                version.choice.map { Printable.line($0, limit: 120) } ?? "",
            ])
        }
        return table
    }
}
