import Foundation

/// A fault put into a reply that holds working code.
public enum CodeMutation: String, Sendable, Hashable, CaseIterable {
    /// One `import` line is missing: a NameError where its name is used.
    case dropImport
    /// A local variable has another name where it is assigned: a NameError further down.
    case renameVariable
    /// A convolution expects one channel more than it gets: a shape mismatch.
    case breakShape
    /// The reply ends in its middle, with the finish reason `length`.
    case cutReply

    /// The reply with one fault, or nil where it offers no place for it.
    ///
    /// - Parameter reply: Markdown with Python in fenced blocks.
    public func applied(to reply: String, using generator: inout SeededGenerator) -> String? {
        var lines = reply.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let code = Self.codeLines(of: lines)
        switch self {
        case .dropImport:
            let imports = code.filter { lines[$0].hasPrefix("import ") || lines[$0].hasPrefix("from ") }
            guard
                let victim = imports.filter({ Self.isUsed(lines[$0], in: lines, at: $0) }).randomElement(
                    using: &generator)
            else { return nil }
            lines.remove(at: victim)
        case .renameVariable:
            let assignments = code.compactMap { index -> (Int, String)? in
                guard let match = lines[index].firstMatch(of: #/^\s+([a-z_][a-z0-9_]*) = /#) else { return nil }
                let name = String(match.output.1)
                let later = lines[(index + 1)...].prefix { !$0.hasPrefix("def ") && !$0.hasPrefix("```") }
                return later.contains { Self.words($0).contains(name) } ? (index, name) : nil
            }
            guard let (index, name) = assignments.randomElement(using: &generator) else { return nil }
            lines[index] = lines[index].replacing("\(name) = ", with: "\(name)_renamed = ", maxReplacements: 1)
        case .breakShape:
            let layers = code.filter { lines[$0].contains(/nn\.(?:Conv2d|ConvTranspose2d)\([^,()]+,/) }
            guard let index = layers.randomElement(using: &generator) else { return nil }
            lines[index] = lines[index].replacing(/nn\.(Conv2d|ConvTranspose2d)\(([^,()]+),/, maxReplacements: 1) {
                match in
                "nn.\(match.output.1)(\(match.output.2) + 1,"
            }
        case .cutReply:
            guard reply.count > 10 else { return nil }
            return String(reply.prefix(Int(Double(reply.count) * Double.random(in: 0.4...0.8, using: &generator))))
        }
        return lines.joined(separator: "\n")
    }

    public var finishReason: String { self == .cutReply ? "length" : "stop" }

    private static func codeLines(of lines: [String]) -> [Int] {
        var inside = false
        var code: [Int] = []
        for (index, line) in lines.enumerated() {
            if line.hasPrefix("```") { inside.toggle() } else if inside { code.append(index) }
        }
        return code
    }

    /// Whether the name that an import line binds stands in a later line of its block.
    private static func isUsed(_ line: String, in lines: [String], at index: Int) -> Bool {
        guard let bound = words(line).last else { return false }
        return lines[(index + 1)...].prefix { !$0.hasPrefix("```") }.contains { words($0).contains(bound) }
    }

    private static func words(_ line: String) -> [String] {
        line.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
    }
}

/// A live endpoint that answers with working code in which the first replies have a fault each: a language model that gets it
/// right after some rounds, without one.
///
/// What it answers follows from the seed and from the number of replies in the conversation, so a run that was killed and
/// resumed meets the same replies.
public struct MutatedReplyServer: Sendable {
    public let server: LoopbackServer
    public var baseURL: String { server.baseURL }

    /// - Parameters:
    ///   - reply: Markdown with Python in fenced blocks, such as the reply of a recorded fixture.
    ///   - mutations: the faults of the first replies, in order; after them the reply is whole.
    public init(reply: String, mutations: [CodeMutation], seed: UInt64) throws {
        server = try LoopbackServer { request, connection in
            let round = request.messages.count { $0.role == "assistant" }
            var generator = SeededGenerator(seed: seed &+ UInt64(round) &* 1_000_003)
            let mutation = round < mutations.count ? mutations[round] : nil
            let text = mutation?.applied(to: reply, using: &generator) ?? reply
            connection.beginEventStream()
            var rest = Substring(text)
            while !rest.isEmpty {
                let length = Int.random(in: 1...200, using: &generator)
                connection.delta(String(rest.prefix(length)))
                rest = rest.dropFirst(length)
            }
            connection.delta("", finish: mutation?.finishReason ?? "stop")
            let asked = request.messages.reduce(0) { $0 + $1.content.utf8.count }
            connection.usage(input: asked / 4, output: text.utf8.count / 4)
            connection.done()
        }
    }

    /// The reply of a round, for a test that wants to know what to expect.
    public static func reply(_ reply: String, round: Int, mutations: [CodeMutation], seed: UInt64) -> String {
        var generator = SeededGenerator(seed: seed &+ UInt64(round) &* 1_000_003)
        guard round < mutations.count else { return reply }
        return mutations[round].applied(to: reply, using: &generator) ?? reply
    }

    public func stop() { server.stop() }
}
