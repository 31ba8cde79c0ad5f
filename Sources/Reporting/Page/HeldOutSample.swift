import Datasets
import Foundation
import ResultStore

/// One held-out image of a dataset with its truth, as pages show them.
struct HeldOutSample: Sendable, Hashable {
    let dataset: Dataset
    /// Among the held-out images: the name of its files.
    let position: Int

    /// Pictures with a longer side are shown smaller.
    private static let longestSide = 1024

    private var name: String { dataset.split.heldOut[position] }
    var imagePath: String { "samples/\(dataset.name)/\(position)-image.png" }
    var truthPath: String { "samples/\(dataset.name)/\(position)-truth.png" }

    /// - Precondition: `position` is one of the held-out images.
    init(dataset: Dataset, position: Int) {
        precondition(dataset.split.heldOut.indices.contains(position), "no held-out image \(position)")
        self.dataset = dataset
        self.position = position
    }

    /// The picture at a path below `samples/<dataset>/`; nil where there is none of that name.
    static func contents(of file: Substring, dataset: Dataset) throws -> Data? {
        let parts = file.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let position = Int(parts[0]), "\(position)" == parts[0],
            dataset.split.heldOut.indices.contains(position)
        else { return nil }
        let sample = HeldOutSample(dataset: dataset, position: position)
        switch parts[1] {
        case "image.png": return try sample.image()
        case "truth.png": return try sample.truth()
        default: return nil
        }
    }

    /// - Throws: `DatasetError`, `PNGError`.
    func image() throws -> Data {
        let image = try dataset.image(name)
        let step = Self.step(image.width, image.height)
        guard step > 1 else { return Data(try PNG.encode(image)) }
        let (width, height) = (image.width / step, image.height / step)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(width * height * image.channels)
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<image.channels { bytes.append(image[x: x * step, y: y * step, channel: channel]) }
            }
        }
        return Data(try PNG.encode(try Image(width: width, height: height, channels: image.channels, bytes: bytes)))
    }

    /// The outline of the truth, so that what is predicted can be seen inside it.
    ///
    /// - Throws: `DatasetError`, `ReportError.drawing`.
    func truth() throws -> Data {
        let truth = try dataset.truth(name)
        let mask = truth.bytes.map { $0 != 0 }
        let outline = OverlayPicture.outline(
            mask, width: truth.width, height: truth.height, thickness: max(1, max(truth.width, truth.height) / 256))
        return try Self.picture(outline, truth.width, truth.height, colour: 0x56B4E9, truthPath)
    }

    /// Pixels as they are shown; nil where the image cannot be read.
    var size: (width: Int, height: Int)? {
        guard let header = try? PNG.header(dataset.imageURL(name)) else { return nil }
        let step = Self.step(header.width, header.height)
        return (header.width / step, header.height / step)
    }

    /// A mask in one colour, as small as the image is shown.
    static func picture(_ mask: [Bool], _ width: Int, _ height: Int, colour: UInt32, _ name: String) throws -> Data {
        let step = step(width, height)
        let (w, h) = (width / step, height / step)
        let shown =
            step == 1 ? mask : (0..<h).flatMap { y in (0..<w).map { x in mask[y * step * width + x * step] } }
        return try OverlayPicture.png(shown, width: w, height: h, colour: colour, name: name)
    }

    private static func step(_ width: Int, _ height: Int) -> Int {
        max(1, (max(width, height) + longestSide - 1) / longestSide)
    }
}

/// A dataset with the hash of what is in it now.
struct DatasetOnDisk: Sendable {
    var dataset: Dataset
    var hash: String
    var stamp: DatasetStamp

    /// - Parameter known: an earlier reading, which holds for as long as no file has changed.
    static func load(
        _ name: String, in workspace: Workspace, known: DatasetOnDisk? = nil
    ) -> Result<DatasetOnDisk, HeldOutGallery.Absence> {
        do {
            let dataset = try DatasetCatalogue(root: workspace.datasets).load(name)
            // Before the files are read: what is written meanwhile makes another stamp the next time.
            let stamp = dataset.stamp()
            if let known, known.stamp == stamp, known.dataset == dataset { return .success(known) }
            return .success(DatasetOnDisk(dataset: dataset, hash: try dataset.contentHash(), stamp: stamp))
        } catch {
            return .failure(.reason("\(error)"))
        }
    }
}
