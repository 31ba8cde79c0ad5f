import Foundation
import Hashing

extension ChatRequest {
    /// The request as JSON with sorted keys and no white space: the same request gives the same bytes.
    public func canonicalJSON() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    /// SHA-256 of the canonical JSON, in lower-case hexadecimal digits.
    public func sha256() throws -> String {
        SHA256.hexadecimal(try canonicalJSON())
    }

    /// Whether any message holds a picture.
    public var hasImages: Bool { messages.contains { !$0.images.isEmpty } }

    /// Which exchange of a conversation this request asks for, from 0: as many replies are in it already. A clarification
    /// is a reply like any other here, so a run that was killed finds its place from its conversation alone.
    public var exchangeIndex: Int { messages.count { $0.role == .assistant } }
}
