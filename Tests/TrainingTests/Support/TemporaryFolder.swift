import Foundation
import Synchronization

/// A folder that goes away with the test.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "training-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// For a folder that several tests share: nobody gives up the last reference to it.
    func removeAtExit() {
        let count = Self.kept.withLock { kept in
            kept.append(url)
            return kept.count
        }
        guard count == 1 else { return }
        atexit { for url in TemporaryFolder.kept.withLock({ $0 }) { try? FileManager.default.removeItem(at: url) } }
    }

    private static let kept = Mutex<[URL]>([])

    var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }
}
