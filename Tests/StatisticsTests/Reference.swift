import Foundation
import Testing

@testable import Statistics

/// P(U ≤ u) of the exact distribution, which the library keeps to itself.
enum MannWhitneyProbability {
    static func lower(_ us: [Double], _ m: Int, _ n: Int) throws -> [Double] {
        let distribution = try MannWhitneyDistribution(m, n)
        return us.map { distribution.lower(Int($0)) }
    }
}

/// Answers of reference.py, stored or asked for now.
enum Reference {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    struct StoredFile: Decodable {
        var header: [String: String]
        var cases: [ReferenceCase]
    }

    static var folder: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/statistics")
    }

    static func stored(_ name: String) throws -> StoredFile {
        try JSONDecoder().decode(
            StoredFile.self, from: Data(contentsOf: folder.appending(path: "\(name).json")))
    }

    /// The interpreter that `scripts/test` sets up: `LLMBENCH_PYTHON`, else the newest in the cache; `nil` where there is none.
    static var interpreter: URL? {
        if let path = ProcessInfo.processInfo.environment["LLMBENCH_PYTHON"], !path.isEmpty {
            return URL(filePath: path)
        }
        let cache = FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache/llmbench/python")
        let found = try? FileManager.default.contentsOfDirectory(at: cache, includingPropertiesForKeys: nil)
        return (found ?? []).map { $0.appending(path: "bin/python") }
            .filter { FileManager.default.isExecutableFile(atPath: $0.path) }.max { $0.path < $1.path }
    }

    /// What scipy says now, about all cases in one process.
    static func live(_ cases: [ReferenceCase]) throws -> [[String: [Double]]] {
        guard let interpreter else {
            throw Failure(description: "No Python with scipy: run scripts/test, or set LLMBENCH_PYTHON.")
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (source, target, log) = (
            folder.appending(path: "cases.json"), folder.appending(path: "results.json"), folder.appending(path: "log")
        )
        try JSONEncoder().encode(cases).write(to: source)
        try Data().write(to: log)
        let process = Process()
        process.executableURL = interpreter
        process.arguments = [Self.folder.appending(path: "reference.py").path, "live", source.path, target.path]
        process.environment = ProcessInfo.processInfo.environment.merging(["OMP_NUM_THREADS": "1"]) { $1 }
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "reference.py failed:\n\((try? String(contentsOf: log, encoding: .utf8)) ?? "")")
        }
        return try JSONDecoder().decode([[String: [Double]]].self, from: Data(contentsOf: target))
    }

    /// Compares an answer with the reference; the first difference of each name is enough to read.
    static func compare(_ question: ReferenceCase, _ expected: [String: [Double]]) throws {
        let answer = try question.answer()
        let (relative, absolute) = question.tolerance
        for (name, values) in expected.sorted(by: { $0.key < $1.key }) {
            let ours = try #require(answer[name], "\(question.kind): no \(name)")
            guard ours.count == values.count else {
                Issue.record("\(question.kind) \(name): \(ours) instead of \(values) for \(question)")
                continue
            }
            if let index = values.indices.first(where: {
                !(abs(ours[$0] - values[$0]) <= relative * abs(values[$0]) + absolute)
            }) {
                Issue.record(
                    "\(question.kind) \(name)[\(index)]: \(ours[index]) instead of \(values[index]) for \(question)")
            }
        }
    }
}
