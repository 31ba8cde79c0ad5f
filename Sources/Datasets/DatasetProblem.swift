import Files

/// One thing that is wrong with one file.
public struct DatasetProblem: Sendable, Hashable, Codable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case missingFolder
        case emptyFolder
        case imageWithoutMask
        case maskWithoutImage
        /// Damaged, cut off, too large, a link, a FIFO, not readable.
        case unreadable
        case notPNG
        case otherSize
        case notBinary
        case unsafeName
        /// `dataset.json` or `split.json` contradicts the files.
        case inconsistent
    }

    public var kind: Kind
    /// Relative to the dataset: `masks/a.png`.
    public var file: String
    public var detail: String

    public init(kind: Kind, file: String, detail: String) {
        self.kind = kind
        self.file = file
        self.detail = detail
    }

    public var description: String { "\(printable(file)): \(detail)" }
}
