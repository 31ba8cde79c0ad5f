import Foundation

extension ModelCard {
    /// The model's name in a request.
    public var requestModel: String { model ?? id }

    /// The endpoint that this card describes.
    ///
    /// - Parameters:
    ///   - workspace: the folder that a recording's path is relative to.
    ///   - baseURL: another server than the card's; the key of the card goes there too.
    ///   - replay: a recording to answer from, whatever the provider.
    ///   - promptFile: where a manual model's messages are written for copying.
    /// - Throws: `EndpointError`: a missing key, a bad address, a recording that cannot be read.
    public func endpoint(
        workspace: URL, baseURL: String? = nil, replay: URL? = nil, promptFile: URL? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment, limits: TransferLimits = TransferLimits(),
        retry: RetryPolicy = RetryPolicy(), console: any ManualConsole = StandardConsole()
    ) throws(EndpointError) -> any ChatEndpoint {
        if let replay { return try ReplayEndpoint(file: replay) }
        switch (provider, baseURL) {
        case (.manual, nil): return ManualEndpoint(name: name, console: console, promptFile: promptFile)
        case (.replay, nil):
            return try ReplayEndpoint(file: workspace.appending(path: recording ?? ""))
        case (_, let other):
            return try OpenAIEndpoint(
                baseURL: other ?? self.baseURL ?? "", key: try key(environment, isOptional: other != nil),
                keyVariable: apiKeyVariable, dialect: dialect,
                limits: limits, retry: retry)
        }
    }

    /// A server of the user's own may want no key; the card's server does.
    private func key(_ environment: [String: String], isOptional: Bool) throws(EndpointError) -> APIKey? {
        guard let apiKeyVariable else { return nil }
        if isOptional, environment[apiKeyVariable, default: ""].isEmpty { return nil }
        return try APIKey(variable: apiKeyVariable, model: id, environment: environment)
    }

    private var dialect: OpenAIEndpoint.Dialect {
        OpenAIEndpoint.Dialect(
            maximumTokensField: maximumTokensField ?? "max_tokens", asksForUsage: streamUsageSupported,
            takesTemperature: temperatureSupported, extra: request)
    }

    /// A request of this conversation, with what the card allows.
    public func chatRequest(_ messages: [ChatMessage], temperature: Double? = nil, seed: Int? = nil) -> ChatRequest {
        ChatRequest(
            model: requestModel, messages: messages, temperature: temperatureSupported ? temperature : nil,
            maxOutputTokens: maximumOutputTokens, seed: seedSupported ? seed : nil)
    }
}
