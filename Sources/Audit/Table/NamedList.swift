/// Numbers that belong together: a column, or one group's part of it.
public struct NamedList: Sendable, Hashable {
    public var name: String
    public var values: [Double]

    public init(_ name: String, _ values: [Double]) {
        self.name = name
        self.values = values
    }
}
