import Foundation
import Testing

@testable import Datasets

@Suite struct PNGTests {
    struct Meaning: Decodable {
        var width: Int
        var height: Int
        var channels: Int
        var depth: Int
        var bytes: [UInt8]
    }

    @Test func everyKindOfFileDecodesToThePixelsItMeans() throws {
        let expected: [String: Meaning] = try Fixtures.json("png/expected.json")
        #expect(expected.count == 18)
        for (name, meaning) in expected {
            let decoded = try PNG.decode(try Fixtures.bytes("png/\(name)"))
            #expect(decoded.image.width == meaning.width && decoded.image.height == meaning.height, "\(name)")
            #expect(decoded.image.channels == meaning.channels, "\(name)")
            #expect(decoded.header.bitDepth == meaning.depth, "\(name)")
            #expect(decoded.image.bytes == meaning.bytes, "\(name)")
        }
    }

    @Test func damageBesideThePixelsIsAWarningAndNotAnError() throws {
        let decoded = try PNG.decode(try Fixtures.bytes("png/grey8-bad-text-checksum.png"))
        #expect(decoded.warning?.contains("CRC") == true)
        #expect(try PNG.decode(try Fixtures.bytes("png/grey8.png")).warning == nil)
    }

    @Test(arguments: [1, 3]) func whatIsWrittenReadsBackAtEveryLevel(channels: Int) throws {
        let folder = try TemporaryFolder()
        var generator = SeededGenerator(seed: 9)
        let bytes = (0..<(13 * 17 * channels)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        let image = try Image(width: 13, height: 17, channels: channels, bytes: bytes)
        for level in [0, 1, 6, 9] {
            try PNG.write(image, to: folder.file("image.png"), level: level)
            #expect(try PNG.read(folder.file("image.png")) == image)
            #expect(try PNG.encode(image, level: level) == PNG.encode(image, level: level))
        }
        let header = try PNG.header(folder.file("image.png"))
        #expect(header.width == 13 && header.height == 17 && header.bitDepth == 8)
        #expect(header.colour == (channels == 1 ? .grey : .rgb))
        #expect(try names(folder.url) == ["image.png"], "no temporary file is left behind")
    }

    @Test func everyTruncationOfAFileIsAnErrorAndNotAPicture() throws {
        for name in ["grey8.png", "rgb8-interlaced.png", "palette4.png"] {
            let whole = try Fixtures.bytes("png/\(name)")
            for length in 0..<whole.count {
                #expect(throws: PNGError.self, "\(name) cut to \(length)") {
                    try PNG.decode(Array(whole.prefix(length)))
                }
            }
        }
    }

    @Test func randomDamageNeverCrashes() throws {
        var generator = SeededGenerator(seed: Fixtures.seed("randomDamageNeverCrashes"))
        for name in ["grey16.png", "rgba8.png", "palette8.png", "rgb8-interlaced.png"] {
            let whole = try Fixtures.bytes("png/\(name)")
            for _ in 0..<500 {
                var bytes = whole
                for _ in 0...Int(generator.next() % 4) {
                    let at = Int(generator.next() % UInt64(bytes.count))
                    bytes[at] = UInt8(truncatingIfNeeded: generator.next())
                }
                let image = try? PNG.decode(bytes, limits: .init(width: 4096, height: 4096, pixels: 1 << 20)).image
                if let image { #expect(image.bytes.count == image.width * image.height * image.channels) }
            }
        }
    }

    @Test func aHeaderThatAnnouncesAHugePictureIsRefusedBeforeMemoryIsTaken() throws {
        for (width, height) in [(UInt32(1_000_000), UInt32(1_000_000)), (0x7fff_ffff, 1), (20_000, 20_000)] {
            var file = try Fixtures.bytes("png/grey8.png")
            file.replaceSubrange(16..<24, with: bigEndian(width) + bigEndian(height))
            file.replaceSubrange(29..<33, with: bigEndian(crc32(Array(file[12..<29]))))
            #expect(
                throws: PNGError.tooLarge(path: "bomb.png", width: Int(width), height: Int(height), limits: .init())
            ) {
                try PNG.decode(file, name: "bomb.png")
            }
        }
    }

    @Test func limitsAreOnSidesPixelsAndFileSize() throws {
        let file = try Fixtures.bytes("png/grey8.png")
        for limits in [PNG.Limits(width: 10), .init(height: 6), .init(pixels: 76), .init(fileBytes: 50)] {
            #expect(throws: PNGError.self) { try PNG.decode(file, limits: limits) }
        }
        #expect(try PNG.decode(file, limits: .init(width: 11, height: 7, pixels: 77)).image.pixels == 77)
    }

    @Test func whatIsNoPNGIsSaidToBeNone() throws {
        for bytes in [[], Array("GIF89a".utf8), [UInt8](repeating: 0, count: 100)] {
            #expect(throws: PNGError.self) { try PNG.decode(bytes) }
        }
        let error = #expect(throws: PNGError.self) {
            try PNG.decode(Array("hello world".utf8), name: "a\u{1b}[2Jb.png")
        }
        #expect(error?.description == "a\\u{1b}[2Jb.png is not a readable PNG: not a PNG signature")
    }

    @Test func aFolderThatCannotBeWrittenIsOneSentence() throws {
        let folder = try TemporaryFolder()
        let image = try Image(width: 2, height: 2, channels: 1)
        let error = #expect(throws: PNGError.self) { try PNG.write(image, to: folder.file("none/image.png")) }
        #expect(error?.description.hasSuffix("none/image.png: No such file or directory") == true)
        #expect(throws: PNGError.self) { try PNG.encode(image, level: 12) }
    }

    @Test func aRenameOverAFolderLeavesNoTemporaryFile() throws {
        let folder = try TemporaryFolder()
        _ = try folder.makeFolder("image.png")
        #expect(throws: PNGError.self) {
            try PNG.write(try Image(width: 2, height: 2, channels: 1), to: folder.file("image.png"))
        }
        #expect(try names(folder.url) == ["image.png"])
    }

    private func bigEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 0xff) } }

    /// The checksum of PNG chunks, bit by bit.
    private func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc = ~UInt32(0)
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }
}

@Suite struct ImageTests {
    @Test func shapesThatCannotBeAreErrors() {
        for (width, height, channels) in [(0, 1, 1), (1, -1, 1), (1, 1, 2), (Int.max, 2, 1)] {
            #expect(throws: ImageError.shape(width: width, height: height, channels: channels)) {
                try Image(width: width, height: height, channels: channels)
            }
        }
        #expect(throws: ImageError.sampleCount(width: 2, height: 2, channels: 1, got: 3)) {
            try Image(width: 2, height: 2, channels: 1, bytes: [1, 2, 3])
        }
    }

    @Test func greyIsTheLumaOfBT601() throws {
        let colours: [UInt8] = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 10, 20, 30]
        let image = try Image(width: 5, height: 1, channels: 3, bytes: colours)
        #expect(image.grey().bytes == [76, 150, 29, 255, 18])
        #expect(image.grey().rgb().grey() == image.grey())
    }
}
