import Files
import Foundation
import Testing

@Suite("A file that is whole or not there")
struct AtomicFileTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-atomic-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)).sorted()
    }

    @Test("replaces what was there and leaves nothing beside it")
    func replaces() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "a name.json")
        for text in ["a longer text", "", "short"] {
            try AtomicFile.write(Data(text.utf8), to: file)
            #expect(try String(contentsOf: file, encoding: .utf8) == text)
        }
        #expect(try names() == ["a name.json"])
    }

    @Test("goes through a neighbour that is named, over what a killed process left in it")
    func neighbour() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (file, neighbour) = (folder.appending(path: "a.json"), folder.appending(path: "a.json.writing"))
        try Data("half a file, left behind".utf8).write(to: neighbour)
        try AtomicFile.write(Data("whole".utf8), to: file, through: neighbour)
        #expect(try String(contentsOf: file, encoding: .utf8) == "whole")
        #expect(try names() == ["a.json"])
    }

    @Test("leaves what was there, and nothing beside it, where it cannot be put in its place")
    func refused() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let taken = folder.appending(path: "taken")
        try FileManager.default.createDirectory(at: taken.appending(path: "inside"), withIntermediateDirectories: true)
        let failure = #expect(throws: WriteFailure.self) { try AtomicFile.write(Data("x".utf8), to: taken) }
        #expect(failure?.reason == "Is a directory")
        #expect(try names() == ["taken"])
    }

    @Test("of several writers at once is one of theirs, whole")
    func together() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "shared")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in UInt8(0)..<8 {
                group.addTask { try AtomicFile.write(Data(repeating: writer, count: 100_000), to: file) }
            }
            try await group.waitForAll()
        }
        let found = try Data(contentsOf: file)
        #expect(found.count == 100_000 && Set(found).count == 1)
        #expect(try names() == ["shared"])
    }

    @Test("on a full disk says its error number; bytes are appended in as many calls as it takes")
    func appended() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        // The kernel's own full device gives the error that a full disk gives.
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(full >= 0)
        defer { close(full) }
        #expect(AtomicFile.append(Data("x".utf8), to: full) == ENOSPC)
        #expect(AtomicFile.append(Data(), to: full) == nil)
        #expect(AtomicFile.synchronise(folder: folder.appending(path: "absent")) == ENOENT)
        // A pipe takes at most what it has room for: the rest follows when it is read.
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let sent = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let (reading, writing) = (FileHandle(fileDescriptor: ends[0], closeOnDealloc: true), ends[1])
        let writer = Thread {
            _ = AtomicFile.append(sent, to: writing)
            close(writing)
        }
        writer.start()
        #expect(try reading.readToEnd() == sent)
    }
}
