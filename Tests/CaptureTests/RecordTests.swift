import Foundation
import Testing

@testable import Capture

@Suite("A record that generated code may have touched")
struct RecordTests {
    /// A folder `/out` with `.llmbench` in it.
    private func out(_ fill: (URL) throws -> Void) throws -> URL {
        let out = FileManager.default.temporaryDirectory.appending(path: "record-test-\(UUID().uuidString)")
        let record = out.appending(path: ".llmbench")
        try FileManager.default.createDirectory(at: record, withIntermediateDirectories: true)
        try fill(record)
        return out
    }

    @Test("is read where it is plain, and nil where it is absent")
    func plain() throws {
        let out = try out { try Data("x".utf8).write(to: $0.appending(path: "a.json")) }
        #expect(try RecordFolder(out: out).read("a.json", maximumBytes: 10) == Data("x".utf8))
        #expect(try RecordFolder(out: out).read("b.json", maximumBytes: 10) == nil)
        #expect(try RecordFolder(out: out).read("data/train.safetensors", maximumBytes: 10) == nil)
    }

    @Test("is refused where a file is a link, a pipe, a folder or too large")
    func traps() throws {
        let out = try out { record in
            symlink("/etc/passwd", record.appending(path: "link").path)
            mkfifo(record.appending(path: "pipe").path, 0o600)
            try FileManager.default.createDirectory(
                at: record.appending(path: "folder"), withIntermediateDirectories: true)
            try Data(count: 11).write(to: record.appending(path: "large"))
        }
        for name in ["link", "pipe", "folder", "large"] {
            #expect(throws: CaptureError.self) { try RecordFolder(out: out).read(name, maximumBytes: 10) }
        }
    }

    @Test("is refused where a folder on the way is a link")
    func linkedFolder() throws {
        let out = try out { symlink("/etc", $0.appending(path: "data").path) }
        #expect(throws: CaptureError.self) { try RecordFolder(out: out).read("data/passwd", maximumBytes: 1 << 20) }
    }

    @Test("with another schema or form is refused")
    func badDescription() {
        for text in [#"{"schema": 2, "capturable": true, "refusals": []}"#, "[]", "nonsense", #"{"schema": 1}"#] {
            #expect(throws: CaptureError.self) { try PipelineDescription(json: Data(text.utf8)) }
        }
    }

    @Test("keeps an infinite norm")
    func infiniteNorm() throws {
        let clip = PipelineDescription.GradientClip(kind: "norm", max: 2, normType: .infinity)
        let json = try JSONEncoder().encode(clip)
        #expect(try JSONDecoder().decode(PipelineDescription.GradientClip.self, from: json) == clip)
    }

    @Test("shares equal tensors between runs, and mends a cache that was damaged")
    func cache() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cache-test-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let cache = TensorCache(folder: folder)
        let content = Data("tensors".utf8)
        let (first, second) = (folder.appending(path: "a/t"), folder.appending(path: "b/t"))
        try cache.place(content, at: first)
        try cache.place(content, at: second)
        func inode(_ url: URL) throws -> Int {
            try #require(FileManager.default.attributesOfItem(atPath: url.path)[.systemFileNumber] as? Int)
        }
        #expect(try inode(first) == inode(second))
        try Data("damaged".utf8).write(to: first)
        try cache.place(content, at: second)
        #expect(try Data(contentsOf: second) == content)
    }
}
