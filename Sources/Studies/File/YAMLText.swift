import Foundation
import Yams

/// A YAML text as nodes with their lines. A key that stands twice is a problem like any other, not the end of reading.
struct YAMLText {
    let root: Node?

    /// Larger files are no study files.
    static let maximumBytes = 1 << 20
    /// Marks a key that stood twice while the rest is read.
    private static let duplicateMark = "__again"

    init(_ text: String, _ problems: inout ProblemList) {
        var lines = text.components(separatedBy: "\n")
        // Each turn takes one duplicate out; a file has fewer keys than lines.
        for _ in 0...lines.count {
            do {
                root = try Yams.compose(yaml: lines.joined(separator: "\n"))
                return
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                guard let name = names.first, Self.rename(name, after: context.mark, in: &lines, &problems) else {
                    problems.add(context.mark.line, "a key stands twice: \(names.joined(separator: ", "))")
                    break
                }
            } catch YamlError.scanner(_, let reason, let mark, _), YamlError.parser(_, let reason, let mark, _),
                YamlError.composer(_, let reason, let mark, _)
            {
                problems.add(mark.line, "this is no YAML: \(reason)")
                break
            } catch {
                problems.add(1, "this is no YAML")
                break
            }
        }
        root = nil
    }

    /// Whether a key is one that stood twice and was reported.
    static func isDuplicate(_ key: String) -> Bool { key.hasSuffix(duplicateMark) }

    /// Renames the next key of that name at the same indentation, so that the parser takes it for another.
    private static func rename(
        _ name: String, after mark: Mark, in lines: inout [String], _ problems: inout ProblemList
    ) -> Bool {
        for index in lines.indices where index >= mark.line {
            let line = lines[index]
            // "- key:" has its key in the same column as the keys below it.
            let body = line.drop { $0 == " " || $0 == "-" }
            guard line.count - body.count == mark.column - 1, body.hasPrefix(name) else { continue }
            let rest = body.dropFirst(name.count)
            guard rest.drop(while: { $0 == " " }).first == ":" else { continue }
            lines[index] = line.prefix(line.count - body.count) + name + duplicateMark + rest
            problems.add(
                index + 1, "the key '\(name)' stands twice, here and in line \(mark.line): keep one of the two")
            return true
        }
        return false
    }
}
