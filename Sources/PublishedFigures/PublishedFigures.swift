import Tables

/// Measurements of others, shipped with the program: see README.md beside this file for sources and known faults.
///
/// Every row is validated when it is read, so that a slip in a file is found by the tests and not by a reader of a report.
public enum PublishedFigures {
    /// The evaluated language models.
    public static func models() throws(PublishedFiguresError) -> [PublishedModel] {
        try read("models.csv", PackageResources.models_csv)
    }

    /// The U-Net that each model wrote and the hyperparameters it chose.
    public static func architectures() throws(PublishedFiguresError) -> [PublishedArchitecture] {
        try read("architectures.csv", PackageResources.architectures_csv)
    }

    /// Mean test Dice per model, models not named.
    public static func testDice() throws(PublishedFiguresError) -> [PublishedTestDice] {
        try read("test_dice.csv", PackageResources.test_dice_csv)
    }

    /// Medians, quartiles, U and p of 2024 against 2025.
    public static func table3() throws(PublishedFiguresError) -> [PublishedComparison] {
        try read("table3.csv", PackageResources.table3_csv)
    }

    /// U and p of the pooled comparisons, as caption and text print them.
    public static func figure8() throws(PublishedFiguresError) -> [PublishedPooledComparison] {
        try read("figure8.csv", PackageResources.figure8_csv)
    }

    /// Ten repeats each of two models.
    public static func runToRun() throws(PublishedFiguresError) -> [PublishedRepeat] {
        try read("run_to_run.csv", PackageResources.run_to_run_csv)
    }

    /// Dice by number of labels.
    public static func labelBudget() throws(PublishedFiguresError) -> [PublishedLabelBudget] {
        try read("label_budget.csv", PackageResources.label_budget_csv)
    }

    /// CNN against vision-language model on gliomas.
    public static func glioma() throws(PublishedFiguresError) -> [PublishedGliomaResult] {
        try read("glioma.csv", PackageResources.glioma_csv)
    }

    static func read<Row: PublishedValue>(
        _ file: String, _ bytes: [UInt8]
    ) throws(PublishedFiguresError) -> [Row] {
        let table: CSVTable
        do {
            table = try CSVTable(parsing: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw PublishedFiguresError(file: file, line: 1, reason: error.description)
        }
        var seen: Set<String> = []
        var values: [Row] = []
        for row in table.rows {
            let value = try Row(PublishedRow(file: file, table: table, row: row))
            guard seen.insert(value.key).inserted else {
                throw PublishedFiguresError(file: file, line: row.line, reason: "a second row for \(value.key)")
            }
            values.append(value)
        }
        return values
    }
}

/// A row that is read and validated from the fields of a file.
protocol PublishedValue {
    /// What no two rows of a file share.
    var key: String { get }

    init(_ row: PublishedRow) throws(PublishedFiguresError)
}

/// A file of published figures that does not hold what it should.
public struct PublishedFiguresError: Error, Hashable, Sendable, CustomStringConvertible {
    public var file: String
    /// From 1.
    public var line: Int
    public var reason: String

    public var description: String { "published figures, \(file), line \(line): \(reason)" }
}
