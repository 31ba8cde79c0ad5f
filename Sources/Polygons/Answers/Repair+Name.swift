extension Repair {
    /// The name that tables and the store use, with what was counted.
    public var name: String {
        switch self {
        case .lenientSyntax: "lenient syntax"
        case .truncated: "truncated"
        case .convention(let asked): "other coordinates than the \(asked.rawValue) asked for"
        case .swappedAxes: "swapped axes"
        case .kind(let asked): "another shape than the \(asked.rawValue) asked for"
        case .earlierAnswersIgnored(let count): "earlier answers ignored: \(count)"
        case .boxReordered: "box reordered"
        case .boxAsSize: "box given as position and size"
        case .repeatedVertices(let count): "vertices repeated: \(count)"
        case .ringsDropped(let count): "rings dropped: \(count)"
        case .outOfFrame(let count): "vertices out of frame: \(count)"
        case .selfIntersecting: "self-intersecting"
        }
    }
}
