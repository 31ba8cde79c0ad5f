import Files
import Foundation
import Testing

@testable import Datasets

/// What code in the sandbox may leave where a picture should be.
@Suite struct UntrustedFileTests {
    @Test func aLinkIsNotFollowed() throws {
        let folder = try TemporaryFolder()
        try folder.write([1, 2, 3], "secret")
        try FileManager.default.createSymbolicLink(
            at: folder.file("image.png"), withDestinationURL: folder.file("secret"))
        let path = folder.file("image.png").path(percentEncoded: false)
        #expect(throws: UntrustedFileError.notRegular(path: path)) {
            try UntrustedFile.read(folder.file("image.png"), maximumBytes: 100)
        }
        #expect(throws: PNGError.unreadable(.notRegular(path: path))) { try PNG.read(folder.file("image.png")) }
    }

    @Test(.timeLimit(.minutes(10))) func aFIFODoesNotBlock() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("image.png").path(percentEncoded: false)
        #expect(mkfifo(path, 0o600) == 0)
        #expect(throws: PNGError.unreadable(.notRegular(path: path))) { try PNG.read(folder.file("image.png")) }
    }

    @Test func foldersDevicesAndSocketsAreNoFiles() throws {
        let folder = try TemporaryFolder()
        #expect(throws: UntrustedFileError.self) { try UntrustedFile.read(folder.url, maximumBytes: 100) }
        #expect(throws: UntrustedFileError.notRegular(path: "/dev/zero")) {
            try UntrustedFile.read(URL(filePath: "/dev/zero"), maximumBytes: 100)
        }
        let name = folder.file("socket").path(percentEncoded: false)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name.utf8.prefix(107)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0, "the path of the temporary folder is short enough for a socket")
        #expect(throws: UntrustedFileError.notRegular(path: name)) {
            try UntrustedFile.read(folder.file("socket"), maximumBytes: 100)
        }
    }

    @Test func aFileLargerThanAllowedIsNotRead() throws {
        let folder = try TemporaryFolder()
        try folder.write([UInt8](repeating: 7, count: 101), "a")
        #expect(
            throws: UntrustedFileError.tooLarge(path: folder.file("a").path(percentEncoded: false), maximumBytes: 100)
        ) {
            try UntrustedFile.read(folder.file("a"), maximumBytes: 100)
        }
        #expect(try UntrustedFile.read(folder.file("a"), maximumBytes: 101).count == 101)
        // A file whose stated size is 0 although it has content: the bound holds while reading.
        #expect(throws: UntrustedFileError.self) {
            try UntrustedFile.read(URL(filePath: "/proc/self/maps"), maximumBytes: 16)
        }
    }

    @Test func noComponentBelowAFolderMayBeALinkOrLeaveIt() throws {
        let folder = try TemporaryFolder()
        let out = try folder.makeFolder("out")
        _ = try folder.makeFolder("elsewhere")
        try folder.write([1], "elsewhere/a")
        _ = try folder.makeFolder("out/inner")
        try folder.write([2], "out/inner/a")
        try FileManager.default.createSymbolicLink(
            at: folder.file("out/link"), withDestinationURL: folder.file("elsewhere"))
        #expect(try UntrustedFile.read("inner/a", below: out, maximumBytes: 10) == [2])
        for path in [
            "link/a", "../elsewhere/a", "inner/../../elsewhere/a", "/etc/passwd", "", "inner//a", "inner/a\0b",
            "none/a",
        ] {
            #expect(throws: UntrustedFileError.self, "\(path)") {
                try UntrustedFile.read(path, below: out, maximumBytes: 10)
            }
        }
    }

    @Test func aMissingFileIsNamed() throws {
        let error = #expect(throws: UntrustedFileError.self) {
            try UntrustedFile.read(URL(filePath: "/nowhere/a.png"), maximumBytes: 10)
        }
        #expect(error?.description == "cannot open /nowhere/a.png: No such file or directory")
    }

    @Test func namesCannotRewriteTheTerminal() {
        #expect(printable("a\u{1b}[31m\nb\u{202e}") == "a\\u{1b}[31m\\u{a}b\\u{202e}")
        #expect(printable("Größe 日本.png") == "Größe 日本.png")
    }
}
