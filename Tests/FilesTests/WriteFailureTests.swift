import Files
import Foundation
import Testing

@Suite("A file that cannot be written")
struct WriteFailureTests {
    @Test("on a full disk says so, and what to do")
    func full() {
        // The kernel's own full device gives the error that a full disk gives.
        let device = URL(filePath: "/dev/full")
        let failure = #expect(throws: (any Error).self) {
            let handle = try FileHandle(forWritingTo: device)
            try handle.write(contentsOf: Data([1]))
        }
        #expect(
            failure.map { WriteFailure(device, $0).description }
                == "no space left for /dev/full: free some and run the same command again")
        #expect(WriteFailure(path: "/x", code: EDQUOT).isFullDisk && WriteFailure(path: "/x", code: ENOSPC).isFullDisk)
    }

    @Test("because something else than a file is there leaves it; a link is followed to its file")
    func target() throws {
        let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(
            path: "llmbench-target-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func place(_ name: String) -> URL { folder.appending(path: name) }
        let (absent, link) = (place("absent.png"), place("link.png"))
        #expect(try AtomicFile.target(absent) == absent)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: absent)
        #expect(throws: WriteFailure.self) { try AtomicFile.target(link) }
        try Data([1]).write(to: absent)
        #expect(try AtomicFile.target(link).path == absent.path)
        #expect(mkfifo(place("pipe").path, 0o600) == 0)
        try FileManager.default.createSymbolicLink(at: place("to-pipe"), withDestinationURL: place("pipe"))
        for (name, kind) in [("pipe", "no regular file"), ("to-pipe", "no regular file"), (".", "a folder")] {
            let failure = #expect(throws: WriteFailure.self) { try AtomicFile.target(place(name)) }
            #expect(failure?.description.contains("it is \(kind), and was left as it is") == true)
        }
    }

    @Test("for another reason names it, and its path cannot speak to a terminal")
    func other() {
        let failure = WriteFailure(path: "/x\u{1b}[31m", code: EACCES)
        #expect(!failure.isFullDisk && !failure.description.contains("\u{1b}"))
        #expect(failure.description.hasSuffix(": Permission denied"))
        #expect(throws: WriteFailure.self) {
            try AtomicFile.write([1], to: URL(filePath: "/nowhere/at/all"))
        }
    }

    @Test("says the system's words below what Foundation wrapped around them")
    func wrapped() throws {
        let blocked = URL(filePath: "/dev/null/inside")
        let failure = #expect(throws: (any Error).self) {
            try FileManager.default.createDirectory(at: blocked, withIntermediateDirectories: true)
        }
        let error = try #require(failure)
        #expect(SystemReason.code(error) == ENOTDIR && SystemReason.of(error) == "Not a directory")
        #expect(WriteFailure(blocked, error).reason == "Not a directory")
        // What a file holds is no failure of the system.
        let unread = #expect(throws: (any Error).self) {
            try JSONDecoder().decode([Int].self, from: Data("{".utf8))
        }
        #expect(unread.map { SystemReason.of($0) == nil && SystemReason.code($0) == nil } == true)
    }
}
