import Datasets
import Endpoints
import Exchanges
import Files
import Foundation
import ResultStore

extension RoundDirectory {
    /// The request that was written before it left; nil where there is none of this harness.
    var storedRequest: ChatRequest? { Self.decode(ChatRequest.self, request) }

    /// The reply that lies here whole; nil where there is none of this harness.
    var storedReply: ChatReply? { Self.decode(ChatReply.self, replyFacts) }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ url: URL) -> Value? {
        guard let data = try? UntrustedFile.read(url, maximumBytes: 64 << 20) else { return nil }
        return try? JSONDecoder().decode(type, from: Data(data))
    }
}
