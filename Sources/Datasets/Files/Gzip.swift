import CZlib

/// Decompression with a bound on what comes out.
enum Gzip {
    enum Failure: Error, Hashable, CustomStringConvertible {
        case truncated
        case corrupt
        case tooLarge(maximumBytes: Int)
        case noMemory

        var description: String {
            switch self {
            case .truncated: "its compressed data break off"
            case .corrupt: "its compressed data are inconsistent"
            case .tooLarge(let maximum): "it decompresses to more than the \(maximum) bytes allowed"
            case .noMemory: "there is no memory to decompress it"
            }
        }
    }

    /// Whether the bytes begin as gzip does.
    static func isCompressed(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1f, 0x8b]) }

    /// All members of a gzip file, one after the other. Zero padding behind the last is ignored, as gzip itself does.
    static func decompress(_ bytes: [UInt8], maximumBytes: Int) throws(Failure) -> [UInt8] {
        var result: [UInt8] = []
        var start = 0
        while start < bytes.count, bytes[start] != 0 || start == 0 {
            start += try member(bytes[start...], into: &result, maximumBytes: maximumBytes)
        }
        return result
    }

    /// Appends one member and returns how many compressed bytes it took.
    private static func member(
        _ input: ArraySlice<UInt8>, into result: inout [UInt8], maximumBytes: Int
    ) throws(Failure) -> Int {
        var stream = z_stream()
        // 15 bits of window, 16 for "gzip only".
        guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .noMemory
        }
        defer { inflateEnd(&stream) }
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        var consumed = 0
        while true {
            let (status, taken, produced) = step(&stream, input.dropFirst(consumed), &chunk)
            consumed += taken
            guard result.count + produced <= maximumBytes else { throw .tooLarge(maximumBytes: maximumBytes) }
            result.append(contentsOf: chunk[..<produced])
            switch status {
            case Z_STREAM_END: return consumed
            case Z_OK where taken > 0 || produced > 0: continue
            case Z_OK, Z_BUF_ERROR: throw .truncated
            case Z_MEM_ERROR: throw .noMemory
            default: throw .corrupt
            }
        }
    }

    private static func step(
        _ stream: inout z_stream, _ input: ArraySlice<UInt8>, _ chunk: inout [UInt8]
    ) -> (status: Int32, taken: Int, produced: Int) {
        input.withUnsafeBufferPointer { source in
            chunk.withUnsafeMutableBufferPointer { target in
                let available = UInt32(clamping: source.count)
                stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                stream.avail_in = available
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                let status = inflate(&stream, Z_NO_FLUSH)
                return (status, Int(available - stream.avail_in), target.count - Int(stream.avail_out))
            }
        }
    }
}
