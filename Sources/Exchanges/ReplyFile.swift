import Endpoints
import Foundation
import ResultStore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a reply lands while it arrives: `reply.md.partial` and `reasoning.md.partial`, byte by byte as the endpoint sends.
///
/// A reply is whole on disk once `reply.json` exists, which holds all of it; `reply.md` and `reasoning.md` follow.
public final class ReplyFile: ReplySink {
    private struct State {
        var content: Int32 = -1
        var reasoning: Int32 = -1
        var bytes = 0
    }

    private let round: RoundDirectory
    /// Distinguishes what several requests for this round left.
    private let ordinal: Int
    private let state = Mutex(State())
    private let onBytes: @Sendable (Int) -> Void

    /// - Parameters:
    ///   - ordinal: counts the requests whose replies land here.
    ///   - onBytes: told how many bytes there are, after each piece.
    public init(round: RoundDirectory, ordinal: Int, onBytes: @escaping @Sendable (Int) -> Void) {
        self.round = round
        self.ordinal = ordinal
        self.onBytes = onBytes
    }

    deinit {
        closeFiles()
    }

    /// What an earlier attempt left is set aside.
    public func begin(attempt: Int) throws {
        closeFiles()
        try Self.setAside(round, as: "failed-\(ordinal)-\(attempt)")
        state.withLock { $0.bytes = 0 }
    }

    public func append(content: String) throws {
        try append(content, \.content, to: Self.partial(round.reply))
    }

    public func append(reasoning: String) throws {
        try append(reasoning, \.reasoning, to: Self.partial(round.reasoning))
    }

    private func append(_ text: String, _ file: WritableKeyPath<State, Int32> & Sendable, to url: URL) throws {
        let data = Data(text.utf8)
        let total = try state.withLock { state in
            if state[keyPath: file] < 0 {
                let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC
                state[keyPath: file] = open(url.path(percentEncoded: false), flags, 0o644)
                guard state[keyPath: file] >= 0 else { throw ExchangeFileError.writing(url, code: errno) }
            }
            try ExchangeFiles.append(data, to: state[keyPath: file], of: url)
            state.bytes += data.count
            return state.bytes
        }
        onBytes(total)
    }

    private func closeFiles() {
        state.withLock { state in
            if state.content >= 0 { close(state.content) }
            if state.reasoning >= 0 { close(state.reasoning) }
            state.content = -1
            state.reasoning = -1
        }
    }

    /// Makes a whole reply last.
    public func finish(_ reply: ChatReply) throws {
        closeFiles()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try ExchangeFiles.write(try encoder.encode(reply), to: round.replyFacts)
        try Self.writeReadable(reply, in: round)
    }

    /// The texts of a whole reply as files of their own, for a person to read.
    private static func writeReadable(_ reply: ChatReply, in round: RoundDirectory) throws {
        if let reasoning = reply.reasoning, !reasoning.isEmpty {
            try ExchangeFiles.write(Data(reasoning.utf8), to: round.reasoning)
        }
        try ExchangeFiles.write(Data(reply.content.utf8), to: round.reply)
        unlink(partial(round.reasoning).path(percentEncoded: false))
        unlink(partial(round.reply).path(percentEncoded: false))
    }

    static func partial(_ url: URL) -> URL { url.appendingPathExtension("partial") }

    /// The reply that lies whole in a round's folder, its readable files made good where the writing of them was cut.
    public static func whole(in round: RoundDirectory) throws -> ChatReply? {
        guard ExchangeFiles.exists(round.replyFacts) else { return nil }
        let reply: ChatReply
        do {
            reply = try JSONDecoder().decode(ChatReply.self, from: Data(contentsOf: round.replyFacts))
        } catch {
            throw ExchangeFileError.cannotRead(
                path: round.replyFacts.path(percentEncoded: false), reason: "it is no reply of this harness")
        }
        if !ExchangeFiles.exists(round.reply) { try writeReadable(reply, in: round) }
        return reply
    }

    /// Bytes that arrived of a reply that is not whole.
    public static func partialBytes(in round: RoundDirectory) -> Int {
        [round.reply, round.reasoning].reduce(0) { sum, url in
            let path = partial(url).path(percentEncoded: false)
            let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
            return sum + (size ?? 0)
        }
    }

    /// Keeps what arrived of a reply that never became whole: it may have been paid for.
    public static func setAside(_ round: RoundDirectory, as label: String) throws {
        for url in [round.reply, round.reasoning] where ExchangeFiles.exists(partial(url)) {
            try ExchangeFiles.rename(partial(url), to: url.appendingPathExtension(label))
        }
    }
}
