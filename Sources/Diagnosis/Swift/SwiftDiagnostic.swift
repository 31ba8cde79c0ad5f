import Foundation

/// One line of a Swift compiler: `/code/Model.swift:12:9: error: cannot find 'Conv' in scope`.
struct SwiftDiagnostic: Hashable {
    var path: String
    var line: Int
    var column: Int
    var isError: Bool
    var message: String

    /// All errors and warnings that bear a place, in the order in which they were printed, each once.
    static func all(in lines: [String]) -> [SwiftDiagnostic] {
        var seen: Set<SwiftDiagnostic> = []
        return lines.compactMap(read).filter { seen.insert($0).inserted }
    }

    private static func read(_ line: String) -> SwiftDiagnostic? {
        // No line worth reading is longer.
        guard line.utf8.count <= 4096 else { return nil }
        for (mark, isError) in [(": error: ", true), (": warning: ", false)] {
            guard let range = line.firstRange(of: mark) else { continue }
            let parts = line[..<range.lowerBound].split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count >= 3, let column = Int(parts[parts.count - 1]), let number = Int(parts[parts.count - 2])
            else { continue }
            let path = parts.dropLast(2).joined(separator: ":")
            guard path.hasPrefix("/"), path.hasSuffix(".swift") else { continue }
            return SwiftDiagnostic(
                path: path, line: number, column: column, isError: isError, message: String(line[range.upperBound...]))
        }
        return nil
    }
}

/// What the runtime of Swift prints when a program traps, and its backtracer after it.
enum SwiftBacktrace {
    /// The message of what ended a program, as the program or the runtime gave it: behind `Fatal error: `, `Precondition failed: ` or
    /// `Assertion failed: `, else what the backtracer calls it (`arithmetic overflow`, `Bad pointer dereference`).
    static func failure(in lines: [String]) -> String? {
        guard let start = lines.lastIndex(where: { said(in: $0) != nil }), let first = said(in: lines[start]) else {
            return lines.lazy.compactMap(named).first
        }
        var message = [String(first)]
        for line in lines[(start + 1)...].prefix(20) {
            if line.isEmpty || line.hasPrefix("*** ") || line.hasPrefix("swift-runtime: ") { break }
            message.append(line)
        }
        let text = message.joined(separator: "\n")
        let raised = "Error raised at top level: "
        return text.hasPrefix(raised) ? String(text.dropFirst(raised.count)) : text
    }

    private static let marks = ["Fatal error: ", "Precondition failed: ", "Assertion failed: "]

    /// `Swift/ContiguousArrayBuffer.swift:692: Fatal error: …`, `pipeline/main.swift:4: Fatal error: …`, or the words alone. Without
    /// a message of its own, `Fatal error` is all there is.
    private static func said(in line: String) -> Substring? {
        for mark in marks {
            guard
                let range = line.firstRange(of: mark)
                    ?? (line.hasSuffix(mark.dropLast(2)) ? line.range(of: mark.dropLast(2)) : nil)
            else { continue }
            let before = line[..<range.lowerBound]
            guard before.isEmpty || (before.hasSuffix(": ") && before.contains(".swift:")) else { continue }
            let rest = line[range.upperBound...]
            return rest.isEmpty ? line[range] : rest
        }
        return nil
    }

    /// `*** Swift runtime failure: arithmetic overflow ***`, `*** Program crashed: Bad pointer dereference at 0x… ***`
    private static func named(_ line: String) -> String? {
        guard line.hasPrefix("*** "), line.hasSuffix(" ***") else { return nil }
        let text = line.dropFirst(4).dropLast(4)
        for mark in ["Swift runtime failure: ", "Program crashed: "] where text.hasPrefix(mark) {
            let cause = text.dropFirst(mark.count)
            return String(cause.firstRange(of: " at 0x").map { cause[..<$0.lowerBound] } ?? cause)
        }
        return nil
    }

    private static func isCrash(_ line: String) -> Bool {
        line.hasPrefix("*** Program crashed: ") || line.hasPrefix("*** Signal ")
            || line.hasPrefix("*** Swift runtime failure: ")
    }

    /// Where the report begins: the message of the trap, else the first line of the backtracer.
    static func firstLine(in lines: [String]) -> Int? {
        let crash = lines.firstIndex { isCrash($0) }
        return lines[..<(crash ?? lines.count)].lastIndex { said(in: $0) != nil } ?? crash
    }

    /// The first frame inside the generated files: `4 [ra] 0x… Trainer.pick(_:) + 64 in pipeline at /code/Train.swift:4:44`.
    static func innermost(in lines: [String], below root: String) -> ErrorReport.Frame? {
        guard let crash = lines.lastIndex(where: { isCrash($0) }) else { return nil }
        for line in lines[crash...] {
            guard let place = line.range(of: " at " + root, options: .backwards) else { continue }
            let parts = line[place.upperBound...].split(separator: ":")
            guard parts.count >= 2, let number = Int(parts[1].prefix { $0.isNumber }) else { continue }
            return ErrorReport.Frame(
                file: String(parts[0]), line: number, function: function(line[..<place.lowerBound]))
        }
        return nil
    }

    /// The name between the address and ` + 64 in pipeline` (or ` in pipeline` for an inlined frame).
    private static func function(_ head: Substring) -> String? {
        guard let image = head.range(of: " in ", options: .backwards) else { return nil }
        var name = head[..<image.lowerBound]
        if let address = name.firstRange(of: "0x") {
            name = name[address.upperBound...].drop { $0.isHexDigit }
        } else {
            name = name.drop { $0 == " " || $0.isNumber }
        }
        if let offset = name.range(of: " + ", options: .backwards), name[offset.upperBound...].allSatisfy(\.isNumber) {
            name = name[..<offset.lowerBound]
        }
        let text = name.trimmingCharacters(in: .whitespaces)
        return text.isEmpty ? nil : text
    }
}
