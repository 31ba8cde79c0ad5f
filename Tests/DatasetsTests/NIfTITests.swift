import CZlib
import Foundation
import Testing

@testable import Datasets

@Suite struct NIfTITests {
    struct Meaning: Decodable {
        var size: [Int]
        var spacing: [Double]
        var voxels: [Float]
    }

    @Test func everyTypeByteOrderAndOrientationReadsAsNibabelReadsIt() throws {
        let expected: [String: Meaning] = try Fixtures.json("nifti/expected.json")
        #expect(expected.count == 10)
        for (name, meaning) in expected {
            let volume = try NIfTI.read(Fixtures.url("nifti/\(name)"))
            #expect([volume.size.x, volume.size.y, volume.size.z] == meaning.size, "\(name)")
            for (ours, theirs) in zip([volume.spacing.x, volume.spacing.y, volume.spacing.z], meaning.spacing) {
                #expect(abs(ours - theirs) < 1e-5, "\(name)")
            }
            #expect(volume.voxels == meaning.voxels, "\(name)")
        }
    }

    @Test func anAxialSliceShowsTheFrontAtTheTopAndTheRightSideOnTheLeft() throws {
        let volume = Volume(size: (2, 3, 2), spacing: (1, 1, 1), voxels: (0..<12).map(Float.init))
        // Voxel (x, y, z) holds x + 2 y + 6 z; x grows to the patient's right, y to the front.
        #expect(volume.axialSlice(1) == [11, 10, 9, 8, 7, 6])
        #expect(volume.axialSlice(2) == nil && volume.axialSlice(-1) == nil)
    }

    @Test func everyTruncationIsAnError() throws {
        for name in ["uint8-ras.nii.gz", "int32-asr.nii"] {
            let whole = try Fixtures.bytes("nifti/\(name)")
            for length in 0..<whole.count {
                #expect(throws: NIfTIError.self, "\(name) cut to \(length)") {
                    try NIfTI.decode(Array(whole.prefix(length)))
                }
            }
        }
    }

    @Test func randomDamageNeverCrashes() throws {
        var generator = SeededGenerator(seed: Fixtures.seed("NIfTI randomDamageNeverCrashes"))
        for name in ["int16-lpi-big.nii", "float32-qform.nii", "uint8-ras.nii.gz"] {
            let whole = try Fixtures.bytes("nifti/\(name)")
            for _ in 0..<400 {
                var bytes = whole
                for _ in 0...Int(generator.next() % 3) {
                    bytes[Int(generator.next() % UInt64(min(bytes.count, 352)))] = UInt8(
                        truncatingIfNeeded: generator.next())
                }
                if let volume = try? NIfTI.decode(bytes, limits: .init(volumeBytes: 1 << 20)) {
                    #expect(volume.voxels.count == volume.size.x * volume.size.y * volume.size.z)
                }
            }
        }
    }

    @Test func everyFieldThatCannotBeIsAnErrorThatNamesIt() throws {
        let sound = try Fixtures.bytes("nifti/uint8-las.nii")
        func changed(_ at: Int, _ bytes: [UInt8]) -> [UInt8] {
            var copy = sound
            copy.replaceSubrange(at..<at + bytes.count, with: bytes)
            return copy
        }
        let cases: [(bytes: [UInt8], says: String)] = [
            (changed(0, [0, 0, 0, 0]), "is not a NIfTI-1 file"),
            (changed(0, [0x1c, 2, 0, 0]), "NIfTI-2"),
            (changed(344, Array("ni1\0".utf8)), ".hdr/.img pair"),
            (changed(344, Array("xyz\0".utf8)), "is not a NIfTI-1 file"),
            (changed(40, [9, 0]), "claims 9 dimensions"),
            (changed(40, [2, 0]), "not one volume"),
            (changed(40, [4, 0, 3, 0, 4, 0, 5, 0, 2, 0]), "not one volume"),
            (changed(42, [0, 0]), "lengths are [0"),
            (changed(42, [0xff, 0xff]), "lengths are [-1"),
            (changed(70, [0, 2]), "NIfTI type 512"),
            (changed(72, [16, 0]), "said to have 16 bits"),
            (changed(108, [0, 0, 0x80, 0x3f]), "start at byte 1.0"),
            (changed(108, [0, 0, 0x80, 0x7f]), "start at byte inf"),
            (changed(112, [0, 0, 0xc0, 0x7f]), "is not finite"),
            (changed(280, [UInt8](repeating: 0, count: 48)), "does not span space"),
            (changed(42, [0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f]), "32767×32767×32767"),
            (changed(42, [200, 0]), "the file ends at byte"),
        ]
        for (bytes, says) in cases {
            let error = #expect(throws: NIfTIError.self, "\(says)") { try NIfTI.decode(bytes) }
            #expect(error?.description.contains(says) == true, "\(says): \(error?.description ?? "no error")")
        }
    }

    @Test func aDecompressionBombStopsAtTheLimit() throws {
        let bomb = gzip([UInt8](repeating: 0, count: 8 << 20))
        #expect(bomb.count < 20_000)
        let error = #expect(throws: NIfTIError.self) { try NIfTI.decode(bomb, limits: .init(volumeBytes: 1 << 20)) }
        #expect(error?.description.contains("more than the 1048576 bytes") == true)
    }

    @Test func membersOfAGzipFileAreJoinedAndItsChecksumCounts() throws {
        let text = Array("half a volume".utf8)
        #expect(try Gzip.decompress(gzip(text) + gzip(text), maximumBytes: 100) == text + text)
        #expect(try Gzip.decompress(gzip(text) + [0, 0, 0], maximumBytes: 100) == text)
        #expect(try Gzip.decompress(gzip([]), maximumBytes: 100).isEmpty)
        var damaged = gzip(text)
        damaged[damaged.count - 6] ^= 1
        #expect(throws: Gzip.Failure.corrupt) { try Gzip.decompress(damaged, maximumBytes: 100) }
        #expect(throws: Gzip.Failure.truncated) { try Gzip.decompress(Array(gzip(text).dropLast()), maximumBytes: 100) }
    }

    @Test func linksAndMissingFilesAreNotRead() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            at: folder.file("a.nii"), withDestinationURL: Fixtures.url("nifti/uint8-las.nii"))
        #expect(throws: NIfTIError.self) { try NIfTI.read(folder.file("a.nii")) }
        #expect(throws: NIfTIError.self) { try NIfTI.read(folder.file("b.nii")) }
    }
}

/// One gzip member.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))) + 64)
    var input = bytes + [0]
    return input.withUnsafeMutableBufferPointer { source in
        output.withUnsafeMutableBufferPointer { target in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(bytes.count)
            stream.next_out = target.baseAddress
            stream.avail_out = UInt32(target.count)
            deflate(&stream, Z_FINISH)
            return Array(target.prefix(target.count - Int(stream.avail_out)))
        }
    }
}
