import Foundation

/// Chat completions in OpenAI's wire format, streamed over libcurl.
///
/// ```swift
/// let endpoint = try OpenAIEndpoint(baseURL: "http://127.0.0.1:8711/v1")
/// let reply = try await endpoint.complete(request, sink: sink)
/// ```
///
/// A request is repeated after failures that may pass (no connection, time-outs but for the total one, 408, 429, 5xx, a stream
/// that broke off), and never after those that will not. Cancelling the task ends the transfer within a tenth of a second.
public struct OpenAIEndpoint: ChatEndpoint {
    /// What differs between servers that speak this format.
    public struct Dialect: Sendable, Hashable {
        /// `max_completion_tokens` where a server wants it in place of `max_tokens`.
        public var maximumTokensField: String
        /// Whether the request may hold `stream_options`.
        public var asksForUsage: Bool
        /// Whether the request may hold `temperature`.
        public var takesTemperature: Bool
        /// Further fields of every request.
        public var extra: [String: JSONValue]

        public init(
            maximumTokensField: String = "max_tokens", asksForUsage: Bool = true, takesTemperature: Bool = true,
            extra: [String: JSONValue] = [:]
        ) {
            self.maximumTokensField = maximumTokensField
            self.asksForUsage = asksForUsage
            self.takesTemperature = takesTemperature
            self.extra = extra
        }
    }

    private let address: EndpointAddress
    private let key: APIKey?
    private let keyVariable: String?
    private let dialect: Dialect
    private let limits: TransferLimits
    private let retry: RetryPolicy
    private let redactor: Redactor
    private let sleep: @Sendable (Double) async throws -> Void

    /// - Parameters:
    ///   - baseURL: up to `/v1`; `/chat/completions` is added.
    ///   - key: sent as a bearer token to this address and nowhere else.
    ///   - keyVariable: what a message about a refused key names.
    ///   - sleep: seconds between two attempts; tests replace it.
    /// - Throws: `EndpointError.addressInvalid`, `.addressUnencrypted`.
    public init(
        baseURL: String, key: APIKey? = nil, keyVariable: String? = nil, dialect: Dialect = Dialect(),
        limits: TransferLimits = TransferLimits(), retry: RetryPolicy = RetryPolicy(),
        sleep: @escaping @Sendable (Double) async throws -> Void = { try await Task.sleep(for: .seconds($0)) }
    ) throws(EndpointError) {
        address = try EndpointAddress(base: baseURL)
        guard key == nil || address.keepsSecrets else { throw .addressUnencrypted(address: address.shown) }
        self.key = key
        self.keyVariable = keyVariable
        self.dialect = dialect
        self.limits = limits
        self.retry = retry
        redactor = Redactor(key: key)
        self.sleep = sleep
    }

    /// - Throws: `EndpointError`, `CancellationError`, or what the sink threw.
    public func complete(_ request: ChatRequest, sink: any ReplySink) async throws -> ChatReply {
        let body = try body(of: request)
        var warnings: [String] = []
        var attempt = 1
        while true {
            try Task.checkCancellation()
            try sink.begin(attempt: attempt)
            do {
                var reply = try await send(body, sink: sink)
                reply.attempts = attempt
                reply.warnings = warnings + reply.warnings
                return reply
            } catch let failure as AttemptFailure {
                if request.hasImages, let said = failure.saidOfImages {
                    throw EndpointError.imagesRefused(
                        address: address.shown, model: request.model, message: redactor.message(said))
                }
                let error = error(for: failure, model: request.model, attempts: attempt)
                guard failure.isTransient, attempt < max(1, retry.maximumAttempts) else { throw error }
                warnings.append(
                    "attempt \(attempt) failed: \(self.error(for: failure, model: request.model, attempts: 1))")
                try await sleep(
                    retry.delay(
                        afterAttempt: attempt, retryAfter: failure.retryAfter, jitter: Double.random(in: 0...1)))
                attempt += 1
            }
        }
    }

    /// One attempt, on a thread of its own.
    private func send(_ body: Data, sink: any ReplySink) async throws -> ChatReply {
        var headers = [("Content-Type", "application/json"), ("Accept", "text/event-stream, application/json")]
        // Without this, libcurl would wait for a 100 before it sends a long conversation.
        headers.append(("Expect", ""))
        if let key { headers.append(("Authorization", "Bearer \(key.value)")) }
        let post = HTTPPost(address: address.completions, headers: headers, body: body)
        return try await onOwnThread { isCancelled in
            var assembler = ReplyAssembler(sink: sink, key: key)
            var refusal = Data()
            do {
                let head = try HTTPTransfer.run(
                    post, limits: limits,
                    isCancelled: isCancelled, isSettled: { assembler.isSettled }
                ) { head, bytes in
                    guard head.status == 200 else {
                        refusal.append(contentsOf: bytes.prefix(max(0, (64 << 10) - refusal.count)))
                        return refusal.count < 64 << 10 ? .goOn : .finished
                    }
                    return try assembler.receive(head, bytes)
                }
                guard head.status == 200 else { throw AttemptFailure.status(head, refusal) }
                return try assembler.conclude()
            } catch let failure as TransferFailure {
                // A connection that breaks after the finish reason takes nothing of the reply along.
                if assembler.hasFinishReason, let reply = try? assembler.conclude() { return reply }
                if case .broken = failure { throw AttemptFailure.cut(assembler.receivedBytes) }
                throw AttemptFailure.transfer(failure)
            } catch ReplyAssembler.Failure.cut {
                throw AttemptFailure.cut(assembler.receivedBytes)
            } catch ReplyAssembler.Failure.reported(let error) {
                throw AttemptFailure.reported(error)
            } catch ReplyAssembler.Failure.unreadable(let detail) {
                throw AttemptFailure.unreadable(detail)
            } catch ReplyAssembler.Failure.noChoice {
                throw AttemptFailure.noChoice
            }
        }
    }

    /// A text, or a list of parts where there are pictures.
    private static func content(of message: ChatMessage) -> JSONValue {
        guard !message.images.isEmpty else { return .text(message.content) }
        let images = message.images.map { image in
            JSONValue.object(["type": .text("image_url"), "image_url": .object(["url": .text(image.dataURL)])])
        }
        return .list([.object(["type": .text("text"), "text": .text(message.content)])] + images)
    }

    /// The request as this server wants it. Cost: linear in the conversation.
    private func body(of request: ChatRequest) throws -> Data {
        var fields = dialect.extra
        fields["model"] = .text(request.model)
        fields["messages"] = .list(
            request.messages.map { .object(["role": .text($0.role.rawValue), "content": Self.content(of: $0)]) })
        fields["stream"] = .bool(true)
        if dialect.asksForUsage { fields["stream_options"] = .object(["include_usage": .bool(true)]) }
        if dialect.takesTemperature, let temperature = request.temperature {
            fields["temperature"] = .number(temperature)
        }
        if let tokens = request.maxOutputTokens { fields[dialect.maximumTokensField] = .integer(tokens) }
        if let seed = request.seed { fields["seed"] = .integer(seed) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(JSONValue.object(fields))
    }
}

/// How one attempt failed, before it is known whether it was the last.
private enum AttemptFailure: Error {
    case transfer(TransferFailure)
    case status(HTTPResponseHead, Data)
    case cut(Int)
    case reported(ServerError)
    case unreadable(String)
    case noChoice

    var isTransient: Bool {
        switch self {
        case .transfer(let failure):
            switch failure {
            case .unreachable, .broken: true
            case .timedOut(let phase, _): phase != .total
            case .certificate, .tooLarge, .invalidAddress: false
            }
        case .status(let head, let body):
            (head.status == 408 || head.status == 429 || head.status >= 500) && !ServerError(body: body).saysNoCredit
        case .cut: true
        case .reported(let error): error.isTransient && !error.saysNoCredit
        // Whole answers: each may be charged, and the same request gets the same.
        case .unreadable, .noChoice: false
        }
    }

    /// What the server said where it takes no pictures.
    var saidOfImages: String? {
        let server: ServerError
        switch self {
        case .status(let head, let body) where head.status >= 400: server = ServerError(body: body)
        case .reported(let error): server = error
        default: return nil
        }
        return server.saysNoImages ? server.message : nil
    }

    var retryAfter: Double? {
        guard case .status(let head, _) = self else { return nil }
        return RetryPolicy.retryAfter(head.headers["retry-after"])
    }
}

extension OpenAIEndpoint {
    private func error(for failure: AttemptFailure, model: String, attempts: Int) -> EndpointError {
        switch failure {
        case .transfer(let failure): error(for: failure, attempts: attempts)
        case .status(let head, let body): error(for: head, body: body, model: model, attempts: attempts)
        case .cut(let bytes): .streamCut(address: address.shown, receivedBytes: bytes, attempts: attempts)
        case .noChoice: .noChoice(address: address.shown, model: model)
        case .unreadable(let detail): .unreadable(address: address.shown, detail: detail)
        case .reported(let reported):
            if reported.saysContextExceeded {
                .contextExceeded(model: model, message: redactor.message(reported.message))
            } else {
                .errorInStream(address: address.shown, message: redactor.message(reported.message), attempts: attempts)
            }
        }
    }

    private func error(for failure: TransferFailure, attempts: Int) -> EndpointError {
        switch failure {
        case .unreachable(let reason), .broken(let reason):
            .unreachable(address: address.shown, reason: redactor.message(reason), attempts: attempts)
        case .certificate(let reason): .certificate(address: address.shown, reason: redactor.message(reason))
        case .timedOut(let phase, let seconds):
            .timedOut(address: address.shown, phase: phase, seconds: seconds, attempts: attempts)
        case .tooLarge(let limit): .tooLarge(address: address.shown, limitBytes: limit)
        case .invalidAddress: .addressInvalid(address: address.shown)
        }
    }

    private func error(for head: HTTPResponseHead, body: Data, model: String, attempts: Int) -> EndpointError {
        let server = ServerError(body: body)
        let message = redactor.message(server.message)
        let shown = address.shown
        return switch head.status {
        case 401, 403: .unauthorized(address: shown, status: head.status, variable: keyVariable, message: message)
        case 402: .creditExhausted(address: shown, message: message)
        case 404: .notFound(address: shown, model: model, message: message)
        case 429 where server.saysNoCredit: .creditExhausted(address: shown, message: message)
        case 429: .rateLimited(address: shown, attempts: attempts, message: message)
        case 300..<400:
            .redirected(
                address: shown,
                location: redactor.message(
                    EndpointAddress.withoutSecrets(head.headers["location"] ?? "another address")))
        case 408, 500...: .serverFailed(address: shown, status: head.status, attempts: attempts, message: message)
        case 200..<300: .unreadable(address: shown, detail: "status \(head.status)")
        default:
            server.saysContextExceeded
                ? .contextExceeded(model: model, message: message)
                : .rejected(address: shown, status: head.status, message: message)
        }
    }
}
