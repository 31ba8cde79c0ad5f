import Foundation
import Tables
import TestSupport
import Testing

@testable import Audit

@Suite("The audit of a table")
struct TableAuditTests {
    private func audit(_ text: String, values: [String] = [], groups: [String]? = nil) throws -> [AuditFinding] {
        let table = try AuditedTable(CSVTable(parsing: text), name: "t.csv", values: values, groups: groups)
        return TableAudit(table).report().findings
    }

    struct Planted: Sendable, CustomStringConvertible {
        var description: String
        var check: String
        var severity: AuditFinding.Severity
        var says: String
        var text: String
    }

    private static let sound = "model,dice\na,0.91\nb,0.84\nc,0.77\nd,0.52\n"
    private static let long = (0..<12).map { "x,\($0),0.\(100 + 37 * $0)\n" }.joined()

    static let planted: [Planted] = [
        .init(
            description: "a Dice above 1", check: "table-range", severity: .error,
            says: "1 of 5 values of 'dice' lie outside [0, 1], the first: 1.2", text: sound + "e,1.2\n"),
        .init(
            description: "a p above 1", check: "table-range", severity: .error, says: "1 of 2 values of 'p'",
            text: "test,p\na,0.03\nb,1.4\n"),
        .init(
            description: "percentages", check: "table-range", severity: .note, says: "seems to be in percent",
            text: "model,dice\na,91.5\nb,84.2\nc,77.0\n"),
        .init(
            description: "NaN", check: "table-numbers", severity: .error,
            says: "1 of 5 cells of 'dice' are NaN or infinite", text: sound + "e,nan\n"),
        .init(
            description: "a word", check: "table-numbers", severity: .warning, says: "1 of 5 cells of 'dice' are text",
            text: sound + "e,failed\n"),
        .init(
            description: "a gap", check: "table-numbers", severity: .note, says: "1 of 5 cells of 'dice' are empty",
            text: sound + "e,\n"),
        .init(
            description: "a constant", check: "table-constant", severity: .warning, says: "all 4 values are 0.5",
            text: "model,dice\na,0.5\nb,0.5\nc,0.5\nd,0.5\n"),
        .init(
            description: "a row twice", check: "table-rows", severity: .error, says: "the row stands there 2 times",
            text: sound + "a,0.91\n"),
        .init(
            description: "two models with one row", check: "table-rows", severity: .error,
            says: "its 5 numbers are those of line 4",
            text:
                "model,a,b,c,d,e\nx,0.11,0.52,0.93,0.34,0.25\ny,0.61,0.42,0.23,0.84,0.95\nz,0.11,0.52,0.93,0.34,0.25\n"
                + "w,0.71,0.12,0.53,0.94,0.65\nv,0.31,0.82,0.73,0.14,0.45\n"),
        .init(
            description: "a group copied over another", check: "table-lists", severity: .error,
            says: "its 12 values are those of y", text: "g,i,dice\n" + long + long.replacing("x,", with: "y,")),
        .init(
            description: "a block copied from another group", check: "table-lists", severity: .error,
            says: "6 values in a row (0.211 to 0.396) are those of y",
            text: "g,i,dice\n" + long
                + (0..<12).map { "y,\($0),0.\((3..<9).contains($0) ? 100 + 37 * $0 : 505 + 41 * $0)\n" }.joined()),
        .init(
            description: "one list of five in another order", check: "table-order", severity: .note,
            says: "its 3 values are not sorted",
            text: "g,dice\n"
                + ["a", "b", "c", "d"].enumerated().map { "\($1),0.9\($0)\n\($1),0.5\($0)\n\($1),0.1\($0)\n" }.joined()
                + "e,0.64\ne,0.95\ne,0.21\n"),
        .init(
            description: "a median above the upper quartile", check: "table-summary", severity: .error,
            says: "'median_2024' is 0.95, above 'q3_2024', which is 0.9",
            text: "d,q1_2024,median_2024,q3_2024\na,0.5,0.7,0.8\nb,0.6,0.95,0.9\n"),
        .init(
            description: "a median that does not follow", check: "table-summary", severity: .error,
            says: "the median is given as 0.80; that of its 3 values of 'dice' is 0.7",
            text: "g,dice,median\na,0.6,0.80\na,0.7,0.80\na,0.9,0.80\nb,0.1,0.2\nb,0.2,0.2\nb,0.3,0.2\n"),
        .init(
            description: "a U beyond its range", check: "table-rank-test", severity: .error,
            says: "U = 90 is impossible for 8 against 11", text: "n1,n2,U,p\n8,11,90,0.01\n8,11,65,0.0454\n"),
        .init(
            description: "a p that its U cannot have", check: "table-rank-test", severity: .error,
            says: "U = 57 with 8 against 11 cannot have p = 0.014: one-sided it is 0.155",
            text: "n1,n2,U,p\n8,11,57,0.014\n8,11,65,0.0454\n"),
    ]

    @Test("finds a planted fault, and errors or warnings of no other kind", arguments: planted)
    func faults(fault: Planted) throws {
        let found = try audit(fault.text, groups: fault.text.hasPrefix("g,") ? ["g"] : nil)
        let wanted = found.filter { $0.check == fault.check }
        #expect(wanted.count == 1 && wanted[0].severity == fault.severity, "\(found)")
        #expect(wanted.first?.what.contains(fault.says) == true, "\(found)")
        #expect(found.allSatisfy { $0.check == fault.check || $0.severity == .note }, "\(found)")
    }

    @Test("has nothing to say of random tables")
    func clean() throws {
        let seed = Trials.seed("random tables")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let digits = Int.random(in: 3...6, using: &random)
            var text = "group,model,dice,time\n"
            for group in 0..<Int.random(in: 2...6, using: &random) {
                for model in 0..<Int.random(in: 3...20, using: &random) {
                    let dice = Double.random(in: 0...1, using: &random)
                    text +=
                        "g\(group),m\(model),\(String(format: "%.\(digits)f", dice)),\(Double.random(in: 1...900, using: &random))\n"
                }
            }
            let found = try audit(text).filter { $0.severity != .note }
            #expect(found.isEmpty, "LLMBENCH_TEST_SEED=\(seed): \(found)")
        }
    }

    @Test("A table that cannot be audited says why")
    func refusals() {
        #expect(throws: AuditedTableError.noRows("t.csv")) { try audit("a,b\n") }
        #expect(throws: AuditedTableError.noNumbers(column: nil, file: "t.csv")) { try audit("a,b\nx,y\n") }
        #expect(throws: AuditedTableError.noNumbers(column: "a", file: "t.csv")) {
            try audit("a,b\nx,1\n", values: ["a"])
        }
        #expect(throws: CSVError.noColumn("c", ["a", "b"])) { try audit("a,b\nx,1\n", values: ["c"]) }
        #expect(throws: CSVError.noColumn("c", ["a", "b"])) { try audit("a,b\nx,1\n", groups: ["c"]) }
    }
}
