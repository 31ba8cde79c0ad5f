import FlyingFox
import FlyingSocks
import Foundation

/// Serves a report on this machine alone: `GET`, from 127.0.0.1, by a loopback name.
///
/// A path is looked up among the report's files and never on the disk, so there is no folder to escape from. `/live?after=VERSION`
/// answers when the version is another one, or after `patience`.
public struct ReportServer: Sendable {
    private let report: LiveReport
    private let port: UInt16
    private let server: HTTPServer

    /// How long a page waits for news before it asks again.
    static let patience = Duration.seconds(20)
    /// How often the store is looked at for a page that waits.
    static let interval = Duration.milliseconds(400)

    /// - Parameter port: 0 takes a free one.
    public init(report: LiveReport, port: UInt16) throws {
        self.report = report
        self.port = port
        server = HTTPServer(
            address: try .inet(ip4: "127.0.0.1", port: port), timeout: 120, logger: .disabled,
            handler: ReportHandler(report: report))
    }

    /// Serves until the task is cancelled.
    ///
    /// - Throws: `ReportServerError` where the port cannot be had.
    public func run() async throws {
        do {
            try await server.run()
        } catch is CancellationError {
            return
        } catch let error as SocketError {
            if Task.isCancelled { return }
            guard case .failed(_, let code, let message) = error else { throw error }
            throw ReportServerError.port(port, reason: code == EADDRINUSE ? "another program has it" : message)
        }
    }

    /// `http://127.0.0.1:PORT/` once it listens.
    public func address() async throws -> URL {
        try await server.waitUntilListening(timeout: 10)
        guard case .ip4(_, let port)? = await server.listeningAddress,
            let url = URL(string: "http://127.0.0.1:\(port)/")
        else { throw ReportServerError.port(port, reason: "it does not listen") }
        return url
    }
}

/// Why pages cannot be served.
public enum ReportServerError: Error, Sendable, Hashable, CustomStringConvertible {
    case port(UInt16, reason: String)

    public var description: String {
        switch self {
        case .port(let port, let reason):
            "port \(port) on 127.0.0.1 cannot be used: \(reason); give another --port, or 0 for a free one"
        }
    }
}

/// The answers.
struct ReportHandler: HTTPHandler {
    let report: LiveReport

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard Self.isLoopback(host: request.headers[.host]) else {
            return Self.sentence(
                .forbidden, "This report answers to localhost and 127.0.0.1 only, so that no other site can read it.")
        }
        guard request.method == .GET else {
            var response = Self.sentence(.methodNotAllowed, "Only GET is answered.")
            response.headers[HTTPHeader("Allow")] = "GET"
            return response
        }
        do {
            if request.path == "/live" { return try await news(after: request.query["after"] ?? "") }
            // As it was sent, but for its leading slash: a path that is spelled in another way is another path.
            let path = request.path == "/" ? "index.html" : String(request.path.dropFirst())
            guard let data = try await report.contents(of: path) else {
                return Self.sentence(.notFound, "The report has no such page. It begins at /index.html")
            }
            return Self.response(.ok, data, type: Self.type(of: path))
        } catch {
            return Self.sentence(.internalServerError, "The report could not be read: \(error)")
        }
    }

    /// Waits for a version other than the one that the page has.
    private func news(after known: String) async throws -> HTTPResponse {
        let end = ContinuousClock.now + ReportServer.patience
        var version = try await report.version()
        while version == known, ContinuousClock.now < end {
            // Where the server ends meanwhile, the page is told that there is no news.
            do { try await Task.sleep(for: ReportServer.interval) } catch { break }
            version = try await report.version()
        }
        let data = try JSONEncoder().encode(["version": version])
        return Self.response(.ok, data, type: "application/json")
    }

    /// A name by which this machine calls itself. Any other in the header means that a site elsewhere has let its name point here
    /// (DNS rebinding) to read the report with a visitor's browser.
    static func isLoopback(host: String?) -> Bool {
        guard let host else { return false }
        let name: Substring
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            name = host[...end]
            guard isPort(host[host.index(after: end)...]) else { return false }
        } else {
            let colon = host.firstIndex(of: ":") ?? host.endIndex
            name = host[..<colon]
            guard isPort(host[colon...]) else { return false }
        }
        return ["localhost", "127.0.0.1", "[::1]"].contains(name.lowercased())
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.first == ":" && UInt16(text.dropFirst()) != nil)
    }

    private static func sentence(_ status: HTTPStatusCode, _ text: String) -> HTTPResponse {
        response(status, Data((StoredText.escapingControls(text) + "\n").utf8), type: "text/plain; charset=utf-8")
    }

    private static func response(_ status: HTTPStatusCode, _ data: Data, type: String) -> HTTPResponse {
        let headers: [HTTPHeader: String] = [
            .contentType: type, .cacheControl: "no-store",
            HTTPHeader("Content-Security-Policy"): PageFrame.policy(live: true) + "; frame-ancestors 'none'",
            HTTPHeader("X-Content-Type-Options"): "nosniff", HTTPHeader("X-Frame-Options"): "DENY",
            HTTPHeader("Referrer-Policy"): "no-referrer", HTTPHeader("Cross-Origin-Resource-Policy"): "same-origin",
            HTTPHeader("Cross-Origin-Opener-Policy"): "same-origin",
        ]
        return HTTPResponse(statusCode: status, headers: HTTPHeaders(headers), body: data)
    }

    static func type(of path: String) -> String {
        switch path.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "pdf": "application/pdf"
        case "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        default: "application/octet-stream"
        }
    }
}
