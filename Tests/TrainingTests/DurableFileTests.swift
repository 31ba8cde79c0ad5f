import Files
import Foundation
import Testing

@testable import Training

@Suite("Files that are whole or not there")
struct DurableFileTests {
    @Test("replace what was there and leave nothing beside it")
    func replaces() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "a/b.json")
        try DurableFile.write(Data("one".utf8), to: file)
        try DurableFile.write(Data("two".utf8), to: file)
        #expect(try DurableFile.read(file, limit: 10) == Data("two".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.appending(path: "a").path) == ["b.json"])
    }

    @Test("on a full disk fail with a sentence that says so")
    func full() throws {
        #expect(
            DurableFile.failure(WriteFailure(path: "/x/epoch", code: ENOSPC))
                == TrainingError.diskFull(path: "/x/epoch"))
        #expect(TrainingError.diskFull(path: "/x").description.contains("no space left for /x"))
    }

    @Test("are not read through links, from devices or beyond their limit")
    func hostile() throws {
        let folder = try TemporaryFolder()
        let plain = folder.url.appending(path: "plain")
        try DurableFile.write(Data(repeating: 1, count: 100), to: plain)
        let link = folder.url.appending(path: "link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: plain)
        let fifo = folder.url.appending(path: "fifo")
        #expect(mkfifo(fifo.path, 0o600) == 0)
        #expect(throws: TrainingError.file(path: link.path, reason: "is not a regular file; links are not followed")) {
            try DurableFile.read(link, limit: 1000)
        }
        #expect(throws: TrainingError.file(path: fifo.path, reason: "is not a regular file; links are not followed")) {
            try DurableFile.read(fifo, limit: 1000)
        }
        #expect(throws: TrainingError.file(path: plain.path, reason: "holds more than the 99 bytes that are read")) {
            try DurableFile.read(plain, limit: 99)
        }
        #expect(throws: TrainingError.self) { try DurableFile.read(folder.url.appending(path: "none"), limit: 1) }
    }

    @Test("in a folder that is a file fail with its path")
    func blocked() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "file")
        try DurableFile.write(Data(), to: file)
        #expect(throws: TrainingError.self) { try DurableFile.write(Data(), to: file.appending(path: "inside")) }
    }
}
