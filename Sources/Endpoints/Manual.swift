import Foundation

/// Where a person reads prompts and enters replies. `StandardConsole` is the terminal; tests have their own.
public protocol ManualConsole: Sendable {
    func write(_ text: String)
    /// The next line without its end; nil when the input is over.
    func readLine() -> String?
}

/// The terminal: prompts go to standard error, so that standard output stays the command's result.
public struct StandardConsole: ManualConsole {
    public init() {}

    public func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    public func readLine() -> String? { Swift.readLine(strippingNewline: true) }
}

/// A model that only a chat window reaches: a person carries prompt and reply.
///
/// Shows the newest message (the window knows the ones before) and takes the reply as pasted lines that end with a marker,
/// or as the name of a file after `@`.
public struct ManualEndpoint: ChatEndpoint {
    /// The line that ends a pasted reply.
    public static let marker = "<<<END>>>"
    /// Bytes of a reply.
    static let maximumBytes = 16 << 20

    private let name: String
    private let console: any ManualConsole
    private let promptFile: URL?

    /// - Parameters:
    ///   - name: the model's name, for the person.
    ///   - promptFile: where the message to paste is written too, since a terminal may break long lines.
    public init(name: String, console: any ManualConsole = StandardConsole(), promptFile: URL? = nil) {
        self.name = name
        self.console = console
        self.promptFile = promptFile
    }

    /// - Throws: `EndpointError.manualReplyUnfinished`, `.manualFileUnreadable`, or what the sink throws.
    public func complete(_ request: ChatRequest, sink: any ReplySink) async throws -> ChatReply {
        try Task.checkCancellation()
        let message = request.messages.last?.content ?? ""
        var place = ""
        let pictures = try keep(request.messages.last?.images ?? [])
        if let promptFile {
            do {
                try Data(message.utf8).write(to: promptFile, options: .atomic)
                place = " (also in \(promptFile.path))"
            } catch {
                throw EndpointError.manualFileUnreadable(
                    file: promptFile.path, reason: "the prompt cannot be written there")
            }
        }
        let window = request.exchangeIndex == 0 ? "a new conversation" : "the same conversation"
        console.write(
            """
            ── message \(request.exchangeIndex + 1) to \(name): paste it into \(window)\(place)\(pictures) ──
            \(message)
            ── paste the whole reply, then a line \(Self.marker); or enter @ and the name of a file that holds it ──

            """)
        let started = ContinuousClock.now
        try sink.begin(attempt: 1)
        let console = console
        let text = try await onOwnThread { _ in try Self.read(from: console) }
        var splitter = ReasoningSplitter()
        let first = splitter.feed(text)
        let rest = splitter.finish()
        let reasoning = first.reasoning + rest.reasoning
        let content = first.content + rest.content
        if !reasoning.isEmpty { try sink.append(reasoning: reasoning) }
        if !content.isEmpty { try sink.append(content: content) }
        let waited = ContinuousClock.now - started
        return ChatReply(
            content: content, reasoning: reasoning.isEmpty ? nil : reasoning, finishReason: .stop,
            totalSeconds: Double(waited.components.seconds),
            warnings: ["a person carried this reply: its time includes theirs, and its tokens are not known"])
    }

    /// Writes pictures beside the prompt, for the person to attach.
    private func keep(_ images: [ChatImage]) throws(EndpointError) -> String {
        guard !images.isEmpty else { return "" }
        guard let promptFile else {
            throw .manualFileUnreadable(file: "the picture", reason: "there is no folder to put it beside the prompt")
        }
        var names: [String] = []
        for (index, image) in images.enumerated() {
            let number = images.count > 1 ? "-\(index + 1)" : ""
            let stem = promptFile.deletingPathExtension().lastPathComponent
            let url = promptFile.deletingLastPathComponent().appending(path: "\(stem)-image\(number).png")
            do { try image.png.write(to: url, options: .atomic) } catch {
                throw .manualFileUnreadable(file: url.path, reason: "the picture cannot be written there")
            }
            names.append(url.path)
        }
        return " with \(names.joined(separator: ", ")) attached"
    }

    private static func read(from console: any ManualConsole) throws(EndpointError) -> String {
        var lines: [String] = []
        var bytes = 0
        while let line = console.readLine() {
            if line.trimmingCharacters(in: .whitespaces) == marker {
                if !lines.isEmpty { return lines.joined(separator: "\n") }
                console.write("── nothing was pasted: paste the whole reply, then a line \(marker) ──\n")
                continue
            }
            if lines.isEmpty, line.trimmingCharacters(in: .whitespaces).isEmpty { continue }
            if lines.isEmpty, line.hasPrefix("@") {
                return try contents(of: String(line.dropFirst()).trimmingCharacters(in: .whitespaces))
            }
            bytes += line.utf8.count + 1
            guard bytes <= maximumBytes else {
                throw .tooLarge(address: "the pasted reply", limitBytes: maximumBytes)
            }
            lines.append(line)
        }
        throw .manualReplyUnfinished(marker: marker)
    }

    private static func contents(of file: String) throws(EndpointError) -> String {
        guard let handle = FileHandle(forReadingAtPath: file) else {
            throw .manualFileUnreadable(file: file, reason: "there is no readable file of that name")
        }
        defer { try? handle.close() }
        let data: Data
        do { data = try handle.read(upToCount: maximumBytes + 1) ?? Data() } catch {
            throw .manualFileUnreadable(file: file, reason: "it is no file that can be read")
        }
        guard data.count <= maximumBytes else {
            throw .manualFileUnreadable(file: file, reason: "it is larger than \(maximumBytes >> 20) MiB")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw .manualFileUnreadable(file: file, reason: "it is no UTF-8 text")
        }
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw .manualFileUnreadable(file: file, reason: "it is empty")
        }
        return text
    }
}
