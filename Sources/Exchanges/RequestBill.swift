import Endpoints

/// The tokens that a request is charged for: as the endpoint counted them, or estimated where it did not.
public struct RequestBill: Sendable, Hashable {
    /// Characters of English and code a token; used only where nobody counted.
    public static let bytesPerToken = 4

    public var inputTokens: Int
    public var outputTokens: Int
    /// A part of the output, where the endpoint says.
    public var reasoningTokens: Int?
    public var isEstimate: Bool

    /// Of a whole reply.
    ///
    /// - Parameter asked: tokens of the request, estimated.
    public init(of reply: ChatReply, asked: Int) {
        let said = reply.content.utf8.count + (reply.reasoning?.utf8.count ?? 0)
        inputTokens = reply.usage?.input ?? asked
        outputTokens = reply.usage?.output ?? said / Self.bytesPerToken
        reasoningTokens = reply.usage?.reasoning
        isEstimate = reply.usage == nil
    }

    /// Of a reply that never became whole.
    ///
    /// - Parameters:
    ///   - received: bytes that came of it.
    ///   - asked: tokens of the request, estimated.
    public init(received: Int, asked: Int) {
        inputTokens = asked
        outputTokens = received / Self.bytesPerToken
        isEstimate = true
    }
}
