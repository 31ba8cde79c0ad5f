import Foundation

/// A dataset that a program draws: it imitates a modality at a small size and shows nobody.
///
/// ```swift
/// let dataset = try GeneratedDataset.named("generated-skin")!.build(into: catalogue)
/// ```
///
/// The pictures follow from the seed of their dataset and their place in it alone, in the arithmetic of this machine's mathematical
/// functions. What a network scores on them says nothing about patients.
public struct GeneratedDataset: Sendable {
    /// The four that imitate the modalities of the published label budgets.
    public static let all = [skin, polyp, lung, ct]

    public let name: String
    let title: String
    let imageKind: String
    let foreground: String
    let channels: Int
    /// What is drawn and how it varies, for `dataset.json`.
    let notes: [String]
    let splitMethod: String
    /// Samples by id, training first.
    let training: [Sample]
    let heldOut: [Sample]
    private let draw: @Sendable (Sample) -> (image: Image, mask: Image)

    struct Sample: Sendable, Hashable {
        var id: String
        var seed: UInt64
        /// Slice of a volume.
        var slice = 0
        /// The volume; nil for a picture of its own.
        var volume: String?
    }

    /// Pictures to learn from: enough for a budget of 100 labels, and some to watch a training on.
    static let trainingCount = 110
    static let heldOutCount = 30

    /// One by its name.
    public static func named(_ name: String) -> GeneratedDataset? { all.first { $0.name == name } }

    /// Draws all pictures and writes `catalogue.root/<name>/`, whole or not at all.
    ///
    /// - Parameter progress: Called with the images done and their total.
    /// - Throws: `DatasetError`: `occupied` where the dataset exists, `unwritable`.
    public func build(
        into catalogue: DatasetCatalogue, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(DatasetError) -> Dataset {
        let target = catalogue.root.appending(path: name, directoryHint: .isDirectory)
        guard !FileManager.default.fileExists(atPath: target.path(percentEncoded: false)) else {
            throw .occupied(path: target.path(percentEncoded: false))
        }
        let writer = try DatasetWriter(target: target)
        do throws(DatasetError) {
            let samples = training + heldOut
            var coverage: [Double] = []
            for (index, sample) in samples.enumerated() {
                let pair = draw(sample)
                try writer.add(sample.id, image: pair.image, mask: pair.mask)
                coverage.append(Double(pair.mask.bytes.count { $0 != 0 }) / Double(pair.mask.pixels))
                progress(index + 1, samples.count)
            }
            return try writer.finish(
                describe(coverage),
                DatasetSplit(training: training.map(\.id), heldOut: heldOut.map(\.id), method: splitMethod))
        } catch {
            writer.discard()
            throw error
        }
    }

    /// Draws one picture with its mask.
    ///
    /// - Throws: `DatasetError.unknownSample`.
    public func picture(_ id: String) throws(DatasetError) -> (image: Image, mask: Image) {
        guard let sample = (training + heldOut).first(where: { $0.id == id }) else {
            throw .unknownSample(id, dataset: name)
        }
        return draw(sample)
    }

    private func describe(_ coverage: [Double]) -> DatasetDescription {
        var description = DatasetDescription(
            name: name, title: title, imageKind: imageKind, foreground: foreground,
            foregroundHint: Coverage(coverage).hint, channels: channels, maskSuffix: "",
            samples: training.count + heldOut.count,
            provenance: .init(
                sources: ["drawn by llmbench, GeneratedDataset(\(name)), version \(Self.version)"],
                licence: "none needed: no picture of a person went into it",
                notes: ["Simulated: every picture is drawn by a program. Results say nothing about patients."] + notes),
            acquisitions: [:])
        description.simulated = true
        let slices = (training + heldOut).compactMap { sample in
            sample.volume.map { (sample.id, DatasetDescription.Subject(name: $0, slice: sample.slice)) }
        }
        if !slices.isEmpty { description.subjects = Dictionary(uniqueKeysWithValues: slices) }
        return description
    }

    /// Counts up when the pictures change.
    static let version = 1
}

extension GeneratedDataset {
    private static func samples(_ prefix: String, seed: UInt64) -> (training: [Sample], heldOut: [Sample]) {
        let all = (0..<(trainingCount + heldOutCount)).map { index in
            let digits = "\(index)"
            let number = String(repeating: "0", count: 3 - digits.count) + digits
            return Sample(id: "\(prefix)-\(number)", seed: seed + UInt64(index))
        }
        return (Array(all.prefix(trainingCount)), Array(all.suffix(heldOutCount)))
    }

    private init(
        name: String, title: String, imageKind: String, foreground: String, channels: Int, notes: [String],
        samples: (training: [Sample], heldOut: [Sample]), splitMethod: String,
        draw: @escaping @Sendable (Sample) -> (image: Image, mask: Image)
    ) {
        (self.name, self.title, self.imageKind, self.foreground) = (name, title, imageKind, foreground)
        (self.channels, self.notes, self.splitMethod, self.draw) = (channels, notes, splitMethod, draw)
        (training, heldOut) = samples
    }

    private static let independent =
        "drawn one by one: the last \(heldOutCount) of \(trainingCount + heldOutCount) are held out"

    /// Pigmented lesions on skin, in colour.
    public static let skin = GeneratedDataset(
        name: "generated-skin", title: "Skin lesions, simulated", imageKind: "dermatoscopic images of skin",
        foreground: "the skin lesion", channels: 3,
        notes: [
            "Imitates dermoscopy: irregular borders, pigments that vary within a lesion, hair, freckles, vignetting, black rims."
        ],
        samples: samples("skin", seed: 61_000_000), splitMethod: independent,
        draw: { sample in
            var scene = SkinScene(seed: sample.seed)
            return scene.draw()
        })

    /// Polyps on mucosa, in colour.
    public static let polyp = GeneratedDataset(
        name: "generated-polyp", title: "Polyps, simulated", imageKind: "endoscopic images of the colon",
        foreground: "the polyp", channels: 3,
        notes: [
            "Imitates colonoscopy: polyps nearly of the mucosa's colour, folds, vessels, a dark lumen, specular spots, black corners."
        ],
        samples: samples("polyp", seed: 62_000_000), splitMethod: independent,
        draw: { sample in
            var scene = PolypScene(seed: sample.seed)
            return scene.draw()
        })

    /// Lung fields of chest X-rays, grey.
    public static let lung = GeneratedDataset(
        name: "generated-lung", title: "Lung fields, simulated", imageKind: "frontal chest X-rays",
        foreground: "both lung fields", channels: 1,
        notes: [
            "Imitates chest X-rays: two fields, ribs, heart, gas below the diaphragm, opacities, leads, exposures that differ."
        ],
        samples: samples("lung", seed: 63_000_000), splitMethod: independent,
        draw: { sample in
            var scene = ChestScene(seed: sample.seed)
            return scene.draw()
        })

    /// The spleen in CT slices, grey.
    public static let ct = GeneratedDataset(
        name: "generated-ct", title: "Spleen in CT slices, simulated",
        imageKind: "axial CT slices of the abdomen in the soft-tissue window", foreground: "the spleen", channels: 1,
        notes: [
            "Imitates contrast-enhanced CT, window centre 50 and width 350 HU: liver, kidney, stomach and muscle are about as dense.",
            "A name ct-vNN-zNN tells the volume and the slice, counted from the feet; the volumes of the held-out slices are held out as a whole.",
        ],
        samples: volumes(),
        splitMethod: "by volume: the last 3 of 14 volumes of \(AbdomenScene.slices) slices are held out",
        draw: { AbdomenScene(seed: $0.seed).draw(slice: $0.slice) })

    private static func volumes() -> (training: [Sample], heldOut: [Sample]) {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let volumes = (trainingCount + heldOutCount) / AbdomenScene.slices
        let all = (0..<volumes).flatMap { volume in
            (0..<AbdomenScene.slices).map { slice in
                Sample(
                    id: "ct-v\(two(volume))-z\(two(slice))", seed: 64_000_000 + UInt64(volume), slice: slice,
                    volume: "ct-v\(two(volume))")
            }
        }
        return (Array(all.prefix(trainingCount)), Array(all.suffix(heldOutCount)))
    }
}
