import CZlib
import Datasets
import Foundation
import Testing

@testable import Diagnosis

/// A folder as a good program leaves it after two epochs on 32 pairs, batch size 2; tests then spoil one thing.
private final class Leavings {
    let out = FileManager.default.temporaryDirectory.appending(path: "leavings-\(UUID().uuidString)")
    var expectation = ContractExpectation(
        epochs: 2, pairs: 32,
        observation: ContractObservation(
            defaultEpochs: 40, trainBatches: 13, validationBatches: 2, testBatches: 2, trainSamples: 25,
            validationSamples: 3, testSamples: 4, batchSize: 2))

    init() throws {
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
        try sheet("train_losses.xlsx", [[1, 2], [0.9, 0.5]])
        try sheet("val_losses.xlsx", [[1, 2], [0.8, 0.6]])
        try sheet("validation_dice_scores.xlsx", [[0.1, 0.2], [0.4, 0.5]])
        try sheet("test_dice_scores.xlsx", [[0.4, 1]])
        for name in PipelineTarget.pytorch.models { try write(name, "weights") }
        let picture = try PNG.encode(Image(width: 2, height: 2, channels: 1, bytes: [0, 255, 0, 255]))
        for name in ContractCheck.pictures { try Data(picture).write(to: out.appending(path: name)) }
        try configuration()
    }

    deinit { try? FileManager.default.removeItem(at: out) }

    var breaches: [ContractBreach] { ContractCheck(expectation).breaches(in: out) }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: out.appending(path: name))
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(at: out.appending(path: name)) }

    func sheet(_ name: String, _ rows: [[Double]]) throws {
        let cells = rows.map { row in
            "<row>" + row.map { $0.isNaN ? "<c t=\"e\"><v>#NUM!</v></c>" : "<c><v>\($0)</v></c>" }.joined() + "</row>"
        }
        let xml = "<worksheet><sheetData>\(cells.joined())</sheetData></worksheet>"
        try Data(storedZip(["xl/worksheets/sheet1.xml": Array(xml.utf8)])).write(to: out.appending(path: name))
    }

    func configuration(_ changes: [String: Any] = [:], without: [String] = []) throws {
        var object: [String: Any] = [:]
        for key in PipelineConfiguration.keys { object[key] = "text" }
        object.merge([
            "batch_size": 2, "epochs": 2, "threshold": 0.5, "training_samples": 25, "validation_samples": 3,
            "test_samples": 4,
        ]) { $1 }
        object.merge(changes) { $1 }
        for key in without { object[key] = nil }
        try JSONSerialization.data(withJSONObject: object).write(to: out.appending(path: "config.json"))
    }
}

/// A ZIP file without compression.
private func storedZip(_ entries: [String: [UInt8]]) -> [UInt8] {
    func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var (file, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, content) in entries {
        let checksum = Int(crc32(0, content, UInt32(content.count)))
        let common =
            little(20, 2) + little(0, 2) + little(0, 2) + little(0, 4) + little(checksum, 4) + little(content.count, 4)
            + little(content.count, 4) + little(name.utf8.count, 2) + little(0, 2)
        directory +=
            little(0x0201_4b50, 4) + little(20, 2) + common + little(0, 10) + little(file.count, 4) + Array(name.utf8)
        file += little(0x0403_4b50, 4) + common + Array(name.utf8) + content
    }
    let end =
        little(0x0605_4b50, 4) + little(0, 4) + little(entries.count, 2) + little(entries.count, 2)
        + little(directory.count, 4) + little(file.count, 4) + little(0, 2)
    return file + directory + end
}

@Suite("The contract of a check run")
struct ContractCheckTests {
    @Test("is kept by a program that leaves everything behind")
    func kept() throws {
        #expect(try Leavings().breaches == [])
    }

    @Test("is kept where nobody watched and config.json alone tells the batches")
    func withoutObservation() throws {
        let leavings = try Leavings()
        leavings.expectation.observation = nil
        #expect(leavings.breaches == [])
    }

    @Test("is broken by doing nothing, and every missing file is named")
    func nothing() throws {
        let leavings = try Leavings()
        for name in try FileManager.default.contentsOfDirectory(atPath: leavings.out.path) { try leavings.remove(name) }
        #expect(leavings.breaches.count == 9)
        #expect(leavings.breaches.allSatisfy { if case .missingFile = $0 { true } else { false } })
    }

    @Test("is broken by a link, a FIFO or a folder in place of a file; none is opened")
    func traps() throws {
        let leavings = try Leavings()
        try leavings.remove("config.json")
        try FileManager.default.createSymbolicLink(
            atPath: leavings.out.appending(path: "config.json").path, withDestinationPath: "/etc/passwd")
        try leavings.remove("loss_curve.png")
        mkfifo(leavings.out.appending(path: "loss_curve.png").path, 0o644)
        try leavings.remove("unet_model.pth")
        try FileManager.default.createDirectory(
            at: leavings.out.appending(path: "unet_model.pth"), withIntermediateDirectories: false)
        #expect(
            leavings.breaches == [
                .notARegularFile("unet_model.pth"), .notARegularFile("loss_curve.png"), .notARegularFile("config.json"),
            ])
    }

    @Test("is broken by an empty model")
    func emptyModel() throws {
        let leavings = try Leavings()
        try leavings.write("unet_state_dict.pth", "")
        #expect(leavings.breaches == [.emptyFile("unet_state_dict.pth")])
    }

    @Test("is broken by losses of another shape, other epochs or no number")
    func losses() throws {
        let leavings = try Leavings()
        let name = "train_losses.xlsx"
        func breach(_ rows: [[Double]]) throws -> [ContractBreach] {
            try leavings.sheet(name, rows)
            return leavings.breaches
        }
        #expect(try breach([[0.9, 0.5]]) == [.lossRows(name, rows: 1)])
        #expect(try breach([[1], [0.5]]) == [.lossColumns(name, columns: 1, epochs: 2)])
        #expect(try breach([[0, 1], [0.9, 0.5]]) == [.epochNumbers(name)])
        #expect(try breach([[1, 2], [0.9, .nan]]) == [.lossNotFinite(name, epoch: 2, value: "nan")])
        #expect(try breach([]) == [.emptyWorksheet(name)])
        try leavings.write(name, "not a workbook")
        #expect(leavings.breaches == [.unreadableWorkbook(name, reason: "it is no ZIP file")])
    }

    @Test("is broken by a header row that pandas wrote")
    func header() throws {
        let leavings = try Leavings()
        let bytes = try Data(contentsOf: WorkbookTests.folder.appending(path: "pandas-header.xlsx"))
        try bytes.write(to: leavings.out.appending(path: "val_losses.xlsx"))
        #expect(leavings.breaches == [.notANumber("val_losses.xlsx", cell: "A1", content: "nothing")])
        let odd = try Data(contentsOf: WorkbookTests.folder.appending(path: "odd-cells.xlsx"))
        try odd.write(to: leavings.out.appending(path: "val_losses.xlsx"))
        #expect(leavings.breaches == [.severalWorksheets("val_losses.xlsx", count: 2)])
    }

    @Test("is broken by Dice a sample, a wrong number of batches or epochs, and values outside of 0 to 1")
    func dice() throws {
        let leavings = try Leavings()
        let (validation, test) = (ContractCheck.validationDice, ContractCheck.testDice)
        try leavings.sheet(validation, [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3]])
        #expect(leavings.breaches == [.dicePerSample(validation, columns: 3, batches: 2)])
        try leavings.sheet(validation, [[0.1], [0.2]])
        #expect(leavings.breaches == [.diceBatches(validation, columns: 1, batches: 2)])
        try leavings.sheet(validation, [[0.1, 0.2]])
        #expect(leavings.breaches == [.diceRows(validation, rows: 1, expected: 2)])
        try leavings.sheet(validation, [[0.1, 0.2], [0.4, 1.2]])
        #expect(leavings.breaches == [.diceOutOfRange(validation, cell: "B2", value: "1.2")])
        try leavings.sheet(validation, [[0.1, 0.2], [.nan, 0.2]])
        #expect(leavings.breaches == [.diceOutOfRange(validation, cell: "A2", value: "nan")])
        try leavings.sheet(validation, [[0.1, 0.2], [0.4, 0.5]])
        leavings.expectation.observation = nil
        try leavings.sheet(test, [[0.1, 0.2, 0.3, 0.4]])
        #expect(leavings.breaches == [.dicePerSample(test, columns: 4, batches: 2)])
    }

    @Test("allows one value a sample where a batch is one sample")
    func batchOfOne() throws {
        let leavings = try Leavings()
        leavings.expectation.observation = nil
        try leavings.configuration(["batch_size": 1])
        try leavings.sheet(ContractCheck.validationDice, [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
        try leavings.sheet(ContractCheck.testDice, [[0.1, 0.2, 0.3, 0.4]])
        #expect(leavings.breaches == [])
    }

    @Test("is broken by a picture that does not decode")
    func picture() throws {
        let leavings = try Leavings()
        try leavings.write("test_samples.png", "GIF89a")
        guard case .unreadablePicture("test_samples.png", _) = leavings.breaches.first else {
            Issue.record("\(leavings.breaches)")
            return
        }
        #expect(leavings.breaches.count == 1)
    }

    @Test("is broken by a configuration that is no JSON, lacks keys or does not add up")
    func configuration() throws {
        let leavings = try Leavings()
        try leavings.configuration(without: ["loss", "skip"])
        #expect(leavings.breaches == [.configurationKeys(["skip", "loss"])])
        try leavings.configuration(["training_samples": 24])
        #expect(leavings.breaches == [.sampleCounts(sum: 31, pairs: 32)])
        try leavings.configuration(["epochs": 40])
        #expect(leavings.breaches == [.configurationValue(key: "epochs", requirement: "2, the value of --epochs")])
        try leavings.configuration(["batch_size": true, "threshold": 2])
        #expect(leavings.breaches.count == 2)
        leavings.expectation.observation?.trainSamples = 28
        try leavings.configuration()
        #expect(leavings.breaches == [.countDisagrees(key: "training_samples", stated: 25, seen: 28)])
        leavings.expectation.observation = nil
        try leavings.configuration(["training_samples": 16, "validation_samples": 3, "test_samples": 13])
        #expect(leavings.breaches.contains(.splitShares(training: 16, validation: 3, test: 13)))
        try leavings.write("config.json", "{\"loss\": NaN}")
        #expect(leavings.breaches == [.configurationMalformed(reason: "it is not valid JSON")])
        try leavings.write("config.json", "[1]")
        #expect(leavings.breaches == [.configurationMalformed(reason: "it is not a JSON object")])
    }

    @Test("is broken by a default of --epochs that nobody could see")
    func defaultEpochs() throws {
        let leavings = try Leavings()
        leavings.expectation.observation?.defaultEpochs = nil
        #expect(leavings.breaches == [.defaultEpochsUnseen(.pytorch)])
    }

    @Test("has a sentence and a signature for every breach")
    func sentences() throws {
        let leavings = try Leavings()
        try leavings.sheet("train_losses.xlsx", [[1], [0.5]])
        let report = try #require(leavings.breaches.first).report
        #expect(report.errorClass == "ContractViolation")
        #expect(report.subcategory == .contract)
        #expect(
            report.message
                == "'train_losses.xlsx' has 1 column and not one for each of the 2 epochs of the run.")
        #expect(report.signature.hasPrefix("ContractViolation: 'train_losses.xlsx'"))
    }

    @Test("reads the helper's observation, and nothing that lies in its place")
    func observation() throws {
        let leavings = try Leavings()
        #expect(ContractObservation.read(in: leavings.out) == nil)
        try FileManager.default.createDirectory(
            at: leavings.out.appending(path: ".llmbench"), withIntermediateDirectories: true)
        try leavings.write(ContractObservation.relativePath, #"{"default_epochs": 40, "batch_size": 8}"#)
        #expect(
            ContractObservation.read(in: leavings.out) == ContractObservation(defaultEpochs: 40, batchSize: 8))
        try leavings.write(ContractObservation.relativePath, "garbage")
        #expect(ContractObservation.read(in: leavings.out) == nil)
    }
}
