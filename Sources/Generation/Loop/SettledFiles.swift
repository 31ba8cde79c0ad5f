import Foundation
import Hashing
import ResultStore

/// The files of settled rounds, checked against what the store knows of them.
struct SettledFiles {
    private let run: RunRecord
    private let rows: [RoundRecord]
    private let directory: RunDirectory

    init(of run: RunRecord, in store: ResultStore, _ directory: RunDirectory) throws {
        self.run = run
        rows = try run.id.map { try store.rounds(run: $0) } ?? []
        self.directory = directory
    }

    /// By name; none where the round is not settled.
    ///
    /// - Throws: `GenerationError.damagedRound`.
    func files(of round: Int) throws -> [String: String] {
        guard let row = rows.first(where: { $0.round == round }) else { return [:] }
        var files: [String: String] = [:]
        for file in row.files {
            let url = directory.round(round).files.appending(path: file.name)
            guard let data = try? Data(contentsOf: url), SHA256.hexadecimal(data) == file.sha256 else {
                throw GenerationError.damagedRound(run: run.path, round: round, file: "files/\(file.name)")
            }
            files[file.name] = String(decoding: data, as: UTF8.self)
        }
        return files
    }
}
