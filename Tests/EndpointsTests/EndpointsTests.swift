import Endpoints
import Foundation
import Synchronization
import TestSupport

/// Keeps what an endpoint passed on, attempt by attempt.
final class CollectingSink: ReplySink {
    struct Attempt {
        var content = ""
        var reasoning = ""
    }

    private let state = Mutex<[Attempt]>([])

    var attempts: [Attempt] { state.withLock { $0 } }
    var content: String { attempts.last?.content ?? "" }
    var reasoning: String { attempts.last?.reasoning ?? "" }

    func begin(attempt: Int) { state.withLock { $0.append(Attempt()) } }
    func append(content: String) { state.withLock { $0[$0.count - 1].content += content } }
    func append(reasoning: String) { state.withLock { $0[$0.count - 1].reasoning += reasoning } }
}

/// Remembers the pauses between attempts and takes none of them.
final class Pauses: Sendable {
    private let state = Mutex<[Double]>([])
    var seconds: [Double] { state.withLock { $0 } }
    func pause(_ seconds: Double) { state.withLock { $0.append(seconds) } }
}

let question = ChatRequest(model: "tiny", messages: [ChatMessage(role: .user, content: "Write a U-Net.")])

/// Asks a loopback server once.
func ask(
    _ server: LoopbackServer, _ request: ChatRequest = question, sink: any ReplySink = CollectingSink(),
    key: APIKey? = nil,
    dialect: OpenAIEndpoint.Dialect = .init(), limits: TransferLimits = TransferLimits(), attempts: Int = 3,
    pauses: Pauses = Pauses()
) async throws -> ChatReply {
    let endpoint = try OpenAIEndpoint(
        baseURL: server.baseURL, key: key, keyVariable: key.map { _ in "TEST_KEY" }, dialect: dialect, limits: limits,
        retry: RetryPolicy(maximumAttempts: attempts), sleep: { pauses.pause($0) })
    return try await endpoint.complete(request, sink: sink)
}

/// The error that asking ends with.
func failure(_ work: () async throws -> ChatReply) async throws -> EndpointError {
    do {
        let reply = try await work()
        throw UnexpectedReply(content: reply.content)
    } catch let error as EndpointError {
        return error
    }
}

struct UnexpectedReply: Error {
    var content: String
}

/// A folder that the test leaves behind empty-handed.
func temporaryFolder() throws -> URL {
    let url = FileManager.default.temporaryDirectory.appending(path: "llmbench-endpoints-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
}
