import CPNG
import Files
import Foundation

/// Reading and writing PNG files through libpng.
///
/// Readers treat every file as hostile: nothing but a regular file is opened, the header is held against the limits before memory
/// is taken for pixels, and damage is an error, never a partial picture.
public enum PNG {
    /// What a file may be at most.
    public struct Limits: Sendable, Hashable {
        public var fileBytes: Int
        /// Pixels.
        public var width: Int
        /// Pixels.
        public var height: Int
        /// Width times height.
        public var pixels: Int

        public init(
            fileBytes: Int = 64 << 20, width: Int = 16_384, height: Int = 16_384, pixels: Int = 64 << 20
        ) {
            self.fileBytes = fileBytes
            self.width = width
            self.height = height
            self.pixels = pixels
        }

        var c: cpng_limits {
            cpng_limits(
                max_width: UInt32(clamping: width), max_height: UInt32(clamping: height),
                max_pixels: UInt64(clamping: pixels))
        }
    }

    /// What the header says.
    public struct Header: Sendable, Hashable {
        /// How the file stores its pixels.
        public enum Colour: UInt8, Sendable, Hashable {
            case grey = 0
            case rgb = 2
            case palette = 3
            case greyAlpha = 4
            case rgba = 6
        }

        public var width: Int
        public var height: Int
        /// 1, 2, 4, 8 or 16, in the file.
        public var bitDepth: Int
        public var colour: Colour
    }

    /// A decoded file and what libpng found odd about it.
    public struct Decoded: Sendable, Hashable {
        public var image: Image
        public var header: Header
        /// The first warning, where there was one: a wrong checksum in a text chunk, for instance.
        public var warning: String?
    }

    /// Reads a file to 8-bit grey or RGB: 16-bit samples are scaled, fewer than 8 bits widened to 0...255, palettes resolved,
    /// alpha dropped.
    ///
    /// - Throws: `PNGError`.
    public static func read(_ url: URL, limits: Limits = Limits()) throws(PNGError) -> Image {
        let bytes = try load(url, limits: limits)
        return try decode(bytes, name: url.path(percentEncoded: false), limits: limits).image
    }

    /// The header alone; nothing is decoded.
    ///
    /// - Throws: `PNGError`.
    public static func header(_ url: URL, limits: Limits = Limits()) throws(PNGError) -> Header {
        let bytes = try load(url, limits: limits)
        let name = url.path(percentEncoded: false)
        var result = cpng_image()
        try check(cpng_read_header(bytes, bytes.count, limits.c, &result), result, name: name, limits: limits)
        return try makeHeader(result, name: name)
    }

    /// Decodes a file in memory.
    ///
    /// - Parameter name: What errors call it.
    /// - Throws: `PNGError`.
    public static func decode(
        _ bytes: [UInt8], name: String = "image", limits: Limits = Limits()
    ) throws(PNGError) -> Decoded {
        guard bytes.count <= limits.fileBytes else {
            throw .unreadable(.tooLarge(path: name, maximumBytes: limits.fileBytes))
        }
        var result = cpng_image()
        let status = cpng_read(bytes, bytes.count, limits.c, &result)
        defer { cpng_free(result.pixels) }
        try check(status, result, name: name, limits: limits)
        let header = try makeHeader(result, name: name)
        let samples = Array(UnsafeBufferPointer(start: result.pixels, count: result.pixel_bytes))
        return Decoded(
            image: Image(checked: header.width, header.height, Int(result.channels), samples), header: header,
            warning: result.warnings > 0 ? text(result.warning) : nil)
    }

    /// Encodes as 8-bit grey or RGB. The same image, level and zlib give the same bytes.
    ///
    /// - Parameter level: zlib's, from 0 (stored) to 9 (smallest).
    /// - Throws: `PNGError.unwritable`.
    public static func encode(_ image: Image, level: Int = 6) throws(PNGError) -> [UInt8] {
        guard let width = UInt32(exactly: image.width), let height = UInt32(exactly: image.height) else {
            throw .unwritable(
                WriteFailure(path: "image", reason: "\(image.width)×\(image.height) pixels do not fit a PNG"))
        }
        var data: UnsafeMutablePointer<UInt8>?
        var length = 0
        var message = [CChar](repeating: 0, count: Int(CPNG_MESSAGE_LENGTH))
        let status = cpng_write(
            image.bytes, width, height, UInt8(image.channels), Int32(clamping: level), &data, &length, &message)
        defer { cpng_free(data) }
        guard status == CPNG_OK else {
            let reason = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw .unwritable(WriteFailure(path: "image", reason: reason))
        }
        return Array(UnsafeBufferPointer(start: data, count: length))
    }

    /// Writes a file as a whole or not at all: a temporary neighbour is filled, synchronised to the disk and renamed.
    ///
    /// - Throws: `PNGError.unwritable`.
    public static func write(_ image: Image, to url: URL, level: Int = 6) throws(PNGError) {
        let bytes = try encode(image, level: level)
        do {
            try AtomicFile.write(bytes, to: url, synchronisesFolder: false)
        } catch {
            throw .unwritable(error)
        }
    }

    private static func load(_ url: URL, limits: Limits) throws(PNGError) -> [UInt8] {
        do {
            return try UntrustedFile.read(url, maximumBytes: limits.fileBytes)
        } catch {
            throw .unreadable(error)
        }
    }

    private static func check(
        _ status: cpng_status, _ result: cpng_image, name: String, limits: Limits
    ) throws(PNGError) {
        switch status {
        case CPNG_OK: return
        case CPNG_TOO_LARGE:
            throw .tooLarge(path: name, width: Int(result.width), height: Int(result.height), limits: limits)
        case CPNG_NO_MEMORY:
            throw .outOfMemory(path: name)
        default: throw .corrupt(path: name, reason: text(result.message))
        }
    }

    private static func makeHeader(_ result: cpng_image, name: String) throws(PNGError) -> Header {
        guard let colour = Header.Colour(rawValue: result.color_type) else {
            throw .corrupt(path: name, reason: "unknown colour type \(result.color_type)")
        }
        return Header(
            width: Int(result.width), height: Int(result.height), bitDepth: Int(result.bit_depth), colour: colour)
    }

    /// A C string in a fixed array.
    private static func text<Tuple>(_ tuple: Tuple) -> String {
        withUnsafeBytes(of: tuple) { printable(String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)) }
    }
}

/// Why a PNG was not read or written.
public enum PNGError: Error, Sendable, Hashable, CustomStringConvertible {
    case unreadable(UntrustedFileError)
    case corrupt(path: String, reason: String)
    case tooLarge(path: String, width: Int, height: Int, limits: PNG.Limits)
    case outOfMemory(path: String)
    case unwritable(WriteFailure)

    public var description: String {
        switch self {
        case .unreadable(let error): error.description
        case .corrupt(let path, let reason): "\(printable(path)) is not a readable PNG: \(reason)"
        case .tooLarge(let path, let width, let height, let limits):
            "\(printable(path)) has \(width)×\(height) pixels; at most \(limits.width)×\(limits.height) and "
                + "\(limits.pixels) in all are read"
        case .outOfMemory(let path): "there is no memory to decode \(printable(path))"
        case .unwritable(let failure): failure.description
        }
    }
}
