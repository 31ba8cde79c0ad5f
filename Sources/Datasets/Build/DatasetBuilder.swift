import Foundation

/// Makes an embedded dataset of its published volumes.
public struct DatasetBuilder: Sendable {
    public let recipe: DatasetRecipe

    /// - Throws: `DatasetError.unknownDataset` for a name without a recipe.
    public init(_ name: String) throws(DatasetError) {
        guard let recipe = DatasetRecipe.named(name) else {
            let known = DatasetRecipe.all.map(\.name)
            throw .unknownDataset(
                name, nearest: DatasetCatalogue.nearest(to: name, among: known), folder: "the list of recipes")
        }
        self.recipe = recipe
    }

    init(recipe: DatasetRecipe) {
        self.recipe = recipe
    }

    /// Reads the volumes in `source` and writes `catalogue.root/<name>/`, whole or not at all.
    ///
    /// The same volumes give the same pixels; PNG bytes also depend on zlib.
    ///
    /// - Parameter progress: Called with the images done and their total.
    /// - Throws: `DatasetError`: `missingSource`, `volume`, `occupied` where the dataset exists.
    public func build(
        source: URL, into catalogue: DatasetCatalogue, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(DatasetError) -> Dataset {
        let target = catalogue.root.appending(path: recipe.name, directoryHint: .isDirectory)
        guard !FileManager.default.fileExists(atPath: target.path(percentEncoded: false)) else {
            throw .occupied(path: target.path(percentEncoded: false))
        }
        let (image, labels) = try volumes(in: source)
        let writer = try DatasetWriter(target: target)
        do throws(DatasetError) {
            try writer.add(text: recipe.notice, as: "NOTICE.md")
            return try write(image, labels, with: writer, progress: progress)
        } catch {
            writer.discard()
            throw error
        }
    }

    private func volumes(in source: URL) throws(DatasetError) -> (image: Volume, labels: Volume) {
        let image = try read(recipe.image, in: source)
        let labels = try read(recipe.labels, in: source)
        guard image.size == labels.size else {
            throw .invalid(
                path: source.path(percentEncoded: false),
                reason: "the image has \(image.size) voxels, the labels have \(labels.size)")
        }
        guard let first = recipe.slices.min(), let last = recipe.slices.max(), first >= 0, last < image.size.z else {
            throw .invalid(
                path: source.path(percentEncoded: false), reason: "the volume has only \(image.size.z) slices")
        }
        return (image, labels)
    }

    private func read(_ wanted: DatasetRecipe.Source, in folder: URL) throws(DatasetError) -> Volume {
        let candidates = wanted.names.map { folder.appending(path: $0) }
        let found = candidates.first { FileManager.default.fileExists(atPath: $0.path(percentEncoded: false)) }
        guard let url = found else {
            throw .missingSource(
                path: folder.appending(path: wanted.names[0]).path(percentEncoded: false), advice: wanted.advice)
        }
        do {
            return try NIfTI.read(url)
        } catch {
            throw .volume(error)
        }
    }

    private func write(
        _ image: Volume, _ labels: Volume, with writer: DatasetWriter, progress: (Int, Int) -> Void
    ) throws(DatasetError) -> Dataset {
        let slices = recipe.slices.filter { recipe.isHeldOut($0) != nil }
        var training: [String] = []
        var heldOut: [String] = []
        var acquisitions: [String: DatasetDescription.Acquisition] = [:]
        var coverage: [Double] = []
        for slice in slices {
            let signal = image.axialSlice(slice)?.map { min(max($0 / recipe.white, 0), 1) } ?? []
            let mask = labels.axialSlice(slice)?.map(isForeground) ?? []
            for index in 0..<recipe.acquisitions {
                let id = recipe.id(slice: slice, acquisition: index)
                let simulation = SimulatedAcquisition(
                    slice: slice, seed: recipe.imageSeed(slice: slice, acquisition: index))
                let pair = simulation.acquire(
                    slice: signal, mask: mask, width: image.size.x, height: image.size.y,
                    spacing: (image.spacing.x, image.spacing.y))
                try writer.add(id, image: pair.image, mask: pair.mask)
                acquisitions[id] = simulation.parameters
                coverage.append(Double(pair.mask.bytes.count { $0 != 0 }) / Double(pair.mask.pixels))
                if recipe.isHeldOut(slice) == true { heldOut.append(id) } else { training.append(id) }
                progress(acquisitions.count, slices.count * recipe.acquisitions)
            }
        }
        let description = describe(acquisitions, coverage)
        return try writer.finish(description, split(training: training, heldOut: heldOut))
    }

    private func isForeground(_ value: Float) -> Bool {
        switch recipe.target {
        case .labels(let range): range.contains(Int(min(max(value, -1), 1e6)))
        case .probability(let above, let maximum): value > above * maximum
        }
    }

    private func describe(
        _ acquisitions: [String: DatasetDescription.Acquisition], _ coverage: [Double]
    ) -> DatasetDescription {
        DatasetDescription(
            name: recipe.name, title: recipe.title, imageKind: recipe.imageKind, foreground: recipe.foreground,
            foregroundHint: Coverage(coverage).hint, channels: 1, maskSuffix: "", samples: acquisitions.count,
            provenance: recipe.provenance, acquisitions: acquisitions)
    }

    private func split(training: [String], heldOut: [String]) -> DatasetSplit {
        DatasetSplit(
            training: training, heldOut: heldOut,
            method: "by height: slices \(recipe.heldOut.lowerBound) to \(recipe.heldOut.upperBound) are held out, "
                + "\(recipe.gap) slices on each side belong to neither part")
    }
}
