import Foundation
import Synchronization

/// An experiment that was run to its end once, for all the tests that read what it left or compare with it.
struct Finished: Sendable {
    struct Unfinished: Error {
        var ended: Child.Ended
    }

    var place: StudyPlace
    var ended: Child.Ended
    var dump: StoreDump

    /// - Throws: `Unfinished` where it ended with another status than 0.
    init(_ place: StudyPlace, _ arguments: [String], study: String) async throws {
        Leftovers.removeAtExit(place.root)
        let ended = try await Child(in: place.root).run(arguments)
        guard ended.status == 0 else { throw Unfinished(ended: ended) }
        self.place = place
        self.ended = ended
        dump = try StoreDump(place.workspace.database(study: study))
    }

    /// The small study, left alone.
    static let small = Task {
        let place = try StudyPlace()
        try place.write("small.yaml", StudyPlace.small)
        return try await Finished(place, ["study", "run", "small.yaml"], study: "small")
    }
}

/// Folders that live as long as the process of the tests.
enum Leftovers {
    private static let folders = Mutex<[URL]>([])

    static func removeAtExit(_ folder: URL) {
        let count = folders.withLock { folders in
            folders.append(folder)
            return folders.count
        }
        guard count == 1 else { return }
        atexit {
            for folder in Leftovers.folders.withLock({ $0 }) { try? FileManager.default.removeItem(at: folder) }
        }
    }
}
