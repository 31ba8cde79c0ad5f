import Foundation
import Synchronization

/// One line of a recording: what was asked and what came back. Documentation/Recordings.md describes the format.
public struct RecordedExchange: Sendable, Hashable, Codable {
    public struct Timing: Sendable, Hashable, Codable {
        /// Seconds.
        public var firstToken: Double?
        public var total: Double

        public init(firstToken: Double? = nil, total: Double) {
            self.firstToken = firstToken
            self.total = total
        }

        enum CodingKeys: String, CodingKey {
            case firstToken = "first_token_s"
            case total = "total_s"
        }
    }

    public static let currentSchema = 1

    public var schema: Int
    public var model: String?
    /// What the conversation was about, where a file holds many of them.
    public var subject: String?
    /// Left out in recordings that are written by hand.
    public var request: ChatRequest?
    /// In place of the request, where its text should not be kept.
    public var requestHash: String?
    public var reply: String
    public var reasoning: String?
    public var finishReason: ChatReply.FinishReason?
    public var usage: TokenUsage?
    public var timing: Timing?

    public init(
        model: String?, subject: String? = nil, request: ChatRequest? = nil, requestHash: String? = nil, reply: String,
        reasoning: String? = nil,
        finishReason: ChatReply.FinishReason? = .stop, usage: TokenUsage? = nil, timing: Timing? = nil
    ) {
        schema = Self.currentSchema
        self.model = model
        self.subject = subject
        self.request = request
        self.requestHash = requestHash
        self.reply = reply
        self.reasoning = reasoning
        self.finishReason = finishReason
        self.usage = usage
        self.timing = timing
    }

    enum CodingKeys: String, CodingKey {
        case schema, model, subject, request
        case requestHash = "request_sha256"
        case reply, reasoning
        case finishReason = "finish_reason"
        case usage, timing
    }

    /// The hash of the request this exchange answered; nil where the recording does not say.
    func recordedHash() throws -> String? { try requestHash ?? request?.sha256() }
}

/// A file of recorded exchanges, one JSON object a line.
public struct Recording: Sendable {
    /// Larger files are no recordings of conversations.
    static let maximumBytes = 256 << 20

    /// The exchanges of each conversation in order: of each subject, and under nil of what has none.
    public private(set) var conversations: [String?: [Int]] = [:]

    public var exchanges: [RecordedExchange]
    /// A last line that a killed recorder left unfinished is passed over, and said here.
    public var warnings: [String]

    /// - Throws: `EndpointError.recordingUnreadable`, with the line. Cost: linear in the file.
    public init(contentsOf url: URL) throws(EndpointError) {
        let file = url.path
        let data: Data
        do {
            let size = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
            guard size <= Self.maximumBytes else {
                throw EndpointError.recordingUnreadable(
                    file: file, line: nil, reason: "it is larger than \(Self.maximumBytes >> 20) MiB")
            }
            data = try Data(contentsOf: url)
        } catch let error as EndpointError {
            throw error
        } catch {
            throw .recordingUnreadable(file: file, line: nil, reason: "there is no readable file of that name")
        }
        try self.init(data, file: file)
    }

    init(_ data: Data, file: String) throws(EndpointError) {
        exchanges = []
        warnings = []
        let lines = data.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where line.contains(where: { $0 > 0x20 }) {
            let isUnfinished = index == lines.count - 1
            do {
                exchanges.append(try Self.exchange(Data(line)))
            } catch  where isUnfinished {
                warnings.append("the last line of \(file) is unfinished and was passed over")
            } catch {
                throw .recordingUnreadable(file: file, line: index + 1, reason: error.reason)
            }
        }
        for (index, exchange) in exchanges.enumerated() { conversations[exchange.subject, default: []].append(index) }
        guard !exchanges.isEmpty else {
            throw .recordingUnreadable(file: file, line: nil, reason: "it holds no exchange")
        }
    }

    private struct LineError: Error {
        var reason: String
    }

    private static func exchange(_ line: Data) throws(LineError) -> RecordedExchange {
        struct Version: Decodable {
            var schema: Int
        }
        let decoder = JSONDecoder()
        guard let version = try? decoder.decode(Version.self, from: line) else {
            throw LineError(reason: "it is no JSON object with a number 'schema'")
        }
        guard version.schema == RecordedExchange.currentSchema else {
            throw LineError(
                reason:
                    "its schema is \(version.schema), and this version of llmbench reads \(RecordedExchange.currentSchema)"
            )
        }
        do {
            return try decoder.decode(RecordedExchange.self, from: line)
        } catch DecodingError.keyNotFound(let key, _) {
            throw LineError(reason: "'\(key.stringValue)' is missing")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context)
        {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw LineError(reason: "'\(path)' has a value it cannot have")
        } catch {
            throw LineError(reason: "it cannot be decoded")
        }
    }
}

/// Passes every request on to another endpoint and appends what came back to a file. A file holds one conversation, or one of
/// each subject.
public final class RecordingEndpoint: ChatEndpoint {
    private let wrapped: any ChatEndpoint
    private let file: URL
    /// Why an exchange is missing from the file.
    private let gap = Mutex<EndpointError?>(nil)

    /// - Throws: `EndpointError.recordingForeign` for a file that holds something else than a recording; it is left as it is.
    public init(_ wrapped: any ChatEndpoint, file: URL) throws(EndpointError) {
        try Self.check(file)
        self.wrapped = wrapped
        self.file = file
    }

    /// Whether exchanges may be appended to a file: it is not there, empty, or a recording.
    ///
    /// - Throws: `EndpointError.recordingForeign`. Cost: linear in the file.
    public static func check(_ file: URL) throws(EndpointError) {
        var status = stat()
        guard stat(file.path(percentEncoded: false), &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size > 0
        else { return }
        do {
            _ = try Recording(contentsOf: file)
        } catch {
            guard case .recordingUnreadable(_, let line, let reason) = error else { throw error }
            throw .recordingForeign(file: file.path(percentEncoded: false), line: line, reason: reason)
        }
    }

    /// - Throws: `EndpointError.recordingBroken` where an exchange could not be appended.
    public func requireWhole() throws(EndpointError) {
        if let error = gap.withLock({ $0 }) { throw error }
    }

    /// - Throws: what the wrapped endpoint throws, `EndpointError.recordingUnwritable`, and `EndpointError.recordingBroken` after an
    ///   exchange that could not be appended: a recording with a gap answers with the wrong replies.
    public func complete(_ request: ChatRequest, sink: any ReplySink) async throws -> ChatReply {
        // Found out before the reply is paid for.
        try requireWhole()
        try RecordingFile.withLock(file) { descriptor throws(EndpointError) in
            guard lseek(descriptor, 0, SEEK_END) >= 0 else {
                throw .recordingUnwritable(file: file.path, reason: String(cString: strerror(errno)))
            }
        }
        var reply = try await wrapped.complete(request, sink: sink)
        let exchange = RecordedExchange(
            model: request.model, subject: request.subject, request: request, requestHash: try request.sha256(),
            reply: reply.content,
            reasoning: reply.reasoning, finishReason: reply.finishReason, usage: reply.usage,
            timing: .init(firstToken: reply.firstTokenSeconds, total: reply.totalSeconds))
        do {
            try RecordingFile.append(exchange, to: file)
        } catch {
            // The reply is worth more than its copy: it is handed on, and what comes after it is not asked.
            reply.warnings.append("\(error)")
            if case .recordingUnwritable(let file, let reason) = error {
                gap.withLock { $0 = $0 ?? .recordingBroken(file: file, reason: reason) }
            }
        }
        return reply
    }
}

/// Appends whole lines to a file that others may append to at the same time.
enum RecordingFile {
    static func append(_ exchange: RecordedExchange, to url: URL) throws(EndpointError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard var line = try? encoder.encode(exchange) else {
            throw .recordingUnwritable(file: url.path, reason: "the exchange holds a number that JSON cannot")
        }
        line.append(0x0A)
        try withLock(url) { descriptor throws(EndpointError) in
            let end = try wholeLines(descriptor, url)
            let written = line.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(end)) }
            guard written == line.count, fsync(descriptor) == 0 else {
                let reason = String(cString: strerror(errno))
                ftruncate(descriptor, off_t(end))
                throw .recordingUnwritable(file: url.path, reason: reason)
            }
        }
    }

    /// Opens the file, creating it, under a lock that ends with it.
    static func withLock(
        _ url: URL, _ body: (Int32) throws(EndpointError) -> Void
    ) throws(EndpointError) {
        let descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw .recordingUnwritable(file: url.path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX) == 0 else {
            throw .recordingUnwritable(file: url.path, reason: String(cString: strerror(errno)))
        }
        try body(descriptor)
    }

    /// Where the last whole line ends: a recorder that was killed may have left a piece behind it, which is cut off.
    private static func wholeLines(_ descriptor: Int32, _ url: URL) throws(EndpointError) -> Int {
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size > 0 else { return 0 }
        var end = size
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while end > 0 {
            let start = max(0, end - block.count)
            let count = pread(descriptor, &block, end - start, off_t(start))
            guard count == end - start else {
                throw .recordingUnwritable(file: url.path, reason: String(cString: strerror(errno)))
            }
            if let newline = block[..<count].lastIndex(of: 0x0A) {
                end = start + newline + 1
                break
            }
            end = start
        }
        if end < size { ftruncate(descriptor, off_t(end)) }
        return end
    }
}
