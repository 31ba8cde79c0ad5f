/// The JSON header of a safetensors file, as its bytes say it: read strictly, nothing of it believed yet.
///
/// The grammar is a part of JSON (RFC 8259): one object, its members `__metadata__` (an object of strings) or tensors (an
/// object with exactly `dtype`, a string, `shape` and `data_offsets`, lists of whole numbers). Anything else, a name that occurs
/// twice, a number that is no 64-bit integer without sign, or bytes that are not UTF-8 are errors. No recursion: the depth is
/// that of the grammar. Cost: one pass over the bytes.
struct SafeTensorsHeader {
    struct Tensor: Equatable {
        var dtype: String
        var shape: [Int]
        var offsets: [Int]
    }

    /// What is wrong, and where: the reason ends with the position in the header.
    struct Fault: Error, Equatable {
        var reason: String
    }

    private(set) var tensors: [String: Tensor] = [:]
    private(set) var metadata: [String: String] = [:]

    init(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        var reader = Reader(bytes: bytes)
        guard bytes.first == UInt8(ascii: "{") else { throw Fault(reason: "its header is not a JSON object") }
        var hasMetadata = false
        try reader.members { (reader, name) throws(Fault) in
            if name == "__metadata__" {
                guard !hasMetadata else { throw reader.fault("__metadata__ occurs twice") }
                hasMetadata = true
                try reader.members { (reader, key) throws(Fault) in
                    guard reader.peek == UInt8(ascii: "\"") else {
                        throw reader.fault("the metadata \(key) are not strings")
                    }
                    guard metadata.updateValue(try reader.string(), forKey: key) == nil else {
                        throw reader.fault("the metadata \(key) occur twice")
                    }
                }
            } else {
                guard tensors.updateValue(try reader.tensor(name), forKey: name) == nil else {
                    throw reader.fault("tensor \(name) occurs twice")
                }
            }
        }
        reader.skipSpace()
        guard reader.peek == nil else { throw reader.fault("something follows its end") }
    }
}

extension SafeTensorsHeader {
    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var position = 0

        var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

        func fault(_ reason: String) -> Fault {
            Fault(reason: "its header is not JSON of the expected form: \(reason), at byte \(position)")
        }

        mutating func skipSpace() {
            while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
        }

        mutating func take(_ character: Unicode.Scalar) throws(Fault) {
            skipSpace()
            guard let byte = peek, Unicode.Scalar(byte) == character else { throw fault("no \(character)") }
            position += 1
        }

        /// Whether the next byte is `character`; then it is passed.
        mutating func passes(_ character: Unicode.Scalar) -> Bool {
            skipSpace()
            guard let byte = peek, Unicode.Scalar(byte) == character else { return false }
            position += 1
            return true
        }

        /// An object; `body` reads the value of each member.
        mutating func members(_ body: (inout Reader, String) throws(Fault) -> Void) throws(Fault) {
            try take("{")
            if passes("}") { return }
            repeat {
                skipSpace()
                let name = try string()
                try take(":")
                skipSpace()
                try body(&self, name)
            } while passes(",")
            try take("}")
        }

        mutating func tensor(_ name: String) throws(Fault) -> Tensor {
            guard peek == UInt8(ascii: "{") else { throw fault("the entry of tensor \(name) is no object") }
            var (dtype, shape, offsets): (String?, [Int]?, [Int]?)
            try members { (reader, key) throws(Fault) in
                switch key {
                case "dtype" where dtype == nil: dtype = try reader.string()
                case "shape" where shape == nil: shape = try reader.integers(atMost: 64)
                case "data_offsets" where offsets == nil: offsets = try reader.integers(atMost: 2)
                default: throw reader.fault("tensor \(name) has \(key) twice, or nobody knows it")
                }
            }
            guard let dtype, let shape, let offsets, offsets.count == 2 else {
                throw fault("the entry of tensor \(name) lacks dtype, shape or data_offsets")
            }
            return Tensor(dtype: dtype, shape: shape, offsets: offsets)
        }

        mutating func integers(atMost limit: Int) throws(Fault) -> [Int] {
            var numbers: [Int] = []
            try take("[")
            if passes("]") { return numbers }
            repeat {
                skipSpace()
                guard numbers.count < limit else { throw fault("a list of more than \(limit) numbers") }
                numbers.append(try integer())
            } while passes(",")
            try take("]")
            return numbers
        }

        mutating func integer() throws(Fault) -> Int {
            let start = position
            var number = 0
            while let byte = peek, (0x30...0x39).contains(byte) {
                let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(Int(byte - 0x30))
                guard !overflow, !carry else { throw fault("a number beyond 64 bits") }
                number = sum
                position += 1
            }
            let hasZero = position > start + 1 && bytes[start] == 0x30
            guard position > start, !hasZero, peek.map({ !".eE".utf8.contains($0) }) ?? true else {
                throw fault("numbers must be whole numbers without sign")
            }
            return number
        }

        /// A string with its escapes resolved.
        mutating func string() throws(Fault) -> String {
            guard peek == UInt8(ascii: "\"") else { throw fault("no string") }
            position += 1
            var units: [UInt8] = []
            while let byte = peek {
                position += 1
                switch byte {
                case UInt8(ascii: "\""):
                    guard let text = String(validating: units, as: UTF8.self) else {
                        throw fault("bytes that are not UTF-8")
                    }
                    return text
                case UInt8(ascii: "\\"): units += Array(String(try escape()).utf8)
                case 0..<0x20: throw fault("a control character in a string")
                default: units.append(byte)
                }
            }
            throw fault("a string without end")
        }

        private mutating func escape() throws(Fault) -> Character {
            guard let byte = peek else { throw fault("a string without end") }
            position += 1
            switch Unicode.Scalar(byte) {
            case "\"", "\\", "/": return Character(Unicode.Scalar(byte))
            case "b": return "\u{8}"
            case "f": return "\u{c}"
            case "n": return "\n"
            case "r": return "\r"
            case "t": return "\t"
            case "u": return try unicode()
            default: throw fault("an escape that JSON does not have")
            }
        }

        private mutating func unicode() throws(Fault) -> Character {
            let high = try hexadecimal()
            if let scalar = Unicode.Scalar(high) { return Character(scalar) }
            let isPair = position + 1 < bytes.count && bytes[position] == 0x5C && bytes[position + 1] == 0x75
            guard (0xD800..<0xDC00).contains(high), isPair else { throw fault("half a surrogate pair") }
            position += 2
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
            else { throw fault("half a surrogate pair") }
            return Character(scalar)
        }

        private mutating func hexadecimal() throws(Fault) -> UInt32 {
            var number: UInt32 = 0
            for _ in 0..<4 {
                guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                    throw fault("an escape that is no hexadecimal number")
                }
                number = number << 4 | UInt32(digit)
                position += 1
            }
            return number
        }
    }
}
