import Foundation
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("llmbench view")
struct ViewTests {
    @Test("prints where it listens, serves the study there, and ends with exit 0 when interrupted")
    func serves() async throws {
        let workspace = try ScratchWorkspace()
        #expect(try await workspace.makeStudy().status == 1)
        let viewing = try Viewing(workspace)
        defer { viewing.kill() }
        let address = try await viewing.address()
        #expect(address.host() == "127.0.0.1")
        let page = String(decoding: try await URLSession.shared.data(from: address).0, as: UTF8.self)
        #expect(page.contains("Study default") && page.contains("llmbench-live"), "\(page.prefix(400))")
        let taken = try await workspace.llmbench("view", "--port", "\(try #require(address.port))")
        #expect(taken.status == 3, "\(taken)")
        #expect(taken.errors.contains("cannot be used: another program has it; give another --port"), "\(taken)")
        #expect(await viewing.interrupt() == 0)
    }

    @Test("report html writes what report all --format html writes")
    func pages() async throws {
        let workspace = try ScratchWorkspace()
        #expect(try await workspace.makeStudy().status == 1)
        let folders = ["one", "two"].map { workspace.scratch.url.appending(path: $0) }
        let calls = [["report", "html"], ["report", "all", "--format", "html"]]
        for (folder, call) in zip(folders, calls) {
            let outcome = try await workspace.program().run(call + ["--output", folder.path])
            #expect(outcome.status == 0 && outcome.output == folder.path + "/index.html\n", "\(outcome)")
        }
        let lists = try folders.map { try FileManager.default.subpathsOfDirectory(atPath: $0.path).sorted() }
        #expect(lists[0] == lists[1] && lists[0].contains("runs.html") && lists[0].contains("tables/dice.html"))
    }
}

/// `llmbench view` while it runs.
private final class Viewing {
    private let process = Process()
    private let output = Pipe()

    init(_ workspace: ScratchWorkspace) throws {
        let program = try workspace.program()
        process.executableURL = program.executable
        process.arguments = ["view", "--port", "0"]
        process.currentDirectoryURL = workspace.root
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// What it printed.
    func address() async throws -> URL {
        let handle = output.fileHandleForReading
        let line = await Task.detached { String(decoding: handle.availableData, as: UTF8.self) }.value
        return try #require(URL(string: line.trimmingCharacters(in: .newlines)), "\(line)")
    }

    /// - Returns: its exit status.
    func interrupt() async -> Int32 {
        process.interrupt()
        let process = UncheckedProcess(process)
        return await Task.detached {
            process.value.waitUntilExit()
            return process.value.terminationReason == .exit ? process.value.terminationStatus : -1
        }.value
    }

    func kill() { if process.isRunning { process.terminate() } }

    private struct UncheckedProcess: @unchecked Sendable {
        let value: Process
        init(_ value: Process) { self.value = value }
    }
}
