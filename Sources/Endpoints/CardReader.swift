import Foundation
import Yams

/// Reads one entry of `models.yaml` and says in which line it is wrong.
struct CardReader {
    let file: String
    let node: Node

    /// Where the entry begins, from 1.
    var line: Int { node.mark?.line ?? 1 }

    func invalid(_ key: String, _ reason: String) -> ModelRegistryError {
        .invalid(file: file, line: node.mapping?[key]?.mark?.line ?? line, reason: reason)
    }

    /// - Throws: `ModelRegistryError.invalid`.
    func card() throws(ModelRegistryError) -> ModelCard {
        guard let mapping = node.mapping else {
            throw .invalid(file: file, line: line, reason: "an entry is no list of keys and values")
        }
        try checkKeys(of: mapping, among: ModelCard.CodingKeys.allCases.map(\.rawValue))
        let id = try required("id")
        guard ModelCard.isSlug(id) else {
            throw invalid("id", "the id '\(id)' cannot name a folder; '\(ModelCard.slug(of: id))' could")
        }
        guard let provider = ModelCard.Provider(rawValue: try required("provider")) else {
            throw invalid("provider", "a provider is one of openai, manual, replay")
        }
        var card = ModelCard(
            id: id, name: try required("name"), vendor: try required("vendor"), provider: provider)
        card.baseURL = try text("base_url")
        card.model = try text("model")
        card.apiKeyVariable = try text("api_key_env")
        card.cohort = try integer("cohort", 1950...2200)
        card.reasoning = try flag("reasoning")
        card.openWeights = try flag("open_weights")
        card.contextTokens = try integer("context_tokens", 1...1_000_000_000)
        card.maximumOutputTokens = try integer("max_output_tokens", 1...1_000_000_000)
        card.recording = try text("recording")
        card.fixture = try flag("fixture") ?? false
        card.temperatureSupported = try flag("temperature") ?? true
        card.seedSupported = try flag("seed") ?? true
        card.streamUsageSupported = try flag("stream_usage") ?? true
        card.imagesSupported = try flag("images") ?? false
        card.maximumTokensField = try text("max_tokens_field")
        card.note = try text("note")
        card.tags = try tags()
        card.price = try price()
        card.request = try extraFields()
        try checkProvider(card)
        return card
    }

    private func checkKeys(of mapping: Node.Mapping, among known: [String]) throws(ModelRegistryError) {
        for (key, _) in mapping {
            let name = key.string ?? ""
            guard known.contains(name) else {
                let near = NearestNames.suggestions(for: name, among: known)
                throw .invalid(
                    file: file, line: key.mark?.line ?? line,
                    reason: "there is no key '\(name)'"
                        + (near.isEmpty ? "" : "; did you mean \(near.joined(separator: ", "))?"))
            }
        }
    }

    /// What a provider needs, and what would have no meaning.
    private func checkProvider(_ card: ModelCard) throws(ModelRegistryError) {
        switch card.provider {
        case .openai:
            guard let base = card.baseURL else {
                throw .invalid(file: file, line: line, reason: "\(card.id) has provider openai and no base_url")
            }
            let address: EndpointAddress
            do { address = try EndpointAddress(base: base) } catch { throw invalid("base_url", error.description) }
            guard card.apiKeyVariable == nil || address.keepsSecrets else {
                throw invalid("base_url", EndpointError.addressUnencrypted(address: address.shown).description)
            }
        case .replay:
            guard let recording = card.recording else {
                throw .invalid(file: file, line: line, reason: "\(card.id) has provider replay and no recording")
            }
            guard !recording.hasPrefix("/"), !recording.split(separator: "/").contains("..") else {
                throw invalid("recording", "a recording lies inside the workspace and is named relative to it")
            }
        case .manual: break
        }
        if let variable = card.apiKeyVariable {
            let isName =
                variable.first?.isNumber == false
                && variable.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            // A key pasted here by mistake must not be repeated in a message.
            guard isName, variable.count <= 64, !variable.contains(where: \.isLowercase) else {
                throw invalid(
                    "api_key_env",
                    "api_key_env names an environment variable in capital letters; the key itself never stands here")
            }
        }
        if let field = card.maximumTokensField, field != "max_tokens", field != "max_completion_tokens" {
            throw invalid("max_tokens_field", "max_tokens_field is max_tokens or max_completion_tokens")
        }
    }

    private func price() throws(ModelRegistryError) -> ModelCard.Price? {
        guard let node = node.mapping?["price"] else { return nil }
        guard let mapping = node.mapping else { throw invalid("price", "a price has keys and values") }
        try checkKeys(of: mapping, among: ["input_per_million", "output_per_million", "date", "source"])
        let reader = CardReader(file: file, node: node)
        guard let input = try reader.number("input_per_million"), let output = try reader.number("output_per_million"),
            input >= 0, output >= 0
        else { throw invalid("price", "a price needs input_per_million and output_per_million, in US dollars") }
        guard let date = try reader.text("date"), let source = try reader.text("source") else {
            throw invalid("price", "a price needs the date it is of and its source")
        }
        return .init(inputPerMillion: input, outputPerMillion: output, date: date, source: source)
    }

    private func extraFields() throws(ModelRegistryError) -> [String: JSONValue] {
        guard let node = node.mapping?["request"] else { return [:] }
        guard let mapping = node.mapping else { throw invalid("request", "request has keys and values") }
        var fields: [String: JSONValue] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            guard !["model", "messages", "stream", "stream_options"].contains(name) else {
                throw .invalid(file: file, line: key.mark?.line ?? line, reason: "'\(name)' is set by llmbench itself")
            }
            fields[name] = Self.json(value)
        }
        return fields
    }

    private static func json(_ node: Node) -> JSONValue {
        if let mapping = node.mapping {
            return .object(Dictionary(mapping.map { ($0.key.string ?? "", json($0.value)) }, uniquingKeysWith: { $1 }))
        }
        if let list = node.sequence { return .list(list.map(json)) }
        if node.null != nil { return .null }
        if let bool = node.bool { return .bool(bool) }
        if let integer = node.int { return .integer(integer) }
        if let number = node.float { return .number(number) }
        return .text(node.string ?? "")
    }

    private func tags() throws(ModelRegistryError) -> [String] {
        guard let node = node.mapping?["tags"] else { return [] }
        let tags = (node.sequence ?? []).compactMap { $0.scalar?.string }
        guard let count = node.sequence?.count, count > 0, tags.count == count, tags.allSatisfy(ModelCard.isSlug) else {
            throw invalid(
                "tags", "tags is a list of names in small letters, digits, '.', '-' and '_', such as [published]")
        }
        return tags
    }

    private func required(_ key: String) throws(ModelRegistryError) -> String {
        guard let value = try text(key) else {
            throw .invalid(file: file, line: line, reason: "an entry has no '\(key)'")
        }
        return value
    }

    private func text(_ key: String) throws(ModelRegistryError) -> String? {
        guard let node = node.mapping?[key] else { return nil }
        guard let text = node.scalar?.string, !text.isEmpty else { throw invalid(key, "'\(key)' is a text") }
        return text
    }

    private func flag(_ key: String) throws(ModelRegistryError) -> Bool? {
        guard let node = node.mapping?[key] else { return nil }
        guard let value = node.bool else { throw invalid(key, "'\(key)' is true or false") }
        return value
    }

    private func integer(_ key: String, _ range: ClosedRange<Int>) throws(ModelRegistryError) -> Int? {
        guard let node = node.mapping?[key] else { return nil }
        guard let value = node.int, range.contains(value) else {
            throw invalid(key, "'\(key)' is a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private func number(_ key: String) throws(ModelRegistryError) -> Double? {
        guard let node = node.mapping?[key] else { return nil }
        guard let value = node.float, value.isFinite else { throw invalid(key, "'\(key)' is a number") }
        return value
    }
}
