import Endpoints
import Foundation

/// One thing that is wrong with a study file, or that the machine lacks for it.
public struct StudyProblem: Sendable, Hashable, Codable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable, Codable {
        /// The file has to change.
        case file
        /// The file is right, and something it names is not ready: a key, a recording, a dataset.
        case setting
    }

    public var file: String
    /// From 1.
    public var line: Int
    public var reason: String
    public var kind: Kind

    public init(file: String, line: Int, reason: String, kind: Kind = .file) {
        self.file = file
        self.line = line
        self.reason = reason
        self.kind = kind
    }

    public var description: String { "\(file):\(line): \(reason)" }
}

/// Every problem of a study file, in the order of its lines.
public struct StudyFileError: Error, Sendable, Hashable, CustomStringConvertible {
    public var problems: [StudyProblem]

    public init(_ problems: [StudyProblem]) {
        self.problems = problems.sorted { ($0.line, $0.reason) < ($1.line, $1.reason) }
    }

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Collects problems, so that all of them are said at once.
struct ProblemList {
    let file: String
    private(set) var problems: [StudyProblem] = []

    init(file: String) {
        self.file = file
    }

    mutating func add(_ line: Int, _ reason: String, _ kind: StudyProblem.Kind = .file) {
        let problem = StudyProblem(file: file, line: line, reason: reason, kind: kind)
        if !problems.contains(problem) { problems.append(problem) }
    }

    /// "; did you mean a or b?", or nothing.
    static func suggestion(for name: String, among known: [String]) -> String {
        let near = NearestNames.suggestions(for: name, among: known)
        return near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
    }

    /// The same, or all there are where none is near and they are few.
    static func choice(for name: String, among known: [String]) -> String {
        let near = suggestion(for: name, among: known)
        guard near.isEmpty, !known.isEmpty, known.count <= 12 else { return near }
        return "; known are \(known.joined(separator: ", "))"
    }
}
