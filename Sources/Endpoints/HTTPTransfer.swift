import CCurl
import Foundation
import Synchronization

/// How long one attempt may take and how much it may send.
public struct TransferLimits: Sendable, Hashable {
    /// Seconds until the connection stands, TLS included.
    public var connectSeconds: Double
    /// Seconds from the sent request to the first byte: a reasoning model may think for minutes before it speaks.
    public var firstByteSeconds: Double
    /// Seconds without any byte once the reply has begun.
    public var idleSeconds: Double
    /// Seconds for the whole attempt.
    public var totalSeconds: Double
    /// Bytes of one response, envelopes included.
    public var maximumBytes: Int

    public init(
        connectSeconds: Double = 20, firstByteSeconds: Double = 900, idleSeconds: Double = 180,
        totalSeconds: Double = 3600, maximumBytes: Int = 64 << 20
    ) {
        self.connectSeconds = connectSeconds
        self.firstByteSeconds = firstByteSeconds
        self.idleSeconds = idleSeconds
        self.totalSeconds = totalSeconds
        self.maximumBytes = maximumBytes
    }
}

/// One POST. Its headers may hold the key.
struct HTTPPost: Concealed {
    var address: String
    var headers: [(name: String, value: String)]
    var body: Data
}

/// The status line and headers of a response, names in lower case.
struct HTTPResponseHead {
    var status: Int
    var headers: [String: String]
}

/// Why a transfer did not come to its end.
enum TransferFailure: Error {
    case unreachable(String)
    case certificate(String)
    case timedOut(EndpointError.TimeoutPhase, Double)
    /// The connection broke after the response had begun.
    case broken(String)
    case tooLarge(Int)
    case invalidAddress(String)
}

/// What the receiver of a response wants next.
enum TransferStep {
    case goOn, finished
}

/// A blocking POST over libcurl. Redirects are not followed, only http and https are spoken, certificates are checked.
enum HTTPTransfer {
    private static let initialised: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// - Parameters:
    ///   - receive: called on this thread for every piece of the body; what it throws ends the transfer and is rethrown.
    ///   - isCancelled: asked at least twenty times a second.
    ///   - isSettled: asked as often; true ends the transfer as if the response had ended.
    /// - Returns: the head, when the response ended or the receiver had enough.
    /// - Throws: `TransferFailure`, `CancellationError`, or what `receive` threw.
    static func run(
        _ post: HTTPPost, limits: TransferLimits, isCancelled: () -> Bool, isSettled: @escaping () -> Bool,
        receive: @escaping (HTTPResponseHead, UnsafeRawBufferPointer) throws -> TransferStep
    ) throws -> HTTPResponseHead {
        guard initialised, let easy = curl_easy_init() else { throw TransferFailure.broken("libcurl cannot start") }
        defer { curl_easy_cleanup(easy) }
        guard let multi = curl_multi_init() else { throw TransferFailure.broken("libcurl cannot start") }
        defer { curl_multi_cleanup(multi) }
        var list: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(list) }
        for header in post.headers { list = curl_slist_append(list, "\(header.name): \(header.value)") ?? list }
        configure(easy, post: post, headers: list, limits: limits)

        let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        defer { errorText.deallocate() }
        _ = llmbench_curl_set_error_buffer(easy, errorText)

        let state = TransferState(maximumBytes: limits.maximumBytes, receive: receive)
        let context = Unmanaged.passUnretained(state).toOpaque()
        _ = llmbench_curl_set_body_receiver(easy, receiveBody, context)
        _ = llmbench_curl_set_header_receiver(easy, receiveHeader, context)
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else {
            throw TransferFailure.broken("libcurl cannot start")
        }
        defer { curl_multi_remove_handle(multi, easy) }
        return try withExtendedLifetime(state) {
            let code = try drive(multi, state: state, limits: limits, isCancelled: isCancelled, isSettled: isSettled)
            return try conclude(code, state: state, limits: limits, detail: String(cString: errorText))
        }
    }

    private static func configure(
        _ easy: UnsafeMutableRawPointer, post: HTTPPost, headers: UnsafeMutablePointer<curl_slist>?,
        limits: TransferLimits
    ) {
        _ = llmbench_curl_set_string(easy, CURLOPT_URL, post.address)
        _ = llmbench_curl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = llmbench_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        _ = llmbench_curl_set_long(easy, CURLOPT_SSL_VERIFYPEER, 1)
        _ = llmbench_curl_set_long(easy, CURLOPT_SSL_VERIFYHOST, 2)
        _ = llmbench_curl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        _ = llmbench_curl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
        _ = llmbench_curl_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        _ = llmbench_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int((limits.connectSeconds * 1000).rounded(.up)))
        _ = llmbench_curl_set_string(easy, CURLOPT_USERAGENT, "llmbench")
        if let host = URL(string: post.address)?.host(), EndpointAddress.isLoopback(host) {
            _ = llmbench_curl_set_string(easy, CURLOPT_PROXY, "")
        }
        _ = post.body.withUnsafeBytes { llmbench_curl_set_body(easy, $0.baseAddress, $0.count) }
        _ = llmbench_curl_set_headers(easy, headers)
    }

    /// Runs the transfer to its end, looking at the clocks between the pieces.
    private static func drive(
        _ multi: UnsafeMutableRawPointer, state: TransferState, limits: TransferLimits, isCancelled: () -> Bool,
        isSettled: () -> Bool
    ) throws -> CURLcode? {
        let begin = ContinuousClock.now
        var running: Int32 = 0
        var code = CURLE_OK
        while true {
            if isCancelled() { throw CancellationError() }
            guard curl_multi_perform(multi, &running) == CURLM_OK else {
                throw TransferFailure.broken("libcurl failed")
            }
            if let error = state.error { throw error }
            if state.isFinished || isSettled() { return nil }
            if llmbench_curl_finished(multi, &code) { return code }
            let now = ContinuousClock.now
            if now - begin > .seconds(limits.totalSeconds) {
                throw TransferFailure.timedOut(.total, limits.totalSeconds)
            }
            if let last = state.lastByte {
                if now - last > .seconds(limits.idleSeconds) {
                    throw TransferFailure.timedOut(.idle, limits.idleSeconds)
                }
            } else if now - begin > .seconds(limits.firstByteSeconds) {
                throw TransferFailure.timedOut(.waitingForFirstByte, limits.firstByteSeconds)
            }
            _ = curl_multi_poll(multi, nil, 0, 50, nil)
        }
    }

    /// - Parameter code: nil when the receiver had enough.
    private static func conclude(
        _ code: CURLcode?, state: TransferState, limits: TransferLimits, detail: String
    ) throws -> HTTPResponseHead {
        guard let code, code != CURLE_OK else {
            guard let head = state.head else { throw TransferFailure.unreachable("it closed the connection at once") }
            return head
        }
        let reason = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: throw TransferFailure.invalidAddress(reason)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE: throw TransferFailure.certificate(reason)
        case CURLE_OPERATION_TIMEDOUT: throw TransferFailure.timedOut(.connecting, limits.connectSeconds)
        default:
            throw state.head == nil ? TransferFailure.unreachable(reason) : TransferFailure.broken(reason)
        }
    }
}

/// What the two C callbacks share; lives as long as one transfer and on its thread only.
private final class TransferState {
    let maximumBytes: Int
    let receive: (HTTPResponseHead, UnsafeRawBufferPointer) throws -> TransferStep
    var head: HTTPResponseHead?
    var headerBytes = 0
    var bytes = 0
    var lastByte: ContinuousClock.Instant?
    var error: (any Error)?
    var isFinished = false

    init(maximumBytes: Int, receive: @escaping (HTTPResponseHead, UnsafeRawBufferPointer) throws -> TransferStep) {
        self.maximumBytes = maximumBytes
        self.receive = receive
    }

    /// - Returns: whether the transfer goes on.
    func body(_ piece: UnsafeRawBufferPointer) -> Bool {
        lastByte = .now
        bytes += piece.count
        guard bytes <= maximumBytes else {
            error = TransferFailure.tooLarge(maximumBytes)
            return false
        }
        do {
            if try receive(head ?? HTTPResponseHead(status: 0, headers: [:]), piece) == .finished { isFinished = true }
        } catch { self.error = error }
        return error == nil && !isFinished
    }

    func header(_ piece: UnsafeRawBufferPointer) -> Bool {
        headerBytes += piece.count
        guard headerBytes <= 256 << 10 else {
            error = TransferFailure.tooLarge(256 << 10)
            return false
        }
        let line = String(decoding: piece, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        if line.hasPrefix("HTTP/") {
            // A status 100 comes before the real one and is replaced by it.
            let fields = line.split(separator: " ", maxSplits: 2)
            head = HTTPResponseHead(status: fields.count > 1 ? Int(fields[1]) ?? 0 : 0, headers: [:])
            lastByte = .now
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            head?.headers[line[..<colon].lowercased()] = value
        }
        return true
    }
}

private let receiveBody: llmbench_curl_receiver = { bytes, size, count, context in
    guard let bytes, let context else { return 0 }
    let state = Unmanaged<TransferState>.fromOpaque(context).takeUnretainedValue()
    return state.body(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}

private let receiveHeader: llmbench_curl_receiver = { bytes, size, count, context in
    guard let bytes, let context else { return 0 }
    let state = Unmanaged<TransferState>.fromOpaque(context).takeUnretainedValue()
    return state.header(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}

/// Runs blocking work on a thread of its own, so that a slow server holds no thread that other tasks need.
func onOwnThread<Value: Sendable>(
    _ work: @escaping @Sendable (_ isCancelled: @Sendable () -> Bool) throws -> Value
) async throws -> Value {
    let cancelled = CancellationFlag()
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try work { cancelled.isSet } })
            }
        }
    } onCancel: {
        cancelled.set()
    }
}

private final class CancellationFlag: Sendable {
    private let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}
