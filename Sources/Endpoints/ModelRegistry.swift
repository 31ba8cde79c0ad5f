import Foundation
import Yams

/// Why `models.yaml` cannot be used, or knows no such model.
public enum ModelRegistryError: Error, Sendable, Hashable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    case invalid(file: String, line: Int, reason: String)
    case unknownModel(name: String, suggestions: [String], file: String)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file) cannot be read: \(reason)"
        case .invalid(let file, let line, let reason): "\(file), line \(line): \(reason)"
        case .unknownModel(let name, let suggestions, let file):
            suggestions.isEmpty
                ? "there is no model '\(name)' in \(file): `llmbench models list` shows them all"
                : "there is no model '\(name)' in \(file): did you mean \(suggestions.joined(separator: ", "))?"
        }
    }
}

/// The model cards of a workspace, in the order of `models.yaml`.
public struct ModelRegistry: Sendable {
    public let cards: [ModelCard]
    private let file: String

    /// Larger files hold no model cards.
    static let maximumBytes = 4 << 20

    /// - Throws: `ModelRegistryError`, with the line of what is wrong. Cost: linear in the file.
    public static func load(_ url: URL) throws(ModelRegistryError) -> ModelRegistry {
        guard let data = try? Data(contentsOf: url) else {
            throw .unreadable(file: url.path, reason: "there is no readable file of that name")
        }
        guard data.count <= maximumBytes, let text = String(data: data, encoding: .utf8) else {
            throw .unreadable(file: url.path, reason: "it is no UTF-8 text of at most \(maximumBytes >> 20) MiB")
        }
        return try ModelRegistry(yaml: text, file: url.lastPathComponent)
    }

    /// - Throws: `ModelRegistryError`.
    public init(yaml: String, file: String = "models.yaml") throws(ModelRegistryError) {
        self.file = file
        let root: Node?
        do { root = try Yams.compose(yaml: yaml) } catch let error as YamlError {
            throw Self.invalid(error, file: file)
        } catch {
            throw .unreadable(file: file, reason: "it is no YAML")
        }
        guard let top = root?.mapping, let list = top["models"]?.sequence else {
            throw .invalid(file: file, line: 1, reason: "a list 'models' is missing")
        }
        guard let schema = top["schema"] else {
            throw .invalid(file: file, line: 1, reason: "'schema: 1' is missing")
        }
        guard schema.int == 1 else {
            throw .invalid(
                file: file, line: schema.mark?.line ?? 1,
                reason: "its schema is \(schema.string ?? "no number"); this version of llmbench reads schema 1")
        }
        var cards: [ModelCard] = []
        var lines: [String: Int] = [:]
        for node in list {
            let reader = CardReader(file: file, node: node)
            let card = try reader.card()
            if let first = lines[card.id.lowercased()] {
                throw reader.invalid("id", "'\(card.id)' is taken by the model in line \(first)")
            }
            lines[card.id.lowercased()] = reader.line
            cards.append(card)
        }
        self.cards = cards
    }

    /// - Throws: `ModelRegistryError.unknownModel`, with the nearest names.
    public func card(_ id: String) throws(ModelRegistryError) -> ModelCard {
        if let card = cards.first(where: { $0.id == id }) { return card }
        throw .unknownModel(
            name: id, suggestions: NearestNames.suggestions(for: id, among: cards.map(\.id)), file: file)
    }

    private static func invalid(_ error: YamlError, file: String) -> ModelRegistryError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return .invalid(file: file, line: mark.line, reason: problem)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.map { "\($0)" }.sorted().joined(separator: ", ")
            return .invalid(file: file, line: context.mark.line, reason: "a key stands twice: \(keys)")
        default: return .unreadable(file: file, reason: "it is no YAML")
        }
    }
}

extension ModelCard {
    /// Small letters, digits, `.`, `-` and `_`, beginning with a letter or digit, at most 64: safe as a folder's name.
    public static func isSlug(_ text: String) -> Bool {
        guard let first = text.first, first.isLetter || first.isNumber, text.count <= 64 else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || ".-_".contains($0)) }
            && !text.contains("..") && text.last != "."
    }

    /// The nearest slug to a name: `meta-llama/Llama 3.1` gives `meta-llama-llama-3.1`.
    public static func slug(of name: String) -> String {
        var slug = ""
        for character in name.lowercased() {
            let kept = character.isASCII && (character.isLetter || character.isNumber || "._".contains(character))
            if kept {
                slug.append(character)
            } else if let last = slug.last, last != "-" {
                slug.append("-")
            }
        }
        while let last = slug.last, last == "-" || last == "." { slug.removeLast() }
        while let first = slug.first, !first.isLetter && !first.isNumber { slug.removeFirst() }
        slug = slug.replacing("..", with: ".")
        return String(slug.prefix(64))
    }
}
