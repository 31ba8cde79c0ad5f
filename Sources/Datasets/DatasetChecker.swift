import Files
import Foundation

/// Looks at every file of a folder with `images/` and `masks/` and names all that is wrong, not only the first.
public struct DatasetChecker: Sendable {
    /// A pair that nothing is wrong with.
    public struct Pair: Sendable, Hashable {
        public var id: String
        public var image: URL
        public var mask: URL
        public var width: Int
        public var height: Int
        /// 1 or 3, after decoding.
        public var channels: Int
        /// Fraction of the mask.
        public var foreground: Double
    }

    public struct Report: Sendable, Hashable {
        public var pairs: [Pair]
        public var problems: [DatasetProblem]
    }

    public let folder: URL
    /// What a mask's stem has behind its image's: `_mask` for `a.png` and `a_mask.png`.
    public let maskSuffix: String
    private let limits: PNG.Limits
    /// Whether foreground must be 255: what pipelines are promised of a prepared dataset.
    private let isPrepared: Bool

    public init(folder: URL, maskSuffix: String = "", limits: PNG.Limits = PNG.Limits()) {
        self.init(folder: folder, maskSuffix: maskSuffix, limits: limits, isPrepared: false)
    }

    private init(folder: URL, maskSuffix: String, limits: PNG.Limits, isPrepared: Bool) {
        self.folder = folder
        self.maskSuffix = maskSuffix
        self.limits = limits
        self.isPrepared = isPrepared
    }

    /// Checks a folder of pairs. Hidden files are passed over.
    ///
    /// - Parameter progress: Called with the pairs done and their total.
    /// - Complexity: decodes every picture once, one at a time.
    public func run(progress: (Int, Int) -> Void = { _, _ in }) -> Report {
        var problems: [DatasetProblem] = []
        let images = list("images", suffix: "", &problems)
        let masks = list("masks", suffix: maskSuffix, &problems)
        for (id, file) in masks.sorted(by: { $0.key < $1.key }) where images[id] == nil {
            problems.append(
                .init(kind: .maskWithoutImage, file: "masks/\(file)", detail: "there is no images/\(id).png for it"))
        }
        var pairs: [Pair] = []
        for (index, (id, file)) in images.sorted(by: { $0.key < $1.key }).enumerated() {
            defer { progress(index + 1, images.count) }
            guard let mask = masks[id] else {
                let wanted = "masks/\(id)\(maskSuffix).png"
                problems.append(
                    .init(kind: .imageWithoutMask, file: "images/\(file)", detail: "there is no \(wanted) for it"))
                continue
            }
            if let pair = check(id, "images/\(file)", "masks/\(mask)", &problems) { pairs.append(pair) }
        }
        return Report(pairs: pairs, problems: problems)
    }

    /// Checks a prepared dataset: its pairs, strict masks of 0 and 255, and that its two JSON files speak of the same samples.
    public static func run(_ dataset: Dataset, progress: (Int, Int) -> Void = { _, _ in }) -> Report {
        let checker = DatasetChecker(
            folder: dataset.folder, maskSuffix: dataset.description.maskSuffix, limits: PNG.Limits(), isPrepared: true)
        var report = checker.run(progress: progress)
        let present = Set(report.pairs.map(\.id))
        let named = Set(dataset.samples)
        let broken = Set(report.problems.map(\.file))
        for id in dataset.samples where !present.contains(id) && !broken.contains("images/\(id).png") {
            let mask = "masks/\(id)\(dataset.description.maskSuffix).png"
            if broken.contains(mask) { continue }
            report.problems.append(
                .init(kind: .inconsistent, file: "split.json", detail: "names '\(id)', which has no sound pair"))
        }
        for pair in report.pairs {
            if !named.contains(pair.id) {
                report.problems.append(
                    .init(kind: .inconsistent, file: "images/\(pair.id).png", detail: "split.json does not name it"))
            }
            if pair.channels != dataset.description.channels {
                report.problems.append(
                    .init(
                        kind: .inconsistent, file: "images/\(pair.id).png",
                        detail: "has \(pair.channels) channels, dataset.json says \(dataset.description.channels)"))
            }
        }
        return report
    }

    /// The PNG files of a subfolder by sample.
    private func list(
        _ name: String, suffix: String, _ problems: inout [DatasetProblem]
    ) -> [String: String] {
        let url = folder.appending(path: name, directoryHint: .isDirectory)
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: url.path(percentEncoded: false)) else {
            problems.append(
                .init(kind: .missingFolder, file: name, detail: "the folder does not exist or cannot be read"))
            return [:]
        }
        var files: [String: String] = [:]
        for file in entries.sorted() where !file.hasPrefix(".") {
            guard file.lowercased().hasSuffix(".png") else {
                problems.append(
                    .init(kind: .notPNG, file: "\(name)/\(file)", detail: "is no .png; convert it or move it away"))
                continue
            }
            let stem = String(file.dropLast(4))
            guard Dataset.isFileStem(stem) else {
                problems.append(
                    .init(kind: .unsafeName, file: "\(name)/\(file)", detail: "has a name that scripts trip over"))
                continue
            }
            guard stem.hasSuffix(suffix), stem.count > suffix.count else {
                problems.append(
                    .init(
                        kind: .maskWithoutImage, file: "\(name)/\(file)",
                        detail: "its name does not end in '\(suffix).png'"))
                continue
            }
            files[String(stem.dropLast(suffix.count))] = file
        }
        if files.isEmpty {
            problems.append(.init(kind: .emptyFolder, file: name, detail: "the folder holds no usable PNG"))
        }
        return files
    }

    private func check(
        _ id: String, _ imageFile: String, _ maskFile: String, _ problems: inout [DatasetProblem]
    ) -> Pair? {
        guard let image = read(imageFile, &problems), let mask = read(maskFile, &problems) else { return nil }
        guard image.width == mask.width, image.height == mask.height else {
            problems.append(
                .init(
                    kind: .otherSize, file: maskFile,
                    detail: "has \(mask.width)×\(mask.height) pixels, its image \(image.width)×\(image.height)"))
            return nil
        }
        guard let values = Self.maskValues(mask), !isPrepared || !mask.bytes.contains(1) else {
            problems.append(
                .init(
                    kind: .notBinary, file: maskFile,
                    detail: "is no binary mask: grey values other than 0 and one of 1 or 255, or colour"))
            return nil
        }
        return Pair(
            id: id, image: folder.appending(path: imageFile), mask: folder.appending(path: maskFile),
            width: image.width, height: image.height, channels: image.channels,
            foreground: Double(values) / Double(mask.pixels))
    }

    /// The number of foreground pixels; `nil` unless all are 0 and 255 or all are 0 and 1.
    static func maskValues(_ mask: Image) -> Int? {
        let grey = mask.grey()
        if mask.channels == 3, grey.rgb() != mask { return nil }
        var counts = [Int](repeating: 0, count: 256)
        for value in grey.bytes { counts[Int(value)] += 1 }
        let background = counts[0]
        if background + counts[255] == grey.pixels { return counts[255] }
        if background + counts[1] == grey.pixels { return counts[1] }
        return nil
    }

    private func read(_ file: String, _ problems: inout [DatasetProblem]) -> Image? {
        let url = folder.appending(path: file)
        do {
            return try PNG.read(url, limits: limits)
        } catch {
            // The sentence names the whole path, which the problem's file already says.
            let path = printable(url.path(percentEncoded: false))
            let sentence = error.description.replacingOccurrences(of: path, with: "it")
            problems.append(.init(kind: .unreadable, file: file, detail: sentence))
            return nil
        }
    }
}
