import Datasets
import Files
import Foundation
import ResultStore

/// A prepared dataset as nnU-Net wants it: numbered cases, masks of 0 and 1, `dataset.json`, our split as `splits_final.json`.
struct NNUNetData {
    /// Name of the dataset's folder; nnU-Net wants a number of three digits in it.
    static let name = "Dataset001_llmbench"
    /// Two poolings down to feature maps of 4: with one, deep supervision has no weight left (2.8.1 divides by zero).
    static let smallestSide = 16
    /// The same of a plan, whose images may be smaller once their empty border is cut off.
    static let fewestStages = 3
    /// A validation set of one, and four to learn from.
    static let fewestImages = 5

    let dataset: Dataset
    let split: ValidationSplit
    /// Held-out samples in the order of their numbers.
    let heldOut: [String]

    init(_ dataset: Dataset) {
        self.dataset = dataset
        split = dataset.validationSplit()
        heldOut = dataset.split.heldOut.sorted()
    }

    /// The name of a held-out case, by its place in `heldOut`.
    static func heldOutCase(_ index: Int) -> String { Workspace.baselineCase(index) }

    private static func trainingCase(_ index: Int) -> String { "case\(number(index))" }

    private static func number(_ index: Int) -> String {
        let digits = "\(index + 1)"
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    /// What no plan can be made for, found before anything is written.
    ///
    /// - Throws: `BaselineError`, `DatasetError`.
    /// - Complexity: decodes every training mask, until one has foreground, and reads the header of every image.
    func validate() throws {
        guard dataset.split.training.count >= Self.fewestImages else {
            throw BaselineError.tooFewImages(dataset: dataset.name, count: dataset.split.training.count)
        }
        guard !heldOut.isEmpty else { throw BaselineError.noHeldOut(dataset: dataset.name) }
        for id in dataset.samples {
            let header = try PNG.header(dataset.imageURL(id))
            guard min(header.width, header.height) >= Self.smallestSide else {
                throw BaselineError.imageTooSmall(
                    dataset: dataset.name, sample: id, width: header.width, height: header.height)
            }
        }
        guard try dataset.split.training.contains(where: { try dataset.truth($0).bytes.contains(255) }) else {
            throw BaselineError.noForeground(dataset: dataset.name)
        }
    }

    /// Writes the raw folder, which appears when it is complete.
    ///
    /// - Parameter root: what `nnUNet_raw` names.
    /// - Throws: `DatasetError`, `BaselineError.file`.
    func write(to root: URL) throws {
        let partial = root.deletingLastPathComponent().appending(
            path: "\(root.lastPathComponent).partial", directoryHint: .isDirectory)
        let folder = partial.appending(path: Self.name, directoryHint: .isDirectory)
        do {
            try? FileManager.default.removeItem(at: partial)
            for name in ["imagesTr", "labelsTr", "imagesTs"] {
                try FileManager.default.createDirectory(
                    at: folder.appending(path: name), withIntermediateDirectories: true)
            }
            try writeCases(in: folder)
            try FileManager.default.moveItem(at: partial, to: root)
        } catch {
            try? FileManager.default.removeItem(at: partial)
            if error is DatasetError || error is PNGError { throw error }
            throw BaselineError.file(
                path: root.path(percentEncoded: false),
                reason: "cannot be written (\(SystemReason.of(error) ?? "\(error)"))")
        }
    }

    private func writeCases(in folder: URL) throws {
        var cases: [String: String] = [:]
        for (index, id) in dataset.split.training.sorted().enumerated() {
            let name = Self.trainingCase(index)
            cases[id] = name
            try PNG.write(try dataset.image(id), to: folder.appending(path: "imagesTr/\(name)_0000.png"), level: 1)
            let truth = try dataset.truth(id)
            let label = try Image(
                width: truth.width, height: truth.height, channels: 1, bytes: truth.bytes.map { $0 == 0 ? 0 : 1 })
            try PNG.write(label, to: folder.appending(path: "labelsTr/\(name).png"), level: 1)
        }
        for (index, id) in heldOut.enumerated() {
            let file = "imagesTs/\(Self.heldOutCase(index))_0000.png"
            try PNG.write(try dataset.image(id), to: folder.appending(path: file), level: 1)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let splits = [
            ["train": split.training.compactMap { cases[$0] }, "val": split.validation.compactMap { cases[$0] }]
        ]
        try encoder.encode(splits)
            .write(to: folder.appending(path: "splits_final.json"))
        try encoder.encode(Description(channels: dataset.description.channels, count: cases.count))
            .write(to: folder.appending(path: "dataset.json"))
    }

    /// nnU-Net's `dataset.json`. Channels carry names that it does not know, so that each is normalised by its own mean and standard
    /// deviation, as in its own conversion of colour photographs.
    private struct Description: Encodable {
        var channelNames: [String: String]
        var labels = ["background": 0, "foreground": 1]
        var numTraining: Int
        var fileEnding = ".png"
        var reader = "NaturalImage2DIO"

        enum CodingKeys: String, CodingKey {
            case labels, numTraining
            case channelNames = "channel_names"
            case fileEnding = "file_ending"
            case reader = "overwrite_image_reader_writer"
        }

        init(channels: Int, count: Int) {
            channelNames = channels == 3 ? ["0": "R", "1": "G", "2": "B"] : ["0": "grey"]
            numTraining = count
        }
    }
}
