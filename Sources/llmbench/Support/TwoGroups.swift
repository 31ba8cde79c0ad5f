import Datasets
import Diagnosis
import Endpoints
import Files
import Foundation
import Tables

/// The values of two groups, for one dataset.
struct TwoGroups {
    var dataset: String
    var groups: (String, String)
    var a: [Double]
    var b: [Double]

    /// Bytes of a table beyond which a file is something else.
    private static let maximumBytes = 256 << 20

    /// Reads a table of comma-separated values.
    ///
    /// - Throws: `CommandFailure.usage` with the file, and the line or column that is at fault.
    static func read(
        _ file: String, by: String, value: String?, dataset: String?, first: String?
    ) throws -> [TwoGroups] {
        let table = try table(file)
        do {
            return try TableColumns(table, by: by, value: value, dataset: dataset).split(first: first)
        } catch let error as TableFault {
            throw CommandFailure.usage("\(Feedback.escaped(file)): \(Feedback.escaped(error.description))")
        }
    }

    private static func table(_ file: String) throws -> CSVTable {
        do {
            let bytes = try UntrustedFile.read(URL(filePath: file), maximumBytes: maximumBytes)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw CommandFailure.usage(
                    "\(Feedback.escaped(file)) is no text in UTF-8: save the table as CSV in UTF-8")
            }
            return try CSVTable(parsing: text)
        } catch let error as UntrustedFileError {
            throw CommandFailure.usage("\(error)")
        } catch let error as CSVError {
            throw CommandFailure.usage("\(Feedback.escaped(file)): \(Feedback.escaped(error.description))")
        }
    }
}

/// What is wrong with a table for the comparison asked for.
struct TableFault: Error {
    var description: String
}

/// Which columns of a table a comparison reads.
private struct TableColumns {
    let table: CSVTable
    let by: Int
    let value: Int
    let dataset: Int?

    init(_ table: CSVTable, by: String, value: String?, dataset: String?) throws {
        self.table = table
        self.by = try Self.column(by, table)
        if let dataset {
            self.dataset = try Self.column(dataset, table)
        } else {
            let position = table.columns.firstIndex(of: "dataset")
            self.dataset = position == self.by ? nil : position
        }
        self.value =
            try value.map { try Self.column($0, table) } ?? Self.onlyNumbers(table, besides: [self.by, self.dataset])
    }

    private static func column(_ name: String, _ table: CSVTable) throws -> Int {
        do {
            return try table.column(name)
        } catch {
            let near = NearestNames.suggestions(for: name, among: table.columns)
            throw TableFault(
                description: near.isEmpty
                    ? "\(error)" : "no column '\(name)': did you mean \(near.joined(separator: ", "))?")
        }
    }

    private static func onlyNumbers(_ table: CSVTable, besides taken: [Int?]) throws -> Int {
        let candidates = table.columns.indices.filter { column in
            !taken.contains(column) && !table.rows.isEmpty && table.rows.allSatisfy { Double($0.fields[column]) != nil }
        }
        guard candidates.count == 1 else {
            let names = candidates.map { table.columns[$0] }.joined(separator: ", ")
            throw TableFault(
                description: candidates.isEmpty
                    ? "no column holds numbers in every row: name one with --value"
                    : "several columns hold numbers (\(names)): name one with --value")
        }
        return candidates[0]
    }

    /// Datasets in the order of the table; the groups in alphabetical order but for the one that comes first.
    func split(first: String?) throws -> [TwoGroups] {
        var names: Set<String> = []
        var order: [String] = []
        var values: [String: [String: [Double]]] = [:]
        for row in table.rows {
            let text = row.fields[value]
            guard let number = Double(text), number.isFinite else {
                throw TableFault(
                    description:
                        "line \(row.line): \(table.columns[value]) is '\(text.prefix(40))', which is no finite number")
            }
            let set = dataset.map { row.fields[$0] } ?? "all"
            if values[set] == nil { order.append(set) }
            names.insert(row.fields[by])
            values[set, default: [:]][row.fields[by], default: []].append(number)
        }
        let groups = try pair(names.sorted(), first)
        return try order.map { set in
            guard let a = values[set]?[groups.0], let b = values[set]?[groups.1] else {
                throw TableFault(
                    description:
                        "dataset '\(set)' has rows of one group only: both '\(groups.0)' and '\(groups.1)' are needed")
            }
            return TwoGroups(dataset: set, groups: groups, a: a, b: b)
        }
    }

    private func pair(_ names: [String], _ first: String?) throws -> (String, String) {
        let column = table.columns[by]
        guard names.count == 2 else {
            let listed = names.prefix(6).map { "'\($0)'" }.joined(separator: ", ")
            throw TableFault(
                description: "column '\(column)' parts the rows into \(names.count) groups"
                    + (names.isEmpty ? "" : " (\(listed))") + " where two are compared")
        }
        guard let first else { return (names[0], names[1]) }
        guard let position = names.firstIndex(of: first) else {
            throw TableFault(
                description: "no row has '\(first)' in column '\(column)': give --first '\(names[0])' or '\(names[1])'")
        }
        return (names[position], names[1 - position])
    }
}
