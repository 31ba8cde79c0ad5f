import Foundation
import Sandbox

/// One way in which a program that ended well did not leave behind what was agreed. Each has a sentence that its author, a
/// language model, can act on without seeing anything else.
public enum ContractBreach: Sendable, Hashable, CustomStringConvertible {
    case missingFile(String)
    /// A link, folder, FIFO or device.
    case notARegularFile(String)
    case emptyFile(String)
    case unreadableWorkbook(String, reason: String)
    case severalWorksheets(String, count: Int)
    case emptyWorksheet(String)
    /// A cell that holds no number; `cell` as in `B2`.
    case notANumber(String, cell: String, content: String)
    case lossRows(String, rows: Int)
    case lossColumns(String, columns: Int, epochs: Int)
    case epochNumbers(String)
    case lossNotFinite(String, epoch: Int, value: String)
    case diceRows(String, rows: Int, expected: Int)
    case diceOutOfRange(String, cell: String, value: String)
    case dicePerSample(String, columns: Int, batches: Int)
    case diceBatches(String, columns: Int, batches: Int)
    case unreadablePicture(String, reason: String)
    case configurationMalformed(reason: String)
    case configurationKeys([String])
    case configurationValue(key: String, requirement: String)
    case sampleCounts(sum: Int, pairs: Int)
    case splitShares(training: Int, validation: Int, test: Int)
    case countDisagrees(key: String, stated: Int, seen: Int)
    /// No `--epochs` option with an integer default was seen.
    case defaultEpochsUnseen(PipelineTarget)

    public var description: String {
        switch self {
        case .missingFile(let name): "the file '\(name)' is missing from the folder given by --out."
        case .notARegularFile(let name): "'\(name)' in the folder given by --out is not a regular file."
        case .emptyFile(let name): "the file '\(name)' is empty."
        case .unreadableWorkbook(let name, let reason): "'\(name)' cannot be read as an Excel file: \(reason)."
        case .severalWorksheets(let name, let count):
            "'\(name)' has \(count) worksheets; it must have exactly one."
        case .emptyWorksheet(let name): "the worksheet of '\(name)' holds no values."
        case .notANumber(let name, let cell, let content):
            "cell \(cell) of '\(name)' holds \(content); every cell from A1 on must hold a number, "
                + "without a header row, an index column or gaps."
        case .lossRows(let name, let rows):
            "'\(name)' has \(rows) row\(rows == 1 ? "" : "s"); it must have two: the epoch numbers and the losses."
        case .lossColumns(let name, let columns, let epochs):
            "'\(name)' has \(columns) column\(columns == 1 ? "" : "s") and not one for each of the "
                + "\(epochs) epochs of the run."
        case .epochNumbers(let name): "row 1 of '\(name)' does not hold the epoch numbers 1, 2, 3, … in this order."
        case .lossNotFinite(let name, let epoch, let value):
            "the loss of epoch \(epoch) in '\(name)' is \(value), which is not a finite number."
        case .diceRows, .diceOutOfRange, .dicePerSample, .diceBatches: diceDescription
        case .unreadablePicture(let name, let reason): "'\(name)' cannot be read as a PNG picture: \(reason)."
        case .configurationMalformed, .configurationKeys, .configurationValue, .sampleCounts, .splitShares,
            .countDisagrees:
            configurationDescription
        case .defaultEpochsUnseen(.swift):
            "the default of --epochs could not be seen: read the command line with PipelineArguments(defaultEpochs: N)."
        case .defaultEpochsUnseen:
            "the default of --epochs could not be seen: define it with argparse, "
                + "as `add_argument(\"--epochs\", type=int, default=N)` with the number you choose."
        }
    }

    private var diceDescription: String {
        switch self {
        case .diceRows(let name, let rows, let expected):
            "'\(name)' has \(rows) row\(rows == 1 ? "" : "s"); it must have \(expected): "
                + (name.hasPrefix("test") ? "one row for the whole test." : "one row for each epoch.")
        case .diceOutOfRange(let name, let cell, let value):
            "the Dice value in cell \(cell) of '\(name)' is \(value); it must be a finite number from 0 to 1."
        case .dicePerSample(let name, let columns, let batches):
            "'\(name)' has \(columns) values a row, one for each sample; it must have one for each batch, "
                + "the mean Dice of that batch, which makes \(batches)."
        case .diceBatches(let name, let columns, let batches):
            "'\(name)' has \(columns) value\(columns == 1 ? "" : "s") a row; it must have one for each batch, "
                + "which makes \(batches) (the last, smaller batch included)."
        default: ""
        }
    }

    private var configurationDescription: String {
        switch self {
        case .configurationMalformed(let reason): "'config.json' cannot be used: \(reason)."
        case .configurationKeys(let keys):
            "'config.json' lacks the key\(keys.count == 1 ? "" : "s") \(keys.map { "'\($0)'" }.joined(separator: ", "))."
        case .configurationValue(let key, let requirement): "'\(key)' in 'config.json' must be \(requirement)."
        case .sampleCounts(let sum, let pairs):
            "'training_samples', 'validation_samples' and 'test_samples' in 'config.json' add up to \(sum), "
                + "but there are \(pairs) pairs of image and mask."
        case .splitShares(let training, let validation, let test):
            "the split into \(training) training, \(validation) validation and \(test) test samples is not "
                + "80 %, 10 % and 10 %."
        case .countDisagrees(let key, let stated, let seen):
            "'\(key)' in 'config.json' is \(stated), but the loaders were given \(seen)."
        default: ""
        }
    }

    /// The breach as an error of its own class, counted apart from exceptions.
    public var report: ErrorReport {
        ErrorReport(
            errorClass: "ContractViolation", subcategory: .contract, message: description, frame: nil,
            signature: ErrorSignature.make(errorClass: "ContractViolation", message: description, frame: nil))
    }
}
