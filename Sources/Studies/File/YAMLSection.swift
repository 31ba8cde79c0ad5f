import Endpoints
import Foundation
import Yams

/// A mapping of a study file, read key by key; what is wrong goes to a list of problems.
struct YAMLSection {
    let node: Node
    /// How messages call it.
    let name: String

    var line: Int { node.mark?.line ?? 1 }

    init(node: Node, name: String) {
        self.node = node
        self.name = name
    }

    func node(_ key: String) -> Node? { node.mapping?[key] }

    /// The line of a key's value, or where the section begins.
    func line(_ key: String) -> Int {
        let found = node.mapping?.first { $0.key.string == key }
        return found?.key.mark?.line ?? line
    }

    func checkKeys(_ known: [String], _ problems: inout ProblemList) {
        for (key, _) in node.mapping ?? [:] {
            let word = key.string ?? ""
            guard !known.contains(word), !YAMLText.isDuplicate(word) else { continue }
            problems.add(
                key.mark?.line ?? line,
                "there is no key '\(word)' in \(name)" + ProblemList.choice(for: word, among: known))
        }
    }

    private func missing(_ key: String, _ problems: inout ProblemList) {
        problems.add(line, "\(name) has no '\(key)'")
    }

    func text(_ key: String, required: Bool = false, _ problems: inout ProblemList) -> String? {
        guard let node = node(key) else {
            if required { missing(key, &problems) }
            return nil
        }
        guard let text = node.scalar?.string.trimmingCharacters(in: .whitespaces), !text.isEmpty else {
            problems.add(line(key), "'\(key)' is a text")
            return nil
        }
        return text
    }

    func integer(_ key: String, _ range: ClosedRange<Int>, _ problems: inout ProblemList) -> Int? {
        guard let node = node(key) else { return nil }
        guard let value = node.int, range.contains(value) else {
            problems.add(
                line(key), "'\(key)' is a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    func number(_ key: String, from minimum: Double, _ problems: inout ProblemList) -> Double? {
        guard let node = node(key) else { return nil }
        guard let value = node.float, value.isFinite, value >= minimum else {
            problems.add(line(key), "'\(key)' is a number from \(Int(minimum)) on")
            return nil
        }
        return value
    }

    func flag(_ key: String, _ problems: inout ProblemList) -> Bool? {
        guard let node = node(key) else { return nil }
        guard let value = node.bool else {
            problems.add(line(key), "'\(key)' is true or false")
            return nil
        }
        return value
    }

    func section(_ key: String, _ problems: inout ProblemList) -> YAMLSection? {
        guard let node = node(key) else { return nil }
        guard node.mapping != nil else {
            problems.add(line(key), "'\(key)' has keys and values below it")
            return nil
        }
        return YAMLSection(node: node, name: "'\(key)'")
    }

    func choice<Value: RawRepresentable & CaseIterable>(_ key: String, _ problems: inout ProblemList) -> Value?
    where Value.RawValue == String {
        guard let word = text(key, &problems) else { return nil }
        if let value = Value(rawValue: word) { return value }
        let known = Value.allCases.map(\.rawValue)
        problems.add(line(key), "'\(key)' cannot be '\(word)'" + ProblemList.choice(for: word, among: known))
        return nil
    }

    /// A list with something in it.
    func list(_ key: String, required: Bool = false, _ problems: inout ProblemList) -> [Node]? {
        guard let node = node(key) else {
            if required { missing(key, &problems) }
            return nil
        }
        guard let list = node.sequence else {
            problems.add(line(key), "'\(key)' is a list, such as [first, second]")
            return nil
        }
        guard !list.isEmpty else {
            problems.add(line(key), "the list '\(key)' is empty")
            return nil
        }
        return Array(list)
    }

    /// A list of texts, none twice.
    func names(
        _ key: String, required: Bool = false, _ problems: inout ProblemList
    ) -> [StudyFile.Named<String>]? {
        guard let nodes = list(key, required: required, &problems) else { return nil }
        var names: [StudyFile.Named<String>] = []
        for node in nodes {
            let line = node.mark?.line ?? self.line(key)
            guard let text = node.scalar?.string, !text.isEmpty else {
                problems.add(line, "an entry of '\(key)' is a text")
                continue
            }
            if names.contains(where: { $0.value == text }) {
                problems.add(line, "'\(text)' stands twice in '\(key)'")
            } else {
                names.append(StudyFile.Named(text, line: line))
            }
        }
        return names
    }
}
