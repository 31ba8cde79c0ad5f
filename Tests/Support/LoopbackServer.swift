import Foundation
import Synchronization

/// A real HTTP server on a loopback port whose handler writes raw bytes, so that it can also break off, dawdle and lie.
///
/// ```swift
/// let server = try LoopbackServer { request, connection in
///     connection.beginEventStream()
///     connection.event(#"{"choices":[{"delta":{"content":"hello"},"finish_reason":"stop"}]}"#)
/// }
/// defer { server.stop() }
/// ```
///
/// Each connection has a thread of its own, carries one request, and closes when the handler returns.
public final class LoopbackServer: Sendable {
    public struct Request: Sendable {
        /// Counts from 0, over the server's life.
        public var index: Int
        public var path: String
        /// Names in lower case.
        public var headers: [String: String]
        public var body: Data

        /// Role and content of each message of a chat request.
        public var messages: [(role: String, content: String)] {
            let object = (try? JSONSerialization.jsonObject(with: body)) as? [String: Any]
            return (object?["messages"] as? [[String: Any]] ?? []).map {
                ($0["role"] as? String ?? "", $0["content"] as? String ?? "")
            }
        }
    }

    public struct Failure: Error {
        public var reason: String
    }

    private let socket: Int32
    public let port: UInt16
    private let received = Mutex<[Request]>([])
    private let isStopped = Mutex(false)

    /// Up to `/v1`, for an endpoint.
    public var baseURL: String { "http://127.0.0.1:\(port)/v1" }

    /// What came so far.
    public var requests: [Request] { received.withLock { $0 } }

    public init(handler: @escaping @Sendable (Request, Connection) -> Void) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket, address, length) == 0 && listen(socket, 64) == 0
                    && getsockname(socket, address, &length) == 0
            }
        }
        guard isListening else { throw Failure(reason: "no loopback port: \(String(cString: strerror(errno)))") }
        self.socket = socket
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in
            while true {
                let descriptor = accept(socket, nil, nil)
                guard descriptor >= 0 else {
                    guard isStopped.withLock({ $0 }) else {
                        usleep(1000)
                        continue
                    }
                    // Here and nowhere else: once the number is free it belongs to the next server, whose connections this
                    // thread would take.
                    close(socket)
                    return
                }
                Thread.detachNewThread {
                    let connection = Connection(descriptor: descriptor)
                    defer { close(descriptor) }
                    guard let request = self.read(connection) else { return }
                    handler(request, connection)
                }
            }
        }
    }

    /// Ends the port; connections in progress run to their end.
    public func stop() {
        isStopped.withLock { isStopped in
            // Ends the wait for connections, or the next one.
            if !isStopped { shutdown(socket, Int32(SHUT_RDWR)) }
            isStopped = true
        }
    }

    private func read(_ connection: Connection) -> Request? {
        var bytes = Data()
        let separator = Data("\r\n\r\n".utf8)
        while bytes.range(of: separator) == nil {
            guard bytes.count < 1 << 20, let piece = connection.receive() else { return nil }
            bytes.append(piece)
        }
        guard let end = bytes.range(of: separator) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        var body = Data(bytes[end.upperBound...])
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while body.count < length {
            guard let piece = connection.receive() else { return nil }
            body.append(piece)
        }
        let path = lines[0].split(separator: " ").dropFirst().first.map(String.init) ?? ""
        return received.withLock { received in
            let request = Request(index: received.count, path: path, headers: headers, body: body)
            received.append(request)
            return request
        }
    }
}

/// One connection of a `LoopbackServer`. Writing to a client that left does nothing.
public struct Connection: Sendable {
    let descriptor: Int32

    public func send(_ text: String) { send(Data(text.utf8)) }

    public func send(_ bytes: Data) {
        bytes.withUnsafeBytes { buffer in
            var start = 0
            while start < buffer.count {
                let count = Glibc.send(
                    descriptor, buffer.baseAddress! + start, buffer.count - start, Int32(MSG_NOSIGNAL))
                guard count > 0 else { return }
                start += count
            }
        }
    }

    /// Whether the client is still there.
    public var isOpen: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) != 0
    }

    public func pause(_ seconds: Double) { Thread.sleep(forTimeInterval: seconds) }

    /// A whole response.
    public func respond(_ status: Int, headers: [String: String] = [:], body: String = "") {
        var lines = ["HTTP/1.1 \(status) Status", "Content-Length: \(body.utf8.count)", "Connection: close"]
        lines += headers.map { "\($0.key): \($0.value)" }
        send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    /// The head of a stream that ends when the connection closes.
    public func beginEventStream() {
        send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    }

    public func event(_ data: String) { send("data: \(data)\n\n") }

    /// One piece of a streamed completion.
    public func delta(_ content: String, field: String = "content", finish: String? = nil) {
        let delta: [String: Any] = [field: content]
        var choice: [String: Any] = ["index": 0, "delta": delta]
        if let finish { choice["finish_reason"] = finish }
        guard let data = try? JSONSerialization.data(withJSONObject: ["choices": [choice]]) else { return }
        event(String(decoding: data, as: UTF8.self))
    }

    public func usage(input: Int, output: Int) {
        event(#"{"choices":[],"usage":{"prompt_tokens":\#(input),"completion_tokens":\#(output)}}"#)
    }

    public func done() { event("[DONE]") }

    fileprivate func receive() -> Data? {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Data(buffer[..<count]) : nil
    }
}
