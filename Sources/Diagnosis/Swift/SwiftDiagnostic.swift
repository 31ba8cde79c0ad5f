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
    /// The message behind `Fatal error: `, as the program gave it.
    static func fatalError(in lines: [String]) -> String? {
        guard let start = lines.lastIndex(where: { isFatal($0) }), let range = lines[start].firstRange(of: mark) else {
            return nil
        }
        var message = [String(lines[start][range.upperBound...])]
        for line in lines[(start + 1)...].prefix(20) {
            if line.isEmpty || line.hasPrefix("*** ") || line.hasPrefix("💣") { break }
            message.append(line)
        }
        let text = message.joined(separator: "\n")
        let raised = "Error raised at top level: "
        return text.hasPrefix(raised) ? String(text.dropFirst(raised.count)) : text
    }

    private static let mark = "Fatal error: "

    /// `Swift/ContiguousArrayBuffer.swift:692: Fatal error: …`, `pipeline/main.swift:4: Fatal error: …`, or the words alone.
    private static func isFatal(_ line: String) -> Bool {
        guard let range = line.firstRange(of: mark) else { return false }
        let before = line[..<range.lowerBound]
        return before.isEmpty || before.hasSuffix(".swift:") || before.hasSuffix(": ") && before.contains(".swift:")
    }

    static func hasCrash(_ lines: [String]) -> Bool { lines.contains { isCrash($0) } }

    private static func isCrash(_ line: String) -> Bool {
        line.hasPrefix("*** Program crashed: ") || line.hasPrefix("*** Signal ")
    }

    /// Where the report begins: the message of the trap, else the first line of the backtracer.
    static func firstLine(in lines: [String]) -> Int? {
        let crash = lines.firstIndex { isCrash($0) }
        return lines[..<(crash ?? lines.count)].lastIndex { isFatal($0) } ?? crash
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
