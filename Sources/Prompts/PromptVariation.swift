import Foundation
import Hashing

/// How a prompt is asked beyond its own text. Runs that differ in it are runs of different prompts: they lie in other folders and are
/// compared as prompts are.
public struct PromptVariation: Sendable, Hashable {
    /// What stands before the conversation as the system's message; nil for none, as published studies asked.
    public var system: RenderedPrompt?
    /// Of sampling; nil leaves it to the endpoint.
    public var temperature: Double?
    /// Of sampling, in the first run; each further run takes the next number. Nil leaves it to the endpoint.
    public var seed: Int?

    public init(system: RenderedPrompt? = nil, temperature: Double? = nil, seed: Int? = nil) {
        self.system = system
        self.temperature = temperature
        self.seed = seed
    }

    /// Nothing but the prompt itself.
    public var isPlain: Bool { self == PromptVariation() }

    /// Reads what the system's message says.
    ///
    /// - Throws: `PromptError` for a file that cannot be read, is empty or has a slot.
    public static func system(_ url: URL) throws(PromptError) -> RenderedPrompt {
        let rendered: RenderedPrompt
        do throws(PromptError) {
            rendered = try PromptTemplate.load(url, known: []).render()
        } catch {
            guard case .unreadable(let file, let reason) = error else { throw error }
            throw .systemUnreadable(file: file, reason: reason)
        }
        guard rendered.text.contains(where: { !$0.isWhitespace }) else {
            throw .systemUnreadable(
                file: url.path, reason: "it is empty: leave it out where there is to be no system message")
        }
        return rendered
    }
}

extension RenderedPrompt {
    /// The same prompt under the hash of a version that was made of a run's program afterwards.
    public func refined(version: Int) -> RenderedPrompt {
        RenderedPrompt(
            text: text, sha256: SHA256.hexadecimal(Data("\(sha256)\nrefined \(version)".utf8)),
            templateSHA256: templateSHA256)
    }

    /// The same text under the hash of all that is asked. Without a variation it is the prompt itself.
    public func asked(with variation: PromptVariation) -> RenderedPrompt {
        guard !variation.isPlain else { return self }
        let parts = [
            sha256, variation.system?.sha256 ?? "", variation.temperature.map { "\($0)" } ?? "",
            variation.seed.map { "\($0)" } ?? "",
        ]
        return RenderedPrompt(
            text: text, sha256: SHA256.hexadecimal(Data(parts.joined(separator: "\n").utf8)),
            templateSHA256: templateSHA256)
    }
}
