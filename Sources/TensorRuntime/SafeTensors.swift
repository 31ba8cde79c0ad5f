import Foundation

/// Reading and writing of the safetensors format.
///
/// ```swift
/// let file = try SafeTensors(contentsOf: url)
/// let weight = try file.tensor("enc1.0.weight")
/// try SafeTensors.write(["weight": weight], metadata: ["epoch": "3"], to: copy)
/// ```
///
/// The format: eight bytes with the length of the header, a JSON header with dtype, shape and byte range of each tensor, then
/// the bytes (https://huggingface.co/docs/safetensors). The file is mapped, and everything in the header is checked before a
/// tensor is touched, since files come from code that nobody trusts: as in the reference implementation the byte ranges must
/// cover the rest of the file without overlaps and holes. What it does not do: guard against a file that another process
/// shortens while it is mapped. Elements are widened to floats (64-bit numbers are rounded); the types of 8 bits and less that
/// are no integers, and complex numbers, are refused by name.
public struct SafeTensors: Sendable {
    /// The element types that can be read.
    public enum ElementType: String, Sendable, CaseIterable {
        case float32 = "F32"
        case float64 = "F64"
        case float16 = "F16"
        /// The upper half of a `float32`.
        case bfloat16 = "BF16"
        case int64 = "I64"
        case int32 = "I32"
        case int16 = "I16"
        case int8 = "I8"
        case uint64 = "U64"
        case uint32 = "U32"
        case uint16 = "U16"
        case uint8 = "U8"
        case bool = "BOOL"

        /// Bytes an element.
        public var size: Int {
            switch self {
            case .float64, .int64, .uint64: return 8
            case .float32, .int32, .uint32: return 4
            case .float16, .bfloat16, .int16, .uint16: return 2
            case .int8, .uint8, .bool: return 1
            }
        }
    }

    /// Where one tensor lies.
    public struct Entry: Sendable, Equatable {
        /// How elements are stored.
        public let type: ElementType
        /// The size along each axis.
        public let shape: [Int]
        /// Byte range behind the header.
        public let range: Range<Int>
    }

    /// The tensors by name.
    public let entries: [String: Entry]
    /// The `__metadata__` of the header.
    public let metadata: [String: String]

    private let data: Data
    private let start: Int
    private let name: String

    /// The longest header that is read: 16 MiB.
    public static let maximumHeader = 16 << 20

    /// Maps a file and checks its header.
    ///
    /// Throws `RuntimeError.file` when it cannot be opened, is a symbolic link or no plain file, or is larger than `maximumBytes`,
    /// and `RuntimeError.invalidSafeTensors` when its content is not sound.
    public init(contentsOf url: URL, maximumBytes: Int = 8 << 30) throws {
        try self.init(data: PlainFile.map(url, maximumBytes: maximumBytes), name: url.lastPathComponent)
    }

    /// Checks the header of a file in memory; `name` is used in errors.
    public init(data: Data, name: String = "data") throws {
        func invalid(_ reason: String) -> RuntimeError { .invalidSafeTensors(file: name, reason: reason) }
        guard data.count >= 8 else { throw invalid("it is shorter than its length field") }
        let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(SafeTensors.maximumHeader) else { throw invalid("its header claims \(length) bytes") }
        guard Int(length) <= data.count - 8 else { throw invalid("its header claims more bytes than the file has") }
        let start = 8 + Int(length)
        let header: SafeTensorsHeader
        do {
            header = try data.withUnsafeBytes { try SafeTensorsHeader(UnsafeRawBufferPointer(rebasing: $0[8..<start])) }
        } catch let fault as SafeTensorsHeader.Fault {
            throw invalid(fault.reason)
        }
        var entries: [String: Entry] = [:]
        for (key, tensor) in header.tensors {
            entries[key] = try SafeTensors.entry(key, tensor, available: data.count - start, invalid)
        }
        var end = 0
        for (key, entry) in entries.sorted(by: { SafeTensors.precedes($0.value.range, $1.value.range) }) {
            guard entry.range.lowerBound >= end else { throw invalid("the bytes of tensor \(key) overlap another's") }
            guard entry.range.lowerBound == end else { throw invalid("nothing names the bytes before tensor \(key)") }
            end = entry.range.upperBound
        }
        guard end == data.count - start else {
            throw invalid("nothing names its last \(data.count - start - end) bytes")
        }
        self.entries = entries
        metadata = header.metadata
        self.data = data
        self.start = start
        self.name = name
    }

    /// By position; an empty tensor comes before the one that begins where it lies.
    private static func precedes(_ a: Range<Int>, _ b: Range<Int>) -> Bool {
        (a.lowerBound, a.upperBound) < (b.lowerBound, b.upperBound)
    }

    private static func entry(
        _ key: String, _ tensor: SafeTensorsHeader.Tensor, available: Int, _ invalid: (String) -> RuntimeError
    ) throws -> Entry {
        guard let type = ElementType(rawValue: tensor.dtype) else {
            throw invalid("tensor \(key) has the unsupported element type \(tensor.dtype)")
        }
        let count: Int
        do { count = try Tensor.count(of: tensor.shape) } catch { throw invalid("tensor \(key): \(error)") }
        let (lower, upper) = (tensor.offsets[0], tensor.offsets[1])
        guard lower <= upper, upper <= available else {
            throw invalid("the bytes of tensor \(key) lie outside the file")
        }
        guard upper - lower == count * type.size else {
            throw invalid("tensor \(key) has \(upper - lower) bytes where its shape needs \(count * type.size)")
        }
        return Entry(type: type, shape: tensor.shape, range: lower..<upper)
    }

    /// One tensor, widened to floats. Throws `RuntimeError.missingTensor` for a name that the file does not have.
    public func tensor(_ key: String) throws -> Tensor {
        guard let entry = entries[key] else { throw RuntimeError.missingTensor("\(key) in \(name)") }
        let count = entry.range.count / entry.type.size
        let values = data.withUnsafeBytes { bytes -> [Float] in
            let base = start + entry.range.lowerBound
            let raw = UnsafeRawBufferPointer(rebasing: bytes[base..<base + entry.range.count])
            return [Float](unsafeUninitializedCapacity: count) { target, filled in
                SafeTensors.widen(raw, entry.type, target)
                filled = count
            }
        }
        return Tensor(unchecked: entry.shape, values)
    }

    /// All tensors; costs the memory of all of them.
    public func tensors() throws -> [String: Tensor] {
        try Dictionary(uniqueKeysWithValues: entries.keys.map { ($0, try tensor($0)) })
    }

    private static func widen(
        _ raw: UnsafeRawBufferPointer, _ type: ElementType, _ target: UnsafeMutableBufferPointer<Float>
    ) {
        func fill<T: BitwiseCopyable>(_ type: T.Type, _ convert: (T) -> Float) {
            for index in target.indices {
                let element = raw.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: type)
                target.initializeElement(at: index, to: convert(element))
            }
        }
        switch type {
        case .float32: fill(Float.self) { $0 }
        case .float64: fill(Double.self) { Float($0) }
        case .float16: fill(UInt16.self) { Float(halfBits: $0) }
        case .bfloat16: fill(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
        case .int64: fill(Int64.self) { Float($0) }
        case .int32: fill(Int32.self) { Float($0) }
        case .int16: fill(Int16.self) { Float($0) }
        case .int8: fill(Int8.self) { Float($0) }
        case .uint64: fill(UInt64.self) { Float($0) }
        case .uint32: fill(UInt32.self) { Float($0) }
        case .uint16: fill(UInt16.self) { Float($0) }
        case .uint8: fill(UInt8.self) { Float($0) }
        case .bool: fill(UInt8.self) { $0 == 0 ? 0 : 1 }
        }
    }

    /// Writes tensors as F32 into a temporary file beside `url`, flushes it to the disk, and moves it into place.
    ///
    /// Holds no second copy of the values. Throws `RuntimeError.file`; what was at `url` then stays.
    public static func write(_ tensors: [String: Tensor], metadata: [String: String] = [:], to url: URL) throws {
        let header = try header(tensors, metadata: metadata)
        try PlainFile.replace(url) { write in
            try header.withUnsafeBytes(write)
            for name in tensors.keys.sorted() { try tensors[name]?.values.withUnsafeBytes(write) }
        }
    }

    /// The bytes of a file, the tensors sorted by name, so that equal content gives equal bytes.
    public static func encode(_ tensors: [String: Tensor], metadata: [String: String] = [:]) throws -> Data {
        var data = try header(tensors, metadata: metadata)
        data.reserveCapacity(data.count + tensors.values.reduce(0) { $0 + $1.count * 4 })
        for name in tensors.keys.sorted() {
            tensors[name]?.values.withUnsafeBytes { data.append(contentsOf: $0) }
        }
        return data
    }

    /// The length field and the header, which spaces fill up so that the tensors begin at a multiple of eight.
    private static func header(_ tensors: [String: Tensor], metadata: [String: String]) throws -> Data {
        guard tensors["__metadata__"] == nil else {
            throw RuntimeError.invalidSafeTensors(file: "data", reason: "no tensor may be called __metadata__")
        }
        var header: [String: Any] = [:]
        if !metadata.isEmpty { header["__metadata__"] = metadata }
        var offset = 0
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let end = offset + tensor.count * 4
            header[name] = ["dtype": "F32", "shape": tensor.shape, "data_offsets": [offset, end]] as [String: Any]
            offset = end
        }
        var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
        while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
        guard json.count <= maximumHeader else {
            throw RuntimeError.invalidSafeTensors(file: "data", reason: "its header would have \(json.count) bytes")
        }
        var data = Data()
        withUnsafeBytes(of: UInt64(json.count).littleEndian) { data.append(contentsOf: $0) }
        return data + json
    }
}

extension Float {
    /// The value of an IEEE 754 half: a sign, 5 bits of exponent with bias 15, 10 of fraction.
    init(halfBits half: UInt16) {
        let sign = UInt32(half & 0x8000) << 16
        let (exponent, fraction) = (UInt32(half >> 10 & 0x1F), UInt32(half & 0x3FF))
        switch exponent {
        case 0: self = Float(sign: sign == 0 ? .plus : .minus, exponent: -24, significand: Float(fraction))
        case 31: self = Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: self = Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}
