import Foundation
import TensorRuntime
import Testing

@testable import Training

@Suite("Checkpoints on disk")
struct CheckpointFolderTests {
    private func tensor(_ value: Float) throws -> [String: Tensor] {
        ["w": try Tensor(shape: [2], values: [value, -value])]
    }

    @Test("come back bit for bit, the newest first, and only two are kept")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let checkpoints = CheckpointFolder(url: folder.url)
        #expect(try checkpoints.latest() == nil)
        for epoch in 1...4 {
            try checkpoints.save(epoch: epoch, tensors: tensor(Float(epoch)), metadata: ["e": "\(epoch)"])
        }
        let latest = try #require(try checkpoints.latest())
        #expect(latest.epoch == 4)
        #expect(latest.damaged.isEmpty)
        #expect(latest.tensors.metadata == ["e": "4"])
        #expect(try latest.tensors.tensor("w").values == [4, -4])
        #expect(try folder.files.count == 2)
    }

    @Test("that are damaged give way to the one before", arguments: ["flip", "cut", "empty", "link"])
    func damaged(how: String) throws {
        let folder = try TemporaryFolder()
        let checkpoints = CheckpointFolder(url: folder.url)
        for epoch in 1...2 { try checkpoints.save(epoch: epoch, tensors: tensor(Float(epoch)), metadata: [:]) }
        let newest = folder.url.appending(path: try #require(try folder.files.last))
        var data = try Data(contentsOf: newest)
        switch how {
        case "flip": data[data.count - 1] ^= 1
        case "cut": data.removeLast(3)
        case "empty": data = Data()
        default:
            try FileManager.default.removeItem(at: newest)
            try FileManager.default.createSymbolicLink(
                at: newest, withDestinationURL: folder.url.appending(path: try #require(try folder.files.first)))
        }
        if how != "link" { try data.write(to: newest) }
        let latest = try #require(try checkpoints.latest())
        #expect(latest.epoch == 1)
        #expect(latest.damaged == [newest.lastPathComponent])
        // A checkpoint that is written next replaces the damaged one and keeps the good one.
        try checkpoints.save(epoch: 2, tensors: tensor(2), metadata: [:])
        #expect(try checkpoints.latest()?.epoch == 2)
        #expect(try checkpoints.latest()?.damaged == [])
    }

    @Test("that are all damaged are an error and not a fresh start")
    func allDamaged() throws {
        let folder = try TemporaryFolder()
        let checkpoints = CheckpointFolder(url: folder.url)
        try checkpoints.save(epoch: 1, tensors: tensor(1), metadata: [:])
        try Data("x".utf8).write(to: folder.url.appending(path: try #require(try folder.files.first)))
        #expect(throws: TrainingError.noUsableCheckpoint(path: folder.url.path, damaged: 1)) {
            try checkpoints.latest()
        }
    }

    @Test("half written under another name are no checkpoints, and go with the next one")
    func partial() throws {
        let folder = try TemporaryFolder()
        try Data("x".utf8).write(to: folder.url.appending(path: ".epoch-00003.abc.safetensors.12-1.partial"))
        try Data("x".utf8).write(to: folder.url.appending(path: "notes.txt"))
        let checkpoints = CheckpointFolder(url: folder.url)
        #expect(try checkpoints.latest() == nil)
        try checkpoints.save(epoch: 4, tensors: tensor(4), metadata: [:])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(names.count == 2 && names.contains("notes.txt"), "\(names)")
    }
}
