import CZlib
import Foundation

/// The entries of a ZIP file that somebody else made, within bounds.
///
/// Only the central directory is believed, and only so far as its numbers hold: every offset is checked, and an entry that grows
/// beyond its bound or its stated size while it is inflated is refused, so that a small file cannot fill the memory.
/// Stored and deflated entries are read; encryption, ZIP64 and files in several parts are not, and no XLSX of a
/// sensible size needs them. Layout: PKWARE's APPNOTE 6.3, sections 4.3.7 to 4.3.16.
struct ZipArchive {
    struct Limits {
        var entries = 256
        var entryBytes = 32 << 20
        /// Expanded over compressed size, once an entry is larger than a mebibyte. DEFLATE reaches 1032.
        var ratio = 300
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private struct Entry {
        var method: Int
        var compressedBytes: Int
        var expandedBytes: Int
        var offset: Int
    }

    private let bytes: [UInt8]
    private let limits: Limits
    private var entries: [String: Entry] = [:]

    /// Names, sorted.
    var names: [String] { entries.keys.sorted() }

    init(_ bytes: [UInt8], limits: Limits = Limits()) throws(Failure) {
        self.bytes = bytes
        self.limits = limits
        // The end record is 22 bytes and a comment of up to 64 KiB.
        let candidates = stride(from: bytes.count - 22, through: max(0, bytes.count - 22 - 0xffff), by: -1)
        guard bytes.count >= 22, let end = candidates.first(where: { Self.number(bytes, $0, 4) == 0x0605_4b50 }) else {
            throw Failure(description: "it is no ZIP file")
        }
        let count = Self.number(bytes, end + 10, 2)
        guard count <= limits.entries else { throw Failure(description: "it has \(count) parts") }
        var position = Self.number(bytes, end + 16, 4)
        for _ in 0..<count {
            guard position + 46 <= bytes.count, Self.number(bytes, position, 4) == 0x0201_4b50 else {
                throw Failure(description: "its directory is damaged")
            }
            let nameLength = Self.number(bytes, position + 28, 2)
            let next =
                position + 46 + nameLength + Self.number(bytes, position + 30, 2) + Self.number(bytes, position + 32, 2)
            guard next <= bytes.count else { throw Failure(description: "its directory is damaged") }
            guard Self.number(bytes, position + 8, 2) & 1 == 0 else { throw Failure(description: "it is encrypted") }
            let name = String(decoding: bytes[(position + 46)..<(position + 46 + nameLength)], as: UTF8.self)
            entries[name] = Entry(
                method: Self.number(bytes, position + 10, 2), compressedBytes: Self.number(bytes, position + 20, 4),
                expandedBytes: Self.number(bytes, position + 24, 4), offset: Self.number(bytes, position + 42, 4))
            position = next
        }
    }

    private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    /// The content of an entry; nil where there is none of that name.
    func content(_ name: String) throws(Failure) -> [UInt8]? {
        guard let entry = entries[name] else { return nil }
        guard entry.offset + 30 <= bytes.count, Self.number(bytes, entry.offset, 4) == 0x0403_4b50 else {
            throw Failure(description: "its part '\(name)' is damaged")
        }
        let start =
            entry.offset + 30 + Self.number(bytes, entry.offset + 26, 2) + Self.number(bytes, entry.offset + 28, 2)
        guard start + entry.compressedBytes <= bytes.count else {
            throw Failure(description: "its part '\(name)' is cut off")
        }
        let isBomb = entry.expandedBytes > 1 << 20 && entry.expandedBytes / max(1, entry.compressedBytes) > limits.ratio
        guard entry.expandedBytes <= limits.entryBytes, !isBomb else {
            throw Failure(description: "its part '\(name)' would grow to \(entry.expandedBytes) bytes")
        }
        let stored = bytes[start..<(start + entry.compressedBytes)]
        switch entry.method {
        case 0:
            guard stored.count == entry.expandedBytes else {
                throw Failure(description: "its part '\(name)' is damaged")
            }
            return Array(stored)
        case 8: return try inflate(stored, name: name, expandedBytes: entry.expandedBytes)
        default: throw Failure(description: "its part '\(name)' is compressed in an unknown way")
        }
    }

    private func inflate(_ stored: ArraySlice<UInt8>, name: String, expandedBytes: Int) throws(Failure) -> [UInt8] {
        var stream = z_stream()
        guard inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Failure(description: "zlib does not start")
        }
        defer { inflateEnd(&stream) }
        var input = Array(stored)
        // One byte more than stated, so that an entry that does not end there is seen.
        var output = [UInt8](repeating: 0, count: expandedBytes + 1)
        let status = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                return CZlib.inflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END, Int(stream.total_out) == expandedBytes else {
            throw Failure(description: "its part '\(name)' is damaged")
        }
        output.removeLast()
        return output
    }
}
