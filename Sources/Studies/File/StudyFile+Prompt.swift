import Foundation

extension StudyFile {
    /// One entry of `prompts`: a way of asking that is compared with the others.
    public struct Prompt: Sendable, Hashable {
        /// Names its jobs and its rows in reports.
        public var name: String
        /// Templates by target, relative to the workspace; a target without one takes `prompts/<target>.md`.
        public var templates: [String: Named<String>] = [:]
        /// The first digits of a template's SHA-256, by target; a target without one takes its template as it is.
        public var pins: [String: Named<String>] = [:]
        /// A file whose text is the system's message, relative to the workspace; nil for none.
        public var system: Named<String>?
        /// Of sampling, where an endpoint takes it; nil leaves it to the endpoints.
        public var temperature: Double?
        /// As `temperature`; run 2 takes the next number.
        public var samplingSeed: Int?
        public var line: Int

        public init(name: String, line: Int = 1) {
            self.name = name
            self.line = line
        }
    }
}
