import ArgumentParser
import Endpoints
import Foundation

struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "The language models that models.yaml describes.",
        discussion: """
            Examples:
              llmbench models list
              llmbench models show smollm2-135m
              llmbench models list --json
            """,
        subcommands: [List.self, Show.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "All models, one a line.", discussion: "Example: llmbench models list")

        @OptionGroup var workspace: WorkspaceOptions
        @OptionGroup var output: JSONOption

        func run() async throws {
            let cards = try ModelsCommand.registry(workspace).cards
            if output.json { return try JSONOption.print(cards.map(CardSummary.init)) }
            var table = TextTable([
                ("model", .left), ("vendor", .left), ("provider", .left), ("cohort", .right), ("reasoning", .left),
                ("weights", .left), ("$/M in", .right), ("$/M out", .right), ("key", .left),
            ])
            for card in cards { table.add(Self.row(card)) }
            print(table.render())
        }

        private static func row(_ card: ModelCard) -> [String] {
            func word(_ flag: Bool?, _ yes: String, _ no: String) -> String { flag.map { $0 ? yes : no } ?? "" }
            return [
                card.id, card.vendor, card.fixture ? "fixture" : card.provider.rawValue,
                card.cohort.map(String.init) ?? "",
                word(card.reasoning, "yes", "no"), word(card.openWeights, "open", "closed"),
                card.price.map { "\($0.inputPerMillion)" } ?? "", card.price.map { "\($0.outputPerMillion)" } ?? "",
                CardSummary(card).key ?? "",
            ]
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Everything that is known about one model.", discussion: "Example: llmbench models show gpt-4o")

        @Argument(help: "The model's id, as `llmbench models list` shows it.")
        var model: String
        @OptionGroup var workspace: WorkspaceOptions
        @OptionGroup var output: JSONOption

        func run() async throws {
            let card: ModelCard
            do { card = try ModelsCommand.registry(workspace).card(model) } catch let error as ModelRegistryError {
                throw CommandFailure.usage(error.description)
            }
            if output.json { return try JSONOption.print(CardSummary(card)) }
            for (name, value) in Self.facts(card) where !value.isEmpty {
                print(name + String(repeating: " ", count: 16 - name.count) + value)
            }
        }

        private static func facts(_ card: ModelCard) -> [(String, String)] {
            func word(_ flag: Bool?) -> String { flag.map { $0 ? "yes" : "no" } ?? "" }
            return [
                ("model", card.id), ("name", card.name), ("vendor", card.vendor),
                (
                    "provider",
                    card.provider.rawValue + (card.fixture ? " (a fixture: it says nothing about any model)" : "")
                ),
                ("address", card.baseURL ?? ""), ("known there as", card.provider == .openai ? card.requestModel : ""),
                ("key", card.apiKeyVariable.map { "\($0) (\(CardSummary(card).key ?? ""))" } ?? ""),
                ("recording", card.recording ?? ""), ("cohort", card.cohort.map(String.init) ?? ""),
                ("reasoning", word(card.reasoning)), ("open weights", word(card.openWeights)),
                ("context", card.contextTokens.map { "\($0) tokens" } ?? ""),
                ("pictures", card.imagesSupported ? "yes" : ""),
                ("longest reply", card.maximumOutputTokens.map { "\($0) tokens" } ?? ""),
                (
                    "price",
                    card.price.map {
                        "$\($0.inputPerMillion) in, $\($0.outputPerMillion) out for a million tokens (\($0.source), \($0.date))"
                    } ?? ""
                ), ("note", card.note ?? ""),
            ]
        }
    }

    static func registry(_ options: WorkspaceOptions) throws -> ModelRegistry {
        do { return try ModelRegistry.load(try options.resolve().models) } catch let error as ModelRegistryError {
            throw CommandFailure.usage(error.description)
        }
    }
}

/// A card with what this machine adds to it: whether the key's variable is set, never its value.
private struct CardSummary: Encodable {
    let card: ModelCard
    /// `set`, `missing`, or nil where no key is needed.
    let key: String?

    private enum Keys: String, CodingKey { case key }

    init(_ card: ModelCard) {
        self.card = card
        key = card.apiKeyVariable.map { variable in
            (ProcessInfo.processInfo.environment[variable] ?? "").isEmpty ? "missing" : "set"
        }
    }

    func encode(to encoder: any Encoder) throws {
        try card.encode(to: encoder)
        var values = encoder.container(keyedBy: Keys.self)
        try values.encodeIfPresent(key, forKey: .key)
    }
}
