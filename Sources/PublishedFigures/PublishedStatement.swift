/// Something that the source says a second time, elsewhere and otherwise.
public struct PublishedStatement: Sendable, Hashable {
    /// A dataset of `PublishedComparison`, or the id of a `PublishedModel`.
    public var subject: String
    /// `p of 2025 above 2024` or `weights`.
    public var quantity: String
    /// Where the source says it.
    public var place: String
    /// As printed.
    public var value: String
}

extension PublishedStatement: PublishedValue {
    var key: String { "\(subject) \(quantity) \(place)" }

    init(_ row: PublishedRow) throws(PublishedFiguresError) {
        subject = try row.text("subject")
        quantity = try row.text("quantity")
        place = try row.text("place")
        value = try row.text("value")
    }
}

extension PublishedFigures {
    /// What the running text says of things that a table gives too.
    public static func statements() throws(PublishedFiguresError) -> [PublishedStatement] {
        try read("statements.csv", PackageResources.statements_csv)
    }
}
