import Files
import Foundation
import Hashing

/// A prepared dataset on disk: pairs of PNGs, what they show, and which of them a pipeline may see.
///
/// ```swift
/// let dataset = try Dataset.load(workspace.dataset("colin27-cerebellum"))
/// let staged = try dataset.stageTraining(to: folder)      // becomes /data in the sandbox
/// let mask = try dataset.truth(dataset.split.heldOut[0])  // read by the host alone
/// ```
///
/// A value: it holds names, not pixels, and reads a file when asked for it.
public struct Dataset: Sendable, Hashable {
    /// Holds `images/`, `masks/`, `dataset.json` and `split.json`.
    public let folder: URL
    public let description: DatasetDescription
    public let split: DatasetSplit

    init(folder: URL, description: DatasetDescription, split: DatasetSplit) {
        self.folder = folder
        self.description = description
        self.split = split
    }

    /// Reads the two JSON files and holds them against each other. No picture is opened: see `DatasetChecker`.
    ///
    /// - Throws: `DatasetError`.
    public static func load(_ folder: URL) throws(DatasetError) -> Dataset {
        let description: DatasetDescription = try decode(folder.appending(path: "dataset.json"))
        let split: DatasetSplit = try decode(folder.appending(path: "split.json"))
        for (file, schema) in [("dataset.json", description.schema), ("split.json", split.schema)] where schema != 1 {
            throw .schema(path: folder.appending(path: file).path(percentEncoded: false), found: schema)
        }
        let dataset = Dataset(folder: folder, description: description, split: split)
        try dataset.validate()
        return dataset
    }

    public var name: String { description.name }

    /// Training samples, then held-out ones.
    public var samples: [String] { split.training + split.heldOut }

    public var images: URL { folder.appending(path: "images", directoryHint: .isDirectory) }
    public var masks: URL { folder.appending(path: "masks", directoryHint: .isDirectory) }

    public func imageURL(_ id: String) -> URL { images.appending(path: id + ".png") }
    public func maskURL(_ id: String) -> URL { masks.appending(path: id + description.maskSuffix + ".png") }

    /// One picture with the number of channels that the dataset states.
    ///
    /// - Throws: `DatasetError`.
    public func image(_ id: String) throws(DatasetError) -> Image {
        let image = try read(imageURL(id), of: id)
        return description.channels == 1 ? image.grey() : image.rgb()
    }

    /// The mask of one sample, 0 or 255, as it is on disk and never in the sandbox.
    ///
    /// - Throws: `DatasetError`.
    public func truth(_ id: String) throws(DatasetError) -> Image {
        let mask = try read(maskURL(id), of: id).grey()
        return Image(checked: mask.width, mask.height, 1, mask.bytes.map { $0 == 0 ? 0 : 255 })
    }

    /// SHA-256 in hexadecimal over the split and over the name, image and mask of every sample, so that a result names exactly the
    /// data it came from. Titles and notes do not enter.
    ///
    /// - Throws: `DatasetError`.
    /// - Complexity: reads every file once.
    public func contentHash() throws(DatasetError) -> String {
        var hash = SHA256()
        func add(_ bytes: [UInt8]) {
            withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.update($0) }
            hash.update(bytes)
        }
        for (part, ids) in [("training", split.training), ("held out", split.heldOut)] {
            add(Array(part.utf8))
            for id in ids.sorted() {
                add(Array(id.utf8))
                add(try bytes(imageURL(id), of: id))
                add(try bytes(maskURL(id), of: id))
            }
        }
        return hash.hexadecimal()
    }

    func bytes(_ url: URL, of id: String) throws(DatasetError) -> [UInt8] {
        guard samples.contains(id) else { throw .unknownSample(id, dataset: name) }
        do {
            return try UntrustedFile.read(url, maximumBytes: PNG.Limits().fileBytes)
        } catch {
            throw .unreadable(error)
        }
    }

    private func read(_ url: URL, of id: String) throws(DatasetError) -> Image {
        do {
            return try PNG.decode(try bytes(url, of: id), name: url.path(percentEncoded: false)).image
        } catch let error as PNGError {
            throw .picture(error)
        } catch let error as DatasetError {
            throw error
        } catch {
            throw .invalid(path: url.path(percentEncoded: false), reason: "\(error)")
        }
    }

    private func validate() throws(DatasetError) {
        let path = folder.path(percentEncoded: false)
        guard Self.isSlug(description.name) else {
            throw .invalid(path: path, reason: "its name '\(printable(description.name))' is no folder name")
        }
        guard description.channels == 1 || description.channels == 3 else {
            throw .invalid(path: path, reason: "it states \(description.channels) channels; 1 or 3 are possible")
        }
        guard description.maskSuffix.isEmpty || Self.isFileStem("a" + description.maskSuffix) else {
            throw .invalid(path: path, reason: "its mask suffix is no part of a file name")
        }
        if let bad = samples.first(where: { !Self.isFileStem($0) }) {
            throw .invalid(path: path, reason: "the sample '\(printable(bad))' is no file name")
        }
        guard Set(samples).count == samples.count else {
            throw .invalid(path: path, reason: "its split names a sample twice")
        }
        guard samples.count == description.samples else {
            throw .invalid(
                path: path,
                reason: "dataset.json states \(description.samples) samples, split.json names \(samples.count)"
            )
        }
    }

    private static func decode<Value: Decodable>(_ url: URL) throws(DatasetError) -> Value {
        let bytes: [UInt8]
        do {
            bytes = try UntrustedFile.read(url, maximumBytes: 64 << 20)
        } catch {
            throw .unreadable(error)
        }
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch {
            throw .invalid(path: url.path(percentEncoded: false), reason: Self.reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        func place(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
            return path.isEmpty ? "" : " at " + printable(path.joined(separator: "."))
        }
        switch error as? DecodingError {
        case .keyNotFound(let key, let context): return "the field '\(key.stringValue)' is missing\(place(context))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "a value of another kind was expected\(place(context))"
        default: return "it is no JSON of the expected form"
        }
    }

    /// Letters, digits, `-`, `_`, `.`, not beginning with a dot.
    static func isSlug(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 128
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    }

    /// A name that is one visible path component and cannot be taken for an option.
    static func isFileStem(_ stem: String) -> Bool {
        !stem.isEmpty && !stem.hasPrefix(".") && !stem.hasPrefix("-") && stem.utf8.count <= 200 && !stem.contains("/")
            && printable(stem) == stem
    }
}

/// What is wrong with a dataset.
public enum DatasetError: Error, Sendable, Hashable, CustomStringConvertible {
    /// `nearest` are existing names like it.
    case unknownDataset(String, nearest: [String], folder: String)
    case unknownSample(String, dataset: String)
    case unreadable(UntrustedFileError)
    case picture(PNGError)
    case schema(path: String, found: Int)
    case invalid(path: String, reason: String)
    case unwritable(WriteFailure)
    /// The target folder holds something that is not ours to remove.
    case occupied(path: String)
    /// The source has problems; nothing was written.
    case problems([DatasetProblem], usable: Int)
    /// A raw volume that a recipe needs is not in the folder given.
    case missingSource(path: String, advice: String)
    case volume(NIfTIError)

    public var description: String {
        switch self {
        case .unknownDataset(let name, let nearest, let folder):
            "there is no dataset '\(printable(name))' in \(printable(folder))"
                + (nearest.isEmpty
                    ? ": `llmbench datasets list` names those that are there, `llmbench datasets prepare` and `build` make others"
                    : "; did you mean \(nearest.joined(separator: " or "))?")
        case .unknownSample(let id, let dataset): "the dataset \(dataset) has no sample '\(printable(id))'"
        case .unreadable(let error): error.description
        case .picture(let error): error.description
        case .schema(let path, let found):
            "\(printable(path)) has schema \(found); this llmbench reads schema 1: update it, or prepare the data again"
        case .invalid(let path, let reason): "\(printable(path)) is not a sound dataset: \(reason)"
        case .unwritable(let failure): failure.description
        case .occupied(let path): "\(printable(path)) exists and holds other files: remove it or name another folder"
        case .problems(let problems, let usable):
            "\(problems.count) \(problems.count == 1 ? "file has" : "files have") problems, the first: "
                + "\(problems.first?.description ?? "unknown"); list them all with 'llmbench datasets check'"
                + (usable > 0 ? ", leave them out with --skip-bad" : "; no pair of image and mask is usable")
        case .missingSource(let path, let advice): "\(printable(path)) is missing: \(advice)"
        case .volume(let error): error.description
        }
    }
}
