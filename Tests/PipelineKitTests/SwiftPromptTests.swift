import Foundation
import Testing

@Suite("The prompt of the target swift")
struct SwiftPromptTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test("says what the libraries' comments say now, in at most 6000 tokens")
    func isCurrent() throws {
        let modules = try #require(Bundle.main.executableURL).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "Modules")
        let process = Process()
        process.executableURL = Self.root.appending(path: "scripts/make-swift-prompt")
        process.arguments = ["--check", "--modules", modules.path]
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let said = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
    }
}
