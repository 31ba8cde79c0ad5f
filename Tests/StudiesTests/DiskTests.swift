import Foundation
import ResultStore
import Studies
import TestSupport
import Testing

/// A study on a small file system, part of which a filler takes away for the first attempt.
@Suite("A whole study on a full disk", .serialized)
struct DiskTests {
    /// Of what a finished study takes, how much is free when the first attempt begins.
    private static func shares(_ random: inout SeededGenerator) -> [Double] {
        let count = Trials.isVerifying ? 20 : 1
        return (0..<count).map { index in
            0.9 * (Double(index) + Double(random.next() % 1000) / 1000) / Double(count)
        }
    }

    @Test(
        "stops with one sentence or names what failed, and ends in the same store once there is room",
        .timeLimit(.minutes(40)))
    func full() async throws {
        let seed = Trials.seed("study on a full disk")
        var random = SeededGenerator(seed: seed)
        let finished = try await Finished.small.value
        let (reference, expected) = (finished.place, finished.dump)
        let taken = try ["generated", "results", "cache"].reduce(0) { try $0 + kibibytes(reference, $1) }

        var stopped = 0
        for share in Self.shares(&random) {
            let room = Int(Double(taken) * share)
            let place = try place()
            let (first, second) = try await attempts(place, room: room)
            if first.status != 0 {
                stopped += 1
                #expect([1, 3].contains(first.status), "seed \(seed), \(room) KiB: \(first)")
                #expect(first.text.contains("no space left for "), "seed \(seed), \(room) KiB: \(first)")
                #expect(first.text.contains("free some and run the same command again"), "\(first)")
            }
            #expect(second.status == 0, "seed \(seed), \(room) KiB: \(first) then \(second)")
            let differences = try StoreDump(place.root.appending(path: "kept/bench.sqlite")).differences(from: expected)
            #expect(differences == [], "seed \(seed), \(room) KiB: \(differences.joined(separator: "\n"))")
        }
        print("study on a full disk: it takes \(taken) KiB; \(stopped) of its attempts met the end of the disk")
        #expect(stopped > 0)
    }

    private struct Attempt: CustomStringConvertible {
        var status: Int
        var text: String

        var description: String { "exit \(status)\n\(text)" }
    }

    /// Runs the study on a file system of its own with so little room, then with enough; `kept` has the store afterwards.
    private func attempts(_ place: StudyPlace, room: Int) async throws -> (Attempt, Attempt) {
        let llmbench = try Child(in: place.root).executable
        let kept = place.root.appending(path: "kept", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: kept, withIntermediateDirectories: true)
        // Everything a study writes lies on the small file system, the workspace with it. `df` counts what is left of it.
        let script = """
            set -u
            cp -r "$1"/. /mnt/ && rm -r /mnt/kept && cd /mnt
            free=$(df -k --output=avail /mnt | tail -n 1)
            head -c $(((free - $3) * 1024)) /dev/zero > filler
            "$2" study run small.yaml > "$1/kept/first" 2>&1; echo $? > "$1/kept/first.status"
            rm filler
            "$2" study run small.yaml > "$1/kept/second" 2>&1; echo $? > "$1/kept/second.status"
            cp results/small/bench.sqlite* "$1/kept/"
            """
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "bwrap", "--dev-bind", "/", "/", "--size", "\(256 << 20)", "--tmpfs", "/mnt", "--", "sh", "-c", script,
            "sh", place.root.path, llmbench.path, "\(room)",
        ]
        process.standardInput = FileHandle.nullDevice
        let ended = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in ended.continuation.finish() }
        try process.run()
        for await _ in ended.stream {}
        #expect(process.terminationStatus == 0)
        func attempt(_ name: String) throws -> Attempt {
            func text(_ name: String) throws -> String {
                String(decoding: try Data(contentsOf: kept.appending(path: name)), as: UTF8.self)
            }
            let status = try text(name + ".status").trimmingCharacters(in: .whitespacesAndNewlines)
            return Attempt(status: try #require(Int(status)), text: try text(name))
        }
        return (try attempt("first"), try attempt("second"))
    }

    private func place() throws -> StudyPlace {
        let place = try StudyPlace()
        try place.write("small.yaml", StudyPlace.small)
        return place
    }

    /// What the files of a folder take, in blocks of 4 KiB as a file system gives them out.
    private func kibibytes(_ place: StudyPlace, _ folder: String) throws -> Int {
        let root = place.root.appending(path: folder)
        guard let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: [.fileSizeKey]) else {
            return 0
        }
        return try files.reduce(0) { sum, file in
            let size = try (file as? URL)?.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
            return sum + (size + 4095) / 4096 * 4
        }
    }
}
