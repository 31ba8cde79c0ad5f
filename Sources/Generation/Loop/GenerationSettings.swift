import Foundation
import ResultStore

/// What a run needs to know beside its record.
public struct GenerationSettings: Sendable {
    /// US dollars a million tokens.
    public struct Prices: Sendable, Hashable {
        public var input: Double
        public var output: Double

        public init(input: Double, output: Double) {
            self.input = input
            self.output = output
        }

        func cost(input tokensIn: Int, output tokensOut: Int) -> Double {
            (Double(tokensIn) * input + Double(tokensOut) * output) / 1e6
        }
    }

    /// The prompt, slots filled.
    public var prompt: String
    /// What was said before the prompt, where a run goes on from another.
    public var continuation: Continuation?
    public var systemPrompt: String?
    public var temperature: Double?
    public var maxOutputTokens: Int?
    public var seed: Int?
    /// Tokens that the model can hold, replies included; nil where the card does not say.
    public var contextTokens: Int?
    public var prices: Prices?
    public var expectedFiles: [String]

    public init(
        prompt: String, continuation: Continuation? = nil, systemPrompt: String? = nil, temperature: Double? = nil,
        maxOutputTokens: Int? = nil,
        seed: Int? = nil, contextTokens: Int? = nil, prices: Prices? = nil,
        expectedFiles: [String] = ["dataset.py", "model.py", "train.py", "main.py"]
    ) {
        self.prompt = prompt
        self.continuation = continuation
        self.systemPrompt = systemPrompt
        self.temperature = temperature
        self.maxOutputTokens = maxOutputTokens
        self.seed = seed
        self.contextTokens = contextTokens
        self.prices = prices
        self.expectedFiles = expectedFiles
    }
}

/// What happens while a run goes on, for the terminal.
public enum GenerationEvent: Sendable {
    /// The run is at its end already.
    case alreadyEnded(RunRecord)
    /// A request leaves; `feedback` says what it answers.
    case asking(round: Int, feedback: [InteractionRecord.Kind])
    case receiving(round: Int, bytes: Int)
    /// A reply that lay whole on disk is used.
    case adopted(round: Int)
    /// A reply that never became whole: it is asked for again.
    case lost(round: Int, bytes: Int)
    case replied(round: Int, outputTokens: Int?, seconds: Double)
    case checking(round: Int, changed: [String])
    case finished(RoundRecord, ErrorRecord?, hint: Bool)
    case ended(RunRecord)
}
