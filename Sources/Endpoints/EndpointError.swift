/// Why an endpoint gave no reply, each with the sentence the user reads. Texts that a server sent are redacted, stripped of
/// control characters and shortened before they get here.
public enum EndpointError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The environment variable that the model's card names is empty or absent.
    case keyMissing(variable: String, model: String)
    /// The variable holds something that cannot stand in an HTTP header; its value is not shown.
    case keyUnusable(variable: String)
    /// The base URL is no http or https address.
    case addressInvalid(address: String)
    /// The key would travel unencrypted to another machine.
    case addressUnencrypted(address: String)
    /// No connection, or it broke before a reply began.
    case unreachable(address: String, reason: String, attempts: Int)
    /// The server's certificate cannot be trusted.
    case certificate(address: String, reason: String)
    case timedOut(address: String, phase: TimeoutPhase, seconds: Double, attempts: Int)
    /// 400, 422 and other refusals of the request itself.
    case rejected(address: String, status: Int, message: String)
    /// 401 and 403.
    case unauthorized(address: String, status: Int, variable: String?, message: String)
    /// 404.
    case notFound(address: String, model: String, message: String)
    /// 402, or a 429 that says that the account has no credit left.
    case creditExhausted(address: String, message: String)
    /// 429 on every attempt.
    case rateLimited(address: String, attempts: Int, message: String)
    /// 5xx or 408 on every attempt.
    case serverFailed(address: String, status: Int, attempts: Int, message: String)
    /// The conversation no longer fits the model's context.
    case contextExceeded(model: String, message: String)
    /// The model, or the server, takes no pictures.
    case imagesRefused(address: String, model: String, message: String)
    /// The server points elsewhere; the key is not sent there.
    case redirected(address: String, location: String)
    /// Something that is no stream of chat completions.
    case unreadable(address: String, detail: String)
    /// A whole chat completion without any choice: a reply that is none.
    case noChoice(address: String, model: String)
    /// The stream ended without a finish reason, on every attempt.
    case streamCut(address: String, receivedBytes: Int, attempts: Int)
    /// The server reported an error inside the stream.
    case errorInStream(address: String, message: String, attempts: Int)
    /// More bytes than any reply has.
    case tooLarge(address: String, limitBytes: Int)
    /// The recording has no answer about this subject.
    case recordingSilent(file: String, subject: String)
    /// The recording holds answers about subjects, and a conversation about none was asked for.
    case recordingOfSubjects(file: String, subject: String, count: Int)
    /// The recording has fewer exchanges than the conversation needs.
    case recordingExhausted(file: String, exchange: Int, count: Int)
    case recordingUnreadable(file: String, line: Int?, reason: String)
    case recordingUnwritable(file: String, reason: String)
    /// The file to record into holds something else.
    case recordingForeign(file: String, line: Int?, reason: String)
    /// An exchange could not be added to the recording, while its reply was stored.
    case recordingBroken(file: String, reason: String)
    /// The person at the chat window ended the input before the end marker.
    case manualReplyUnfinished(marker: String)
    case manualFileUnreadable(file: String, reason: String)

    public enum TimeoutPhase: String, Sendable, Hashable {
        case connecting
        case waitingForFirstByte = "waiting for the first byte"
        case idle = "waiting for more of the reply"
        case total = "receiving the whole reply"
    }
}

extension EndpointError {
    public var description: String {
        switch self {
        case .keyMissing(let variable, let model):
            "the key for \(model) is missing: set the environment variable \(variable)"
        case .keyUnusable(let variable):
            "the key in \(variable) has spaces or control characters inside: set it again without them"
        case .addressInvalid(let address):
            "'\(address)' is no address of an endpoint: give one like https://host/v1 with --base-url or in models.yaml"
        case .addressUnencrypted(let address):
            "the key would travel unencrypted to \(address): use https, or a loopback address for a server of your own"
        case .certificate(let address, let reason):
            "the certificate of \(address) cannot be trusted (\(reason)): check the address and this machine's clock"
        case .redirected(let address, let location):
            "\(address) redirects to \(location), where the request is not sent: give that address with --base-url if you trust it"
        case .contextExceeded(let model, let message):
            "the conversation no longer fits the context of \(model)\(Self.quote(message))"
        case .recordingSilent(let file, let subject):
            "\(file) has no answer for \(subject): ask for what it was recorded for, or record it further"
        case .recordingOfSubjects(let file, let subject, let count):
            "\(file) holds answers about \(count) subject\(count == 1 ? "" : "s") such as \(subject) and no conversation about a program: it is one of drawings, which `llmbench polygon draw` asks for"
        case .recordingExhausted(let file, let exchange, let count):
            "\(file) ends after \(count) exchanges, but the conversation asks for exchange \(exchange): record it further, lower --max-rounds, or give the --target that it was recorded for"
        case .recordingUnreadable(let file, let line, let reason):
            "\(file)\(line.map { ", line \($0)" } ?? "") is no recording that can be replayed: \(reason)"
        case .recordingUnwritable(let file, let reason):
            "the recording \(file) cannot be written: \(reason)"
        case .recordingForeign(let file, let line, let reason):
            "\(file) exists and is no recording (\(line.map { "line \($0): " } ?? "")\(reason)): nothing was added to it; name another file with --record"
        case .recordingBroken(let file, let reason):
            "the recording \(file) could not be written (\(reason)) and lacks an exchange: the replies so far are stored with the study; record anew under another --study"
        case .manualReplyUnfinished(let marker):
            "the input ended before the line '\(marker)': run the same command again and paste the whole reply"
        case .manualFileUnreadable(let file, let reason):
            "the reply cannot be read from \(file): \(reason)"
        default: serverDescription
        }
    }

    /// The sentences about a server that was asked.
    private var serverDescription: String {
        switch self {
        case .unreachable(let address, let reason, let attempts):
            "\(address) cannot be reached\(Self.tries(attempts)): \(reason); check the address and that the server runs"
        case .timedOut(let address, let phase, let seconds, let attempts):
            "\(address) took longer than \(Self.seconds(seconds)) \(phase.rawValue)\(Self.tries(attempts)): try later or allow more time"
        case .rejected(let address, let status, let message):
            "\(address) rejected the request with status \(status)\(Self.quote(message)): check the model's card in models.yaml"
        case .unauthorized(let address, let status, let variable, let message):
            if let variable {
                "\(address) refused the key with status \(status)\(Self.quote(message)): check the value of \(variable)"
            } else {
                "\(address) asks for a key with status \(status)\(Self.quote(message)): name its variable as api_key_env in models.yaml"
            }
        case .notFound(let address, let model, let message):
            "\(address) knows no model '\(model)' or has no chat completions there (status 404)\(Self.quote(message)): check the card in models.yaml"
        case .creditExhausted(let address, let message):
            "the account at \(address) has no credit left\(Self.quote(message)): add some and run the same command again"
        case .rateLimited(let address, let attempts, let message):
            "\(address) limits the rate\(Self.tries(attempts))\(Self.quote(message)): wait and run the same command again"
        case .serverFailed(let address, let status, let attempts, let message):
            "\(address) failed with status \(status)\(Self.tries(attempts))\(Self.quote(message)): run the same command again later"
        case .unreadable(let address, let detail):
            "\(address) answered with something that is no chat completion (\(detail)): check the address, it often ends in /v1"
        case .noChoice(let address, let model):
            "\(address) answered with a whole chat completion that holds no choice, so no reply of '\(model)': it may have been charged and was not asked for again; check the card in models.yaml, then run the same command again"
        case .streamCut(let address, let receivedBytes, let attempts):
            "the reply of \(address) broke off after \(receivedBytes) bytes without a finish reason\(Self.tries(attempts)): run the same command again"
        case .errorInStream(let address, let message, let attempts):
            "\(address) reported an error inside its reply\(Self.tries(attempts))\(Self.quote(message)): run the same command again"
        case .imagesRefused(let address, let model, let message):
            "\(address) takes no pictures for the model '\(model)'\(Self.quote(message)): choose a model that sees, or leave 'images: true' out of its card"
        case .tooLarge(let address, let limitBytes):
            "\(address) sent more than \(limitBytes >> 20) MiB for one reply, which was given up: check that it is a chat endpoint"
        default: ""
        }
    }

    private static func quote(_ message: String) -> String { message.isEmpty ? "" : " (\"\(message)\")" }

    private static func tries(_ attempts: Int) -> String { attempts > 1 ? " after \(attempts) attempts" : "" }

    private static func seconds(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value)) s" : "\(value) s"
    }
}
