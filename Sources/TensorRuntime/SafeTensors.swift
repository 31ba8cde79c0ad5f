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
/// tensor is touched: files come from code that nobody trusts. Elements are widened to floats; there is no reading of F16, BF16.
public struct SafeTensors: Sendable {
    /// The element types that can be read.
    public enum ElementType: String, Sendable {
        case float32 = "F32"
        case float64 = "F64"
        case int64 = "I64"
        case int32 = "I32"
        case uint8 = "U8"
        case bool = "BOOL"

        /// Bytes an element.
        public var size: Int {
            switch self {
            case .float64, .int64: return 8
            case .float32, .int32: return 4
            case .uint8, .bool: return 1
            }
        }
    }

    /// Where one tensor lies.
    public struct Entry: Sendable, Equatable {
        public let type: ElementType
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
        let header: Any
        do {
            header = try JSONSerialization.jsonObject(with: data[data.startIndex + 8..<data.startIndex + start])
        } catch {
            throw invalid("its header is not JSON")
        }
        guard let table = header as? [String: Any] else { throw invalid("its header is not a JSON object") }
        var entries: [String: Entry] = [:]
        var metadata: [String: String] = [:]
        for (key, value) in table {
            if key == "__metadata__" {
                guard let strings = value as? [String: String] else { throw invalid("its metadata are not strings") }
                metadata = strings
            } else {
                entries[key] = try SafeTensors.entry(key, value, available: data.count - start, invalid)
            }
        }
        var end = 0
        for (key, entry) in entries.sorted(by: { $0.value.range.lowerBound < $1.value.range.lowerBound })
        where !entry.range.isEmpty {
            guard entry.range.lowerBound >= end else { throw invalid("the bytes of tensor \(key) overlap another's") }
            end = entry.range.upperBound
        }
        self.entries = entries
        self.metadata = metadata
        self.data = data
        self.start = data.startIndex + start
        self.name = name
    }

    private static func entry(
        _ key: String, _ value: Any, available: Int, _ invalid: (String) -> RuntimeError
    ) throws -> Entry {
        guard let fields = value as? [String: Any], let dtype = fields["dtype"] as? String,
            let shape = fields["shape"] as? [NSNumber], let offsets = fields["data_offsets"] as? [NSNumber],
            offsets.count == 2
        else { throw invalid("the entry of tensor \(key) lacks dtype, shape or data_offsets") }
        guard let type = ElementType(rawValue: dtype) else {
            throw invalid("tensor \(key) has the unsupported element type \(dtype)")
        }
        guard let sizes = integers(shape), let bounds = integers(offsets) else {
            throw invalid("shape or offsets of tensor \(key) are not whole numbers")
        }
        let count: Int
        do { count = try Tensor.count(of: sizes) } catch { throw invalid("tensor \(key): \(error)") }
        guard bounds[0] >= 0, bounds[0] <= bounds[1], bounds[1] <= available else {
            throw invalid("the bytes of tensor \(key) lie outside the file")
        }
        guard bounds[1] - bounds[0] == count * type.size else {
            throw invalid("tensor \(key) has \(bounds[1] - bounds[0]) bytes where its shape needs \(count * type.size)")
        }
        return Entry(type: type, shape: sizes, range: bounds[0]..<bounds[1])
    }

    private static func integers(_ numbers: [NSNumber]) -> [Int]? {
        var result: [Int] = []
        for number in numbers {
            guard let exact = Int(exactly: number.doubleValue), abs(number.doubleValue) < 9e15 else { return nil }
            result.append(exact)
        }
        return result
    }

    /// One tensor, widened to floats. Throws `RuntimeError.missingTensor` for a name that the file does not have.
    public func tensor(_ key: String) throws -> Tensor {
        guard let entry = entries[key] else { throw RuntimeError.missingTensor("\(key) in \(name)") }
        let count = entry.range.count / entry.type.size
        let values = data.withUnsafeBytes { bytes -> [Float] in
            let base = start - data.startIndex + entry.range.lowerBound
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
        for index in target.indices {
            let value: Float
            switch type {
            case .float32: value = raw.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
            case .float64: value = Float(raw.loadUnaligned(fromByteOffset: index * 8, as: Double.self))
            case .int64: value = Float(raw.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
            case .int32: value = Float(raw.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
            case .uint8: value = Float(raw[index])
            case .bool: value = raw[index] == 0 ? 0 : 1
            }
            target.initializeElement(at: index, to: value)
        }
    }

    /// Writes tensors as F32 into a temporary file beside `url`, flushes it to the disk, and moves it into place.
    public static func write(_ tensors: [String: Tensor], metadata: [String: String] = [:], to url: URL) throws {
        try PlainFile.replace(url, with: encode(tensors, metadata: metadata))
    }

    /// The bytes of a file, the tensors sorted by name, so that equal content gives equal bytes.
    public static func encode(_ tensors: [String: Tensor], metadata: [String: String] = [:]) throws -> Data {
        let names = tensors.keys.sorted()
        var header: [String: Any] = [:]
        if !metadata.isEmpty { header["__metadata__"] = metadata }
        var offset = 0
        for name in names {
            let bytes = (tensors[name]?.count ?? 0) * 4
            header[name] = [
                "dtype": "F32", "shape": tensors[name]?.shape ?? [], "data_offsets": [offset, offset + bytes],
            ]
            offset += bytes
        }
        var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
        while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
        var data = Data(capacity: 8 + json.count + offset)
        withUnsafeBytes(of: UInt64(json.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(json)
        for name in names {
            tensors[name]?.values.withUnsafeBytes { data.append(contentsOf: $0) }
        }
        return data
    }
}
