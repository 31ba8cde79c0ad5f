/// Lists that are sorted, and those among them that are not.
enum ListOrder {
    /// Lists of three values or more that are not sorted, where at least four others are and these are three quarters or more.
    static func exceptions(in lists: [NamedList]) -> [NamedList] {
        let long = lists.filter { $0.values.count >= 3 }
        let sorted = long.filter { Coincidence.isSorted($0.values) }
        guard sorted.count >= 4, 4 * sorted.count >= 3 * long.count else { return [] }
        return long.filter { !Coincidence.isSorted($0.values) }
    }
}
