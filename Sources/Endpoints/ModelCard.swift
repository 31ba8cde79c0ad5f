import Foundation

/// What is known about one model: who made it, how it is reached, what it costs.
public struct ModelCard: Sendable, Hashable, Codable {
    public enum Provider: String, Sendable, Hashable, Codable, CaseIterable {
        /// Chat completions in OpenAI's wire format.
        case openai
        /// A chat window and a person.
        case manual
        /// A recording.
        case replay
    }

    /// US dollars for a million tokens, with where and when that was read.
    public struct Price: Sendable, Hashable, Codable {
        public var inputPerMillion: Double
        public var outputPerMillion: Double
        public var date: String
        public var source: String

        public init(inputPerMillion: Double, outputPerMillion: Double, date: String, source: String) {
            self.inputPerMillion = inputPerMillion
            self.outputPerMillion = outputPerMillion
            self.date = date
            self.source = source
        }

        enum CodingKeys: String, CodingKey {
            case inputPerMillion = "input_per_million"
            case outputPerMillion = "output_per_million"
            case date, source
        }
    }

    /// Names the model on the command line and in paths: path-safe and unique.
    public var id: String
    public var name: String
    public var vendor: String
    public var provider: Provider
    public var baseURL: String?
    /// The model's name at its endpoint.
    public var model: String?
    /// The environment variable that holds the key.
    public var apiKeyVariable: String?
    /// The year of the cohort that a study compares it in.
    public var cohort: Int?
    public var reasoning: Bool?
    public var openWeights: Bool?
    public var price: Price?
    public var contextTokens: Int?
    /// Sent as the limit of one reply.
    public var maximumOutputTokens: Int?
    /// Relative to the workspace.
    public var recording: String?
    /// Written by hand for this project: figures from it say nothing about any model.
    public var fixture: Bool
    public var temperatureSupported: Bool
    /// Whether the endpoint takes `seed`.
    public var seedSupported: Bool
    /// Whether the endpoint takes `stream_options`.
    public var streamUsageSupported: Bool
    /// Whether the model sees pictures.
    public var imagesSupported: Bool
    public var maximumTokensField: String?
    /// Further fields of every request.
    public var request: [String: JSONValue]
    public var note: String?
    /// Names of groups that a study file picks models by.
    public var tags: [String]

    public init(id: String, name: String, vendor: String, provider: Provider) {
        self.id = id
        self.name = name
        self.vendor = vendor
        self.provider = provider
        fixture = false
        temperatureSupported = true
        seedSupported = true
        streamUsageSupported = true
        imagesSupported = false
        request = [:]
        tags = []
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id, name, vendor, provider, model, cohort, reasoning, price, recording, fixture, request, note, tags
        case baseURL = "base_url"
        case apiKeyVariable = "api_key_env"
        case openWeights = "open_weights"
        case contextTokens = "context_tokens"
        case maximumOutputTokens = "max_output_tokens"
        case temperatureSupported = "temperature"
        case seedSupported = "seed"
        case streamUsageSupported = "stream_usage"
        case imagesSupported = "images"
        case maximumTokensField = "max_tokens_field"
    }

    /// The folder name of its runs.
    public var slug: String { id }

    /// US dollars for what was used; nil where the price is not known. Reasoning tokens are part of the output.
    public func cost(of usage: TokenUsage) -> Double? {
        price.map { (Double(usage.input) * $0.inputPerMillion + Double(usage.output) * $0.outputPerMillion) / 1e6 }
    }

    /// US dollars for an exchange whose usage never came, such as one that was cut; nil where the price is not known.
    public func estimatedCost(of request: ChatRequest, receivedCharacters: Int) -> Double? {
        cost(of: Self.estimatedUsage(of: request, receivedCharacters: receivedCharacters))
    }

    /// Tokens estimated from lengths, at four characters a token and four tokens around each message, and from the sizes of pictures.
    /// English and code lie between three and five; an estimate for money, not for a limit.
    public static func estimatedUsage(of request: ChatRequest, receivedCharacters: Int) -> TokenUsage {
        let input = request.messages.reduce(0) { sum, message in
            sum + 4 + (message.content.utf8.count + 3) / 4 + message.images.reduce(0) { $0 + $1.estimatedTokens }
        }
        return TokenUsage(input: input, output: (receivedCharacters + 3) / 4)
    }
}
