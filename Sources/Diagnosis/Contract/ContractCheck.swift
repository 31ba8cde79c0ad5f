import Datasets
import Files
import Foundation
import Sandbox

/// What a check run was asked for, and what is known of it from outside.
public struct ContractExpectation: Sendable, Hashable {
    /// The value of `--epochs`.
    public var epochs: Int
    /// Pairs of image and mask below `--data`.
    public var pairs: Int
    /// What the helper saw; nil where the program ran without it, then nothing is held against it.
    public var observation: ContractObservation?
    public var target: PipelineTarget

    public init(
        epochs: Int, pairs: Int, observation: ContractObservation? = nil, target: PipelineTarget = .pytorch
    ) {
        self.target = target
        self.epochs = epochs
        self.pairs = pairs
        self.observation = observation
    }
}

extension ContractObservation {
    /// What the helper left in the folder of `--out`; nil where there is none or the program overwrote it with something else.
    public static func read(in out: URL) -> ContractObservation? {
        guard let bytes = try? UntrustedFile.read(relativePath, below: out, maximumBytes: 1 << 20) else { return nil }
        return try? JSONDecoder().decode(ContractObservation.self, from: Data(bytes))
    }
}

/// Holds what a program left behind against what was agreed.
///
/// ```swift
/// let breaches = ContractCheck(ContractExpectation(epochs: 2, pairs: 32, observation: seen)).breaches(in: out)
/// ```
///
/// Everything in the folder is somebody else's: only regular files are opened, none is followed through a link, sizes are bounded,
/// and saved models are never unpickled; that they are there and not empty is all that is checked of them.
public struct ContractCheck: Sendable {
    public let expectation: ContractExpectation

    public init(_ expectation: ContractExpectation) {
        self.expectation = expectation
    }

    public static let losses = ["train_losses.xlsx", "val_losses.xlsx"]
    public static let validationDice = "validation_dice_scores.xlsx"
    public static let testDice = "test_dice_scores.xlsx"
    public static let pictures = ["loss_curve.png", "test_samples.png"]
    public static let configuration = "config.json"
    /// Bytes of a saved model at most.
    static let modelBytes = 4 << 30

    /// Every breach, in the order in which a reader would mend them: what is missing, then what is wrong inside.
    ///
    /// - Parameter out: The folder that was `/out`.
    public func breaches(in out: URL) -> [ContractBreach] {
        let names =
            Self.losses + [Self.validationDice, Self.testDice] + expectation.target.models + Self.pictures
            + [Self.configuration]
        let listing = try? FolderListing(out)
        var sound: Set<String> = []
        var breaches: [ContractBreach] = []
        for name in names {
            switch listing?.entries.first(where: { $0.path == name }) {
            case nil: breaches.append(.missingFile(name))
            case let entry? where entry.kind != .file: breaches.append(.notARegularFile(name))
            case let entry? where entry.bytes == 0: breaches.append(.emptyFile(name))
            default: sound.insert(name)
            }
        }
        let configuration = sound.contains(Self.configuration) ? PipelineConfiguration.read(in: out) : nil
        let counts = BatchCounts(observation: expectation.observation, configuration: configuration?.values)
        for name in Self.losses where sound.contains(name) { breaches += lossBreaches(name, in: out) }
        if sound.contains(Self.validationDice) {
            breaches += diceBreaches(Self.validationDice, in: out, rows: expectation.epochs, counts.validation)
        }
        if sound.contains(Self.testDice) { breaches += diceBreaches(Self.testDice, in: out, rows: 1, counts.test) }
        for name in Self.pictures where sound.contains(name) { breaches += pictureBreaches(name, in: out) }
        if let configuration { breaches += configuration.breaches(expectation) }
        if let observation = expectation.observation, observation.defaultEpochs == nil {
            breaches.append(.defaultEpochsUnseen(expectation.target))
        }
        return breaches
    }

    /// The grid of a sheet of numbers, or what is wrong with it.
    private func numbers(_ name: String, in out: URL) -> (grid: [[Double]], breach: ContractBreach?) {
        let workbook: Workbook
        do {
            workbook = try Workbook(reading: name, below: out)
        } catch {
            if case .file(.notRegular) = error { return ([], .notARegularFile(name)) }
            return ([], .unreadableWorkbook(name, reason: Self.reason(error)))
        }
        guard workbook.worksheets == 1 else { return ([], .severalWorksheets(name, count: workbook.worksheets)) }
        guard !workbook.rows.isEmpty else { return ([], .emptyWorksheet(name)) }
        var grid: [[Double]] = []
        for (row, cells) in workbook.rows.enumerated() {
            var values: [Double] = []
            for (column, cell) in cells.enumerated() {
                let reference = Workbook.reference(row: row, column: column)
                switch cell {
                case .number(let value): values.append(value)
                case .empty: return (grid, .notANumber(name, cell: reference, content: "nothing"))
                case .text(let text):
                    // What openpyxl and XlsxWriter make of numbers that are none.
                    if let value = Self.notFinite(text) {
                        values.append(value)
                    } else {
                        let shown = printable(String(text.prefix(40)))
                        return (grid, .notANumber(name, cell: reference, content: "the text '\(shown)'"))
                    }
                }
            }
            grid.append(values)
        }
        return (grid, nil)
    }

    private static func notFinite(_ text: String) -> Double? {
        switch text.lowercased() {
        case "nan", "#num!", "#n/a": .nan
        case "inf", "#div/0!": .infinity
        case "-inf": -.infinity
        default: nil
        }
    }

    private static func reason(_ failure: Workbook.Failure) -> String {
        switch failure {
        case .file(.tooLarge(_, let maximum)): "it is larger than \(maximum) bytes"
        case .file: "it cannot be opened"
        case .malformed(let reason): reason
        }
    }

    private func lossBreaches(_ name: String, in out: URL) -> [ContractBreach] {
        let (grid, breach) = numbers(name, in: out)
        if let breach { return [breach] }
        guard grid.count == 2 else { return [.lossRows(name, rows: grid.count)] }
        guard grid[0].count == expectation.epochs else {
            return [.lossColumns(name, columns: grid[0].count, epochs: expectation.epochs)]
        }
        guard grid[0] == (1...max(1, expectation.epochs)).map(Double.init) else { return [.epochNumbers(name)] }
        guard let bad = grid[1].firstIndex(where: { !$0.isFinite }) else { return [] }
        return [.lossNotFinite(name, epoch: bad + 1, value: "\(grid[1][bad])")]
    }

    private func diceBreaches(
        _ name: String, in out: URL, rows: Int, _ counts: BatchCounts.Part
    ) -> [ContractBreach] {
        let (grid, breach) = numbers(name, in: out)
        if let breach { return [breach] }
        for (row, values) in grid.enumerated() {
            guard let column = values.firstIndex(where: { !(0...1).contains($0) }) else { continue }
            return [
                .diceOutOfRange(
                    name, cell: Workbook.reference(row: row, column: column), value: "\(values[column])")
            ]
        }
        guard grid.count == rows else { return [.diceRows(name, rows: grid.count, expected: rows)] }
        let columns = grid[0].count
        guard let batches = counts.batches, columns != batches else { return [] }
        return columns == counts.samples
            ? [.dicePerSample(name, columns: columns, batches: batches)]
            : [.diceBatches(name, columns: columns, batches: batches)]
    }

    private func pictureBreaches(_ name: String, in out: URL) -> [ContractBreach] {
        do {
            let bytes = try UntrustedFile.read(name, below: out, maximumBytes: 64 << 20)
            _ = try PNG.decode(bytes, name: name)
            return []
        } catch let error as PNGError {
            return [.unreadablePicture(name, reason: printable("\(error)"))]
        } catch {
            return [.unreadablePicture(name, reason: "it cannot be opened")]
        }
    }
}

/// How many batches and samples the validation and test parts have: as the loaders showed, else as config.json implies.
private struct BatchCounts {
    struct Part {
        var batches: Int?
        var samples: Int?
    }

    var validation: Part
    var test: Part

    init(observation: ContractObservation?, configuration: PipelineConfiguration.Values?) {
        func part(_ batches: Int?, _ observed: Int?, _ stated: Int?) -> Part {
            let samples = observed ?? stated
            let size = observation?.batchSize ?? configuration?.batchSize
            var implied: Int?
            if let samples, let size, size > 0, samples >= 0 { implied = (samples + size - 1) / size }
            return Part(batches: batches ?? implied, samples: samples)
        }
        validation = part(
            observation?.validationBatches, observation?.validationSamples, configuration?.validationSamples)
        test = part(observation?.testBatches, observation?.testSamples, configuration?.testSamples)
    }
}
