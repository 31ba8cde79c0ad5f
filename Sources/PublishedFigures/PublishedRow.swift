import Tables

/// Reads the fields of one row as what they should be.
struct PublishedRow {
    let file: String
    let table: CSVTable
    let row: CSVTable.Row

    func field(_ column: String) throws(PublishedFiguresError) -> String {
        do {
            return row.fields[try table.column(column)]
        } catch {
            throw failure(error.description)
        }
    }

    func text(_ column: String) throws(PublishedFiguresError) -> String {
        let text = try field(column)
        guard !text.isEmpty else { throw failure("\(column) is empty") }
        return text
    }

    func number(_ column: String, in range: ClosedRange<Double>) throws(PublishedFiguresError) -> Double {
        let text = try field(column)
        guard let number = Double(text), range.contains(number) else {
            throw failure("\(column) is '\(text)', not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func whole(_ column: String, atLeast least: Int = 1) throws(PublishedFiguresError) -> Int {
        let text = try field(column)
        guard let number = Int(text), number >= least else {
            throw failure("\(column) is '\(text)', not a whole number from \(least)")
        }
        return number
    }

    func flag(_ column: String) throws(PublishedFiguresError) -> Bool {
        switch try field(column) {
        case "yes": return true
        case "no": return false
        case let other: throw failure("\(column) is '\(other)', not yes or no")
        }
    }

    func cohort() throws(PublishedFiguresError) -> Int {
        let year = try whole("cohort")
        guard [2024, 2025].contains(year) else { throw failure("cohort is \(year), not 2024 or 2025") }
        return year
    }

    func range(_ lower: String, _ upper: String) throws(PublishedFiguresError) -> ClosedRange<Double> {
        let (low, high) = (try number(lower, in: 0...1), try number(upper, in: 0...1))
        guard low <= high else { throw failure("\(lower) is above \(upper)") }
        return low...high
    }

    /// Channels a stage, joined by hyphens.
    func channels(_ column: String) throws(PublishedFiguresError) -> [Int] {
        let text = try field(column)
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard parts.allSatisfy({ $0 > 0 }) else {
            throw failure("\(column) is '\(text)', not whole numbers joined by hyphens")
        }
        return parts
    }

    /// Names joined by plus signs; none where the field is empty.
    func list(_ column: String) throws(PublishedFiguresError) -> [String] {
        try field(column).split(separator: "+").map(String.init)
    }

    private func failure(_ reason: String) -> PublishedFiguresError {
        PublishedFiguresError(file: file, line: row.line, reason: reason)
    }
}
