import Datasets
import Files
import Foundation
import Hashing
import ResultStore

/// The programs that a study's numbers are of, held against what the store knows of them.
struct FilesCheck: StoreCheck {
    let id = "files"
    let asks = "Are the programs that the numbers are of still there, as they ran?"
    let why =
        "What cannot be looked at or run again is no evidence; what was changed is another program than the one that was measured."

    /// Of one file; what the extraction takes is far smaller.
    private static let mostBytes = 16 << 20

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        guard let generated = evidence.surroundings.generated else { return [] }
        return evidence.runs.compactMap { finding(of: $0, in: generated, evidence) }
    }

    private func finding(
        of run: AuditEvidence.Run, in generated: URL, _ evidence: AuditEvidence
    ) -> AuditFinding? {
        guard !run.rounds.isEmpty else { return nil }
        let folder = generated.appending(path: run.path, directoryHint: .isDirectory)
        let look = "ls -lR \(Wording.shell(folder.path(percentEncoded: false)))"
        guard FileManager.default.fileExists(atPath: folder.path(percentEncoded: false)) else {
            return finding(.warning, run.path, "its folder is gone, with its replies and its program", look: look)
        }
        guard run.record.status == .succeeded, let ran = run.rounds.last(where: { $0.outcome == .clean }) else {
            return nil
        }
        var (gone, changed): ([String], [String]) = ([], [])
        let final = RunDirectory(url: folder).final
        for file in ran.files {
            guard let bytes = try? UntrustedFile.read(file.name, below: final, maximumBytes: Self.mostBytes) else {
                gone.append(file.name)
                continue
            }
            if SHA256.hexadecimal(Data(bytes)) != file.sha256 { changed.append(file.name) }
        }
        let missing =
            gone.isEmpty ? nil : "\(Wording.list(gone)) of \(Wording.count(ran.files.count, "file")) cannot be read"
        guard changed.isEmpty else {
            let parts = [
                "\(Wording.list(changed)) \(changed.count == 1 ? "is" : "are") not what ran in round \(ran.round)",
                missing,
            ].compactMap { $0 }
            return finding(
                .error, run.path, parts.joined(separator: "; "),
                look: "sha256sum \(Wording.shell(final.path(percentEncoded: false)))*; "
                    + evidence.query(
                        "SELECT files FROM round WHERE run_id = \(run.record.id ?? -1) AND outcome = 'clean'"))
        }
        return missing.map { finding(.warning, run.path, $0 + " in final/", look: look) }
    }
}
