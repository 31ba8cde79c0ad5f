import Foundation
import GRDB

extension ResultStore {
    /// The tables that hold results: what a report is made of. Plans and their progress are no results.
    static let resultTables = [
        "run", "exchange", "round", "error", "interaction", "capture", "training", "epoch", "validation_batch",
        "test_batch", "held_out_batch", "held_out", "dataset_reference", "parity",
    ]

    /// What later versions added. It enters the hash only where it says something: a store that is brought up to date keeps the
    /// hash that its reports were made from.
    private static let laterTables = [
        "baseline", "baseline_epoch", "baseline_held_out", "drawing_set", "drawing", "drawing_score",
        "sweep_training", "sweep_score",
    ]
    private static let laterColumns = [
        "run": Set(["vendor", "open_weights", "prompt_name"]), "training": Set(["inference_seconds"]),
        "baseline": Set(["network_seconds"]),
    ]

    /// Gives every value of every result to `update`, in an order and form that depend on the values alone: what a hash of the
    /// results is made from.
    ///
    /// - Throws: `StoreError`.
    /// - Complexity: reads every row once.
    public func forEachResultByte(_ update: (Data) -> Void) throws {
        try read("reading all results") { db in
            for table in Self.resultTables + Self.laterTables {
                let name = table.quotedDatabaseIdentifier
                // As many columns as the widest key of a table without a number of its own.
                let count = min(table == "drawing_score" ? 5 : 3, try db.columns(in: table).count)
                let order = (1...count).map(String.init).joined(separator: ", ")
                let rows = try Row.fetchCursor(db, sql: "SELECT * FROM \(name) ORDER BY \(order)")
                let later = Self.laterColumns[table] ?? []
                if Self.resultTables.contains(table) { update(Data("\(table)\n".utf8)) }
                while let row = try rows.next() {
                    var bytes = Data()
                    if !Self.resultTables.contains(table) { bytes.append(Data("\(table)\n".utf8)) }
                    for (column, value) in row where !(value.isNull && later.contains(column)) {
                        Self.append(value, to: &bytes)
                    }
                    update(bytes)
                }
            }
        }
    }

    /// A tag, the length where it varies, and the value.
    private static func append(_ value: DatabaseValue, to bytes: inout Data) {
        func add(_ tag: UInt8, _ number: UInt64) {
            bytes.append(tag)
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        switch value.storage {
        case .null: bytes.append(0)
        case .int64(let number): add(1, UInt64(bitPattern: number))
        case .double(let number): add(2, number.bitPattern)
        case .string(let text):
            add(3, UInt64(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        case .blob(let data):
            add(4, UInt64(data.count))
            bytes.append(data)
        }
    }
}
