import Foundation
import TensorRuntime

/// Where the time of a step or a prediction goes.
struct BenchProfile {
    /// One line of the table; seconds are the least of all runs.
    struct Row: Encodable {
        var phase: String
        var operation: String
        var module: String
        var seconds: Double
        var gigaflops: Double?
    }

    private let rows: [CompiledGraph.ProfileRow]
    private let update: Double?

    init(_ sides: BenchSides, runs: Int) throws {
        try sides.work()
        try sides.work()
        rows = sides.session.profile(runs: runs)
        guard sides.kind == .step else {
            update = nil
            return
        }
        var timings = Timings()
        for _ in 0..<runs { timings.add(try Timings.measure { try sides.optimizer.step(sides.session.parameters) }) }
        update = timings.least
    }

    /// Neighbouring steps of one operation and module as one line, and the update of the parameters last.
    private var lines: [Row] {
        var lines: [Row] = []
        var operations: [Double] = []
        for row in rows {
            if let last = lines.last, last.phase == row.phase, last.operation == row.operation,
                last.module == row.module
            {
                lines[lines.count - 1].seconds += row.seconds
                operations[lines.count - 1] += row.operations
            } else {
                lines.append(
                    Row(phase: row.phase, operation: row.operation, module: row.module, seconds: row.seconds))
                operations.append(row.operations)
            }
        }
        for index in lines.indices where operations[index] > 0 {
            lines[index].gigaflops = operations[index] / lines[index].seconds / 1e9
        }
        if let update { lines.append(Row(phase: "update", operation: "optimizer", module: "", seconds: update)) }
        return lines
    }

    /// All lines of a phase and operation together, the longest first.
    private var sums: [Row] {
        var sums: [String: (row: Row, operations: Double)] = [:]
        for line in lines {
            let key = "\(line.phase) \(line.operation)"
            var (row, operations) =
                sums[key] ?? (Row(phase: line.phase, operation: line.operation, module: "", seconds: 0), 0)
            row.seconds += line.seconds
            operations += (line.gigaflops ?? 0) * line.seconds * 1e9
            if operations > 0 { row.gigaflops = operations / row.seconds / 1e9 }
            sums[key] = (row, operations)
        }
        return sums.values.map(\.row).sorted { $0.seconds > $1.seconds }
    }

    func print(json: Bool) throws {
        if json { return try JSONOption.print(lines) }
        let total = lines.map(\.seconds).reduce(0, +)
        func table(_ rows: [Row]) -> String {
            var table = TextTable([
                ("phase", .left), ("operation", .left), ("module", .left), ("ms", .right), ("share", .right),
                ("GFLOP/s", .right),
            ])
            for row in rows {
                table.add([
                    row.phase, row.operation, row.module, String(format: "%.2f", row.seconds * 1e3),
                    String(format: "%.1f %%", 100 * row.seconds / total),
                    row.gigaflops.map { String(format: "%.0f", $0) } ?? "",
                ])
            }
            return table.render()
        }
        llmbench.print(table(lines.filter { $0.seconds >= 0.002 * total }))
        llmbench.print("lines of less than 0.2 % left out; all operations of a kind together:\n")
        llmbench.print(table(sums))
        llmbench.print(String(format: "all together %.1f ms", total * 1e3))
    }
}
