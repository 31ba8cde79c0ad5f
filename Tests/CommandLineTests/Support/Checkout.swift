import Foundation

/// The checkout that these tests belong to.
enum Checkout {
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func fixture(_ path: String) -> URL { root.appending(path: "Tests/Fixtures/\(path)") }
}
