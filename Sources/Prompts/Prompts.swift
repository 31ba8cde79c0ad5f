import Foundation
import Hashing

/// Why a template cannot be used, each with the sentence the user reads.
public enum PromptError: Error, Sendable, Hashable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    /// `{{` that begins no slot: `{{a-z, 0-9 and _}}`.
    case malformedSlot(file: String, line: Int)
    /// A slot that nobody fills.
    case unknownSlot(name: String, file: String, line: Int, known: [String])
    /// A slot without a value.
    case missingValue(name: String, file: String, line: Int)
    /// A pipeline's template without a single slot: it would ask the same of every dataset.
    case noSlots(file: String, known: [String])
    /// The file of a system's message.
    case systemUnreadable(file: String, reason: String)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "the prompt template \(file) cannot be read: \(reason)"
        case .malformedSlot(let file, let line):
            "\(file), line \(line): '{{' begins no slot; a slot is {{name}} with small letters, digits and _"
        case .noSlots(let file, let known):
            "the prompt template \(file) has no slot, so that nothing of the dataset would be said: put in slots like "
                + "{{\(known.sorted().first ?? "name")}}; known are \(known.sorted().joined(separator: ", "))"
        case .systemUnreadable(let file, let reason): "the system's message \(file) cannot be read: \(reason)"
        case .unknownSlot(let name, let file, let line, let known) where known.isEmpty:
            "\(file), line \(line): '{{\(name)}}' is a slot, and nothing is put in here: write the words themselves"
        case .unknownSlot(let name, let file, let line, let known):
            "\(file), line \(line): there is no slot '\(name)'; known are \(known.sorted().joined(separator: ", "))"
        case .missingValue(let name, let file, let line):
            "\(file), line \(line): nothing was given for the slot '\(name)'"
        }
    }
}

/// A prompt as it is sent.
public struct RenderedPrompt: Sendable, Hashable {
    public let text: String
    /// SHA-256 of the text, in lower-case hexadecimal digits.
    public let sha256: String
    /// SHA-256 of the template it was made from: the same for every dataset.
    public let templateSHA256: String

    /// The first eight digits, which name a run's folder.
    public var shortHash: String { String(sha256.prefix(8)) }
}

/// A text with slots `{{name}}`, versioned by its hash.
///
/// ```swift
/// let template = try PromptTemplate.load(workspace.prompts.appending(path: "pytorch.md"))
/// let prompt = try template.render(slots)
/// ```
///
/// Values are put in as they are: what looks like a slot inside a value stays what it is.
public struct PromptTemplate: Sendable, Hashable {
    private enum Piece: Sendable, Hashable {
        case text(String)
        case slot(String, line: Int)
    }

    /// Larger files are no prompts.
    static let maximumBytes = 1 << 20

    /// The file's name, for messages.
    public let file: String
    public let text: String
    /// SHA-256 of the file's bytes.
    public let sha256: String
    private let pieces: [Piece]

    /// The names of its slots.
    public var slots: Set<String> {
        Set(
            pieces.compactMap { piece in
                if case .slot(let name, _) = piece { name } else { nil }
            })
    }

    /// - Parameter known: the slots that a caller fills; nil to find out only when it is rendered.
    /// - Throws: `PromptError`. Cost: linear in the file.
    public static func load(_ url: URL, known: Set<String>? = nil) throws(PromptError) -> PromptTemplate {
        let data: Data
        do { data = try Data(contentsOf: url) } catch {
            throw .unreadable(file: url.path, reason: "there is no readable file of that name")
        }
        guard data.count <= maximumBytes else { throw .unreadable(file: url.path, reason: "it is larger than 1 MiB") }
        guard let text = String(data: data, encoding: .utf8) else {
            throw .unreadable(file: url.path, reason: "it is no UTF-8 text")
        }
        return try PromptTemplate(text: text, file: url.lastPathComponent, known: known)
    }

    /// - Throws: `PromptError.malformedSlot`, `.unknownSlot`.
    public init(text: String, file: String, known: Set<String>? = nil) throws(PromptError) {
        self.file = file
        self.text = text
        sha256 = Self.hash(text)
        var pieces: [Piece] = []
        var rest = Substring(text)
        var line = 1
        while let opening = rest.firstRange(of: "{{") {
            let before = rest[..<opening.lowerBound]
            line += before.count { $0.isNewline }
            let inside = rest[opening.upperBound...]
            guard let closing = inside.firstRange(of: "}}") else { throw .malformedSlot(file: file, line: line) }
            let name = inside[..<closing.lowerBound].trimmingCharacters(in: .whitespaces)
            guard let first = name.first, first.isASCII, first.isLowercase,
                name.allSatisfy({ $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") })
            else { throw .malformedSlot(file: file, line: line) }
            if let known, !known.contains(name) {
                throw .unknownSlot(name: name, file: file, line: line, known: Array(known))
            }
            pieces.append(.text(String(before)))
            pieces.append(.slot(name, line: line))
            rest = inside[closing.upperBound...]
        }
        pieces.append(.text(String(rest)))
        self.pieces = pieces
    }

    /// Fills every slot; line breaks at the end of the template are dropped.
    ///
    /// - Throws: `PromptError.missingValue`, with the line of the slot.
    public func render(_ values: [String: String] = [:]) throws(PromptError) -> RenderedPrompt {
        var out = ""
        for piece in pieces {
            switch piece {
            case .text(let text): out += text
            case .slot(let name, let line):
                guard let value = values[name] else { throw .missingValue(name: name, file: file, line: line) }
                out += value
            }
        }
        while out.last?.isNewline == true { out.removeLast() }
        return RenderedPrompt(text: out, sha256: Self.hash(out), templateSHA256: sha256)
    }

    private static func hash(_ text: String) -> String {
        SHA256.hexadecimal(Data(text.utf8))
    }
}
