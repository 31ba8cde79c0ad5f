import Foundation
import Hashing

/// Tables and figures on disk against the store they were made from, by report/manifest.json.
struct FigureAgeCheck: StoreCheck {
    let id = "figure-age"
    let asks = "Was every file of the report made from the results as they are now, and left as it was written?"
    let why =
        "A figure that is older than its data, or was touched since, shows something that the study did not measure."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        guard let folder = evidence.surroundings.reportFolder, let now = evidence.surroundings.dataHash else {
            return []
        }
        let path = folder.path(percentEncoded: false)
        let onDisk = Self.files(below: folder)
        guard !onDisk.isEmpty else { return [] }
        let renew = "llmbench report all --study \(Wording.shell(evidence.study)) --format html"
        let manifest: ReportManifest
        do {
            guard let read = try ReportManifest.read(in: folder) else {
                return [
                    finding(
                        .note, path,
                        "\(Wording.count(onDisk.count, "file")) without a \(ReportManifest.name): the age cannot be told",
                        look: renew)
                ]
            }
            manifest = read
        } catch {
            return [finding(.warning, path, error.description, look: renew)]
        }
        return compare(manifest, onDisk, folder, now, renew)
    }

    private func compare(
        _ manifest: ReportManifest, _ onDisk: [String], _ folder: URL, _ now: String, _ renew: String
    ) -> [AuditFinding] {
        let path = folder.path(percentEncoded: false)
        let old = manifest.files.filter { $0.results != now }
        var found: [AuditFinding] = []
        if let first = old.min(by: { $0.written < $1.written }) {
            found.append(
                finding(
                    .warning, path,
                    "\(old.count) of \(Wording.count(manifest.files.count, "file")) made from other results than the store holds "
                        + "now (\(Wording.list(old.map(\.path)))), the oldest on \(first.written.formatted(.iso8601))",
                    look: renew))
        }
        let touched = manifest.files.filter { file in
            guard let data = try? Data(contentsOf: folder.appending(path: file.path)) else { return false }
            return SHA256.hexadecimal(data) != file.sha256
        }
        if !touched.isEmpty {
            found.append(
                finding(
                    .warning, path,
                    "\(Wording.count(touched.count, "file")) changed after being written: \(Wording.list(touched.map(\.path)))",
                    look:
                        "sha256sum \(Wording.shell(folder.appending(path: touched[0].path).path(percentEncoded: false)))"
                ))
        }
        let known = Set(manifest.files.map(\.path))
        let strangers = onDisk.filter { !known.contains($0) }
        if !strangers.isEmpty {
            found.append(
                finding(
                    .note, path,
                    "\(Wording.count(strangers.count, "file")) not named in \(ReportManifest.name): \(Wording.list(strangers))",
                    why: "Nobody can tell which results they show.", look: "ls -l \(Wording.shell(path))"))
        }
        return found
    }

    /// Regular files, hidden ones and the manifest left out, by path below the folder; the first 20 000.
    static func files(below folder: URL) -> [String] {
        let root = folder.standardizedFileURL.path(percentEncoded: false)
        let prefix = root.hasSuffix("/") ? root : root + "/"
        let all = FileManager.default.enumerator(
            at: folder, includingPropertiesForKeys: [.isRegularFileKey], options: .skipsHiddenFiles)
        var names: [String] = []
        while let url = all?.nextObject() as? URL, names.count < 20_000 {
            guard (try? url.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true else { continue }
            let path = url.standardizedFileURL.path(percentEncoded: false)
            guard path.hasPrefix(prefix) else { continue }
            names.append(String(path.dropFirst(prefix.count)))
        }
        return names.filter { $0 != ReportManifest.name }.sorted()
    }
}
