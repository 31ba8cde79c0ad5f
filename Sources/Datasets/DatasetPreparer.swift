import Files
import Foundation

/// Makes a prepared dataset of a folder of pairs: pictures rewritten as 8-bit PNGs without metadata, masks as 0 and 255 under their
/// image's name, and a seeded split.
public struct DatasetPreparer: Sendable {
    public struct Options: Sendable {
        /// Slug of the new dataset.
        public var name: String
        public var title: String
        /// In the words of the prompt; see `DatasetDescription`.
        public var imageKind: String
        public var foreground: String
        /// Made from the masks' coverage when `nil`.
        public var foregroundHint: String?
        public var maskSuffix: String
        /// Fraction of the groups that is held out, in (0, 1).
        public var heldOut: Double
        public var seed: UInt64
        /// A regular expression whose first group (or whole match) tells which samples belong together, a patient's for instance:
        /// all samples of a group land on one side. Without it every sample is its own group.
        public var groupBy: String?
        public var licence: String
        public var sources: [String]
        /// Leave bad files out, where the default is to refuse.
        public var skipBad: Bool

        public init(
            name: String, title: String? = nil, imageKind: String, foreground: String, foregroundHint: String? = nil,
            maskSuffix: String = "", heldOut: Double = 0.1, seed: UInt64 = 1, groupBy: String? = nil,
            licence: String = "not stated", sources: [String] = [], skipBad: Bool = false
        ) {
            self.name = name
            self.title = title ?? name
            self.imageKind = imageKind
            self.foreground = foreground
            self.foregroundHint = foregroundHint
            self.maskSuffix = maskSuffix
            self.heldOut = heldOut
            self.seed = seed
            self.groupBy = groupBy
            self.licence = licence
            self.sources = sources
            self.skipBad = skipBad
        }
    }

    public struct Result: Sendable {
        public var dataset: Dataset
        /// What was left out.
        public var problems: [DatasetProblem]
    }

    public let options: Options

    public init(_ options: Options) {
        self.options = options
    }

    /// Reads `source` and writes `catalogue.root/<name>/`, whole or not at all.
    ///
    /// - Parameter progress: Called with the pairs done and their total, first while checking, then while writing.
    /// - Throws: `DatasetError`: `problems` unless told to skip them, `occupied` where the dataset exists.
    public func prepare(
        _ source: URL, into catalogue: DatasetCatalogue, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(DatasetError) -> Result {
        let target = catalogue.root.appending(path: options.name, directoryHint: .isDirectory)
        try checkOptions(target)
        let report = DatasetChecker(folder: source, maskSuffix: options.maskSuffix).run { progress($0, 2 * $1) }
        guard report.problems.isEmpty || (options.skipBad && !report.pairs.isEmpty) else {
            throw .problems(report.problems, usable: report.pairs.count)
        }
        let ids = report.pairs.map(\.id)
        let split = try split(ids, source: source)
        var subjects: [String: DatasetDescription.Subject]?
        if options.groupBy != nil {
            subjects = [:]
            for (name, members) in try groups(ids, source: source) {
                for id in members { subjects?[id] = .init(name: name) }
            }
        }
        let channels = report.pairs.contains { $0.channels == 3 } ? 3 : 1
        let writer = try DatasetWriter(target: target)
        do throws(DatasetError) {
            for (index, pair) in report.pairs.enumerated() {
                try write(pair, channels: channels, with: writer)
                progress(report.pairs.count + index + 1, 2 * report.pairs.count)
            }
            var description = describe(report, channels: channels)
            description.subjects = subjects
            let dataset = try writer.finish(description, split)
            return Result(dataset: dataset, problems: report.problems)
        } catch {
            writer.discard()
            throw error
        }
    }

    private func checkOptions(_ target: URL) throws(DatasetError) {
        let path = target.path(percentEncoded: false)
        guard Dataset.isSlug(options.name) else {
            throw .invalid(path: path, reason: "its name may hold letters, digits, '-', '_' and '.' only")
        }
        guard options.heldOut > 0, options.heldOut < 1 else {
            throw .invalid(path: path, reason: "the held-out fraction \(options.heldOut) is not between 0 and 1")
        }
        guard !FileManager.default.fileExists(atPath: path) else { throw .occupied(path: path) }
    }

    private func split(_ ids: [String], source: URL) throws(DatasetError) -> DatasetSplit {
        let groups = try groups(ids, source: source)
        guard groups.count > 1 else {
            throw .invalid(
                path: source.path(percentEncoded: false),
                reason: "\(groups.count) group\(groups.count == 1 ? "" : "s") of samples cannot be split in two")
        }
        var generator = SeededGenerator(seed: options.seed)
        let order = groups.keys.sorted().shuffled(using: &generator)
        let count = min(max(1, Int((Double(groups.count) * options.heldOut).rounded())), groups.count - 1)
        let heldOut = order.prefix(count).flatMap { groups[$0] ?? [] }.sorted()
        let training = order.dropFirst(count).flatMap { groups[$0] ?? [] }.sorted()
        let unit = options.groupBy == nil ? "samples" : "groups of samples ('\(options.groupBy ?? "")')"
        return DatasetSplit(
            training: training, heldOut: heldOut,
            method: "\(count) of \(groups.count) \(unit) held out, drawn at random with seed \(options.seed)")
    }

    private func groups(_ ids: [String], source: URL) throws(DatasetError) -> [String: [String]] {
        guard let pattern = options.groupBy else {
            return Dictionary(uniqueKeysWithValues: ids.map { ($0, [$0]) })
        }
        guard let expression = try? NSRegularExpression(pattern: pattern) else {
            throw .invalid(
                path: source.path(percentEncoded: false), reason: "'\(pattern)' is no regular expression")
        }
        var groups: [String: [String]] = [:]
        for id in ids {
            let all = NSRange(id.startIndex..., in: id)
            guard let match = expression.firstMatch(in: id, range: all),
                let range = Range(match.range(at: min(1, match.numberOfRanges - 1)), in: id)
            else {
                throw .invalid(
                    path: source.path(percentEncoded: false),
                    reason: "the name '\(printable(id))' does not match '\(pattern)', so its group is unknown")
            }
            groups[String(id[range]), default: []].append(id)
        }
        return groups
    }

    private func write(
        _ pair: DatasetChecker.Pair, channels: Int, with writer: DatasetWriter
    ) throws(DatasetError) {
        do {
            let image = try PNG.read(pair.image)
            let mask = try PNG.read(pair.mask).grey()
            try writer.add(
                pair.id, image: channels == 3 ? image.rgb() : image,
                mask: Image(checked: mask.width, mask.height, 1, mask.bytes.map { $0 == 0 ? 0 : 255 }))
        } catch let error as PNGError {
            throw .picture(error)
        } catch let error as DatasetError {
            throw error
        } catch {
            throw .unwritable(WriteFailure(path: pair.id, reason: "\(error)"))
        }
    }

    private func describe(_ report: DatasetChecker.Report, channels: Int) -> DatasetDescription {
        let coverage = report.pairs.map(\.foreground)
        let notes =
            report.problems.isEmpty
            ? [] : ["\(report.problems.count) files of the source were left out because they had problems."]
        return DatasetDescription(
            name: options.name, title: options.title, imageKind: options.imageKind, foreground: options.foreground,
            foregroundHint: options.foregroundHint ?? Coverage(coverage).hint, channels: channels, maskSuffix: "",
            samples: report.pairs.count,
            provenance: .init(sources: options.sources, licence: options.licence, notes: notes), acquisitions: [:])
    }
}

/// How much of the images is foreground.
public struct Coverage: Sendable, Hashable, Codable {
    /// Smallest, median and largest fraction among the samples that have any.
    public var smallest: Double
    public var median: Double
    public var largest: Double
    /// Samples without foreground.
    public var empty: Int

    public init(_ fractions: [Double]) {
        let present = fractions.filter { $0 > 0 }.sorted()
        smallest = present.first ?? 0
        median = present.isEmpty ? 0 : present[present.count / 2]
        largest = present.last ?? 0
        empty = fractions.count - present.count
    }

    /// In the words of the prompt.
    public var hint: String {
        func percent(_ fraction: Double) -> String {
            let value = fraction * 100
            return value < 1 ? "\((value * 10).rounded() / 10)" : "\(Int(value.rounded()))"
        }
        let size = largest < 0.25 ? "small: it covers " : "it covers "
        let rest = empty > 0 ? ", and may be absent" : ""
        let (low, high) = (percent(smallest), percent(largest))
        if low == high { return "\(size)\(low) percent of an image\(rest)" }
        return "\(size)\(low) to \(high) percent of an image (median \(percent(median)))\(rest)"
    }
}
