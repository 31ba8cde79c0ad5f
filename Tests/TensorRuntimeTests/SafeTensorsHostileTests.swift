import Foundation
import TensorRuntime
import Testing

/// Every file is either refused with `RuntimeError.invalidSafeTensors`, or all of it can be read: run under the address sanitizer.
@Suite
struct SafeTensorsHostileTests {
    private static func file(_ header: [UInt8], bytes: Int, length: UInt64? = nil) -> Data {
        var data = Data()
        withUnsafeBytes(of: (length ?? UInt64(header.count)).littleEndian) { data.append(contentsOf: $0) }
        data.append(contentsOf: header)
        data.append(Data(repeating: 0x3F, count: bytes))
        return data
    }

    private func file(_ header: String, bytes: Int, length: UInt64? = nil) -> Data {
        Self.file(Array(header.utf8), bytes: bytes, length: length)
    }

    /// Reads everything. True when the file was accepted.
    private func isReadable(_ data: Data, _ what: String) -> Bool {
        do {
            let file = try SafeTensors(data: data)
            for (name, entry) in file.entries {
                let tensor = try file.tensor(name)
                #expect(tensor.shape == entry.shape && tensor.count * entry.type.size == entry.range.count, "\(what)")
            }
            #expect(file.entries.values.reduce(0) { $0 + $1.range.count } <= data.count, "\(what)")
            return true
        } catch RuntimeError.invalidSafeTensors {
            return false
        } catch {
            Issue.record("\(what): \(error)")
            return false
        }
    }

    private func small() throws -> Data {
        try SafeTensors.encode(
            [
                "a.weight": Tensor(shape: [2, 3], values: [1, 2, 3, 4, 5, 6]), "b": Tensor(shape: [], values: [7]),
                "empty": Tensor(shape: [0], values: []),
            ], metadata: ["ids": #"["é","b"]"#, "step": "12"])
    }

    @Test(
        "Headers that contradict the file or each other are refused, with the reason",
        arguments: [
            (
                #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}}"#,
                7, "overlap"
            ),
            (
                #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
                4, "overlap"
            ),
            (
                #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}"#,
                4, "overlap"
            ),
            (
                #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}}"#,
                9, "before tensor b"
            ),
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}}"#, 5, "before tensor a"),
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 5, "last 1 bytes"),
            ("{}", 3, "last 3 bytes"),
            (
                #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}"#,
                8, "tensor a occurs twice"
            ),
            (#"{"a":{"dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]}}"#, 4, "dtype twice"),
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1}}"#, 4, "has x"),
            (#"{"__metadata__":{},"__metadata__":{}}"#, 0, "__metadata__ occurs twice"),
            (#"{"__metadata__":{"a":"1","a":"2"}}"#, 0, "metadata a occur twice"),
            (#"{"__metadata__":{"a":1}}"#, 0, "metadata a are not strings"),
            (#"{"__metadata__":null}"#, 0, "no {"),
            (#"{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}"#, 4, "F8_E4M3"),
            (#"{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#, 8, "C64"),
            (#"{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}"#, 4, "f32"),
            (#"{"a":{"dtype":4,"shape":[1],"data_offsets":[0,4]}}"#, 4, "no string"),
            (#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,4]}}"#, 4, "shape needs 8"),
            (#"{"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,4]}}"#, 4, "shape needs 3"),
            (#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,4]}}"#, 4, "without sign"),
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}}"#, 4, "without sign"),
            (#"{"a":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}}"#, 4, "without sign"),
            (#"{"a":{"dtype":"U8","shape":[4e0],"data_offsets":[0,4]}}"#, 4, "without sign"),
            (#"{"a":{"dtype":"U8","shape":[04],"data_offsets":[0,4]}}"#, 4, "without sign"),
            (#"{"a":{"dtype":"U8","shape":[true],"data_offsets":[0,1]}}"#, 1, "without sign"),
            (#"{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,4]}}"#, 4, "beyond 64 bits"),
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,18446744073709551620]}}"#, 4, "beyond 64 bits"),
            (#"{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,4]}}"#, 4, "more than"),
            (#"{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, 0, "more than"),
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,9223372036854775807]}}"#, 4, "outside"),
            (
                #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[9223372036854775807,9223372036854775807]}}"#, 0,
                "outside"
            ),
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[4]}}"#, 4, "lacks"),
            (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,2,4]}}"#, 4, "more than 2"),
            (#"{"a":{"dtype":"U8","shape":4,"data_offsets":[0,4]}}"#, 4, "no ["),
            (#"{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}}"#, 1, "8 axes"),
            (#"{"a":[]}"#, 0, "no object"), (#"{"a":{}}"#, 0, "lacks"), (#"{"a":"b"}"#, 0, "no object"),
            ("", 0, "object"), ("[]", 0, "object"), ("\u{FEFF}{}", 0, "object"), (" {}", 0, "object"),
            ("{} {}", 0, "follows"),
            ("{", 0, "no string"), (#"{"a"#, 0, "without end"), (#"{"a\"#, 0, "without end"),
            (#"{"a\x":1}"#, 0, "escape"),
            (#"{"a\u12"#, 0, "hexadecimal"), (#"{"\ud800":1}"#, 0, "surrogate"),
            (#"{"\ud800\u0041":1}"#, 0, "surrogate"),
            (#"{"\udc00":1}"#, 0, "surrogate"), ("{\"a\n\":1}", 0, "control"), (#"{"a":1,}"#, 0, "no object"),
            (#"{'a':1}"#, 0, "no string"),
        ])
    func headers(header: String, bytes: Int, reason: String) {
        #expect {
            try SafeTensors(data: file(header, bytes: bytes))
        } throws: {
            guard case RuntimeError.invalidSafeTensors = $0 else { return false }
            return "\($0)".contains(reason)
        }
    }

    @Test("A header that is not UTF-8, or JSON in another encoding, is refused")
    func encodings() {
        let latin =
            Array("{\"".utf8) + [0xE9] + Array("\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}".utf8)
        for bytes in [
            latin, [0xFF, 0xFE] + Array("{}".utf8), Array("{\u{0}}\u{0}".utf8), [0xC3], [0x7B, 0x22, 0xC3, 0x28, 0x22],
        ] {
            #expect(throws: RuntimeError.self) { try SafeTensors(data: Self.file(bytes, bytes: 0)) }
        }
    }

    @Test(
        "A header length that the file does not have is refused",
        arguments: [0, 1, 3, 1 << 24, 1 << 24 + 1, 1 << 31, 1 << 32, 1 << 62, 1 << 63 - 1, 1 << 63, .max] as [UInt64])
    func lengths(length: UInt64) {
        #expect(throws: RuntimeError.self) { try SafeTensors(data: file("{}", bytes: 0, length: length)) }
    }

    @Test("Nesting, long names and long lists end in an error and not in a full stack")
    func deep() {
        let deep = String(repeating: #"{"a":"#, count: 100_000)
        #expect(!isReadable(file(deep, bytes: 0), "deep objects"))
        #expect(
            !isReadable(
                file(#"{"a":{"dtype":"U8","shape":"# + String(repeating: "[", count: 100_000), bytes: 0), "deep lists"))
        let ones = [String](repeating: "1", count: 100_000).joined(separator: ",")
        #expect(
            !isReadable(file(#"{"a":{"dtype":"U8","shape":[\#(ones)],"data_offsets":[0,1]}}"#, bytes: 1), "many axes"))
        let name = String(repeating: "é", count: 100_000)
        let long = #"{"\#(name)":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
        #expect(isReadable(file(long, bytes: 1), "a long name"))
    }

    @Test("A file that is cut anywhere is refused")
    func truncated() throws {
        let whole = try small()
        #expect(isReadable(whole, "whole"))
        for count in stride(from: 0, to: whole.count, by: 7) {
            #expect(!isReadable(whole.prefix(count), "cut at \(count)"), "cut at \(count)")
            // The same from the disk, mapped.
            try PythonReference.withFolder { folder in
                let url = folder.appending(path: "cut.safetensors")
                try whole.prefix(count).write(to: url)
                #expect(throws: RuntimeError.self) { try SafeTensors(contentsOf: url) }
            }
        }
    }

    @Test("A thousand files with a few bytes changed are refused, or read within their bounds")
    func flipped() throws {
        var random = KernelRandom(seed: UInt64(PythonReference.seed("flipped")))
        let whole = try small()
        var accepted = 0
        for number in 0..<1000 {
            var data = whole
            for _ in 0..<random.int(1...4) {
                let index = random.int(0...whole.count - 1)
                data[index] = number % 2 == 0 ? data[index] ^ UInt8(1 << random.int(0...7)) : UInt8(random.int(0...255))
            }
            if isReadable(data, "flip \(number)") { accepted += 1 }
        }
        // Changes of values and names leave a sound file, changes of structure do not: both occur.
        #expect(accepted > 10 && accepted < 900, "\(accepted)")
    }

    @Test("A thousand headers with a number, word or bracket exchanged are refused, or read within their bounds")
    func exchanged() throws {
        var random = KernelRandom(seed: UInt64(PythonReference.seed("exchanged")))
        let tokens = [
            "0", "1", "4", "24", "28", "-1", "1e3", "9223372036854775807", "18446744073709551616", "null", "true",
            "\"U8\"",
            "\"F64\"", "\"a.weight\"", "[", "]", "{", "}", ",", ":", "\"", "\\u0000", "", "[]", "{}",
        ]
        let words = [
            "{", "\"a\"", ":", "{", "\"dtype\"", ":", "\"F32\"", ",", "\"shape\"", ":", "[", "2", ",", "3", "]", ",",
            "\"data_offsets\"", ":", "[", "0", ",", "24", "]", "}", ",", "\"b\"", ":", "{", "\"dtype\"", ":", "\"F32\"",
            ",",
            "\"shape\"", ":", "[", "1", "]", ",", "\"data_offsets\"", ":", "[", "24", ",", "28", "]", "}", "}",
        ]
        #expect(isReadable(file(words.joined(), bytes: 28), "unchanged"))
        for number in 0..<1000 {
            var changed = words
            for _ in 0..<random.int(1...3) { changed[random.int(0...words.count - 1)] = random.pick(tokens) }
            _ = isReadable(file(changed.joined(), bytes: 28), "exchange \(number): \(changed.joined())")
        }
    }

    @Test("Every element type that PyTorch writes is read as PyTorch converts it; names keep their escapes")
    func types() throws {
        let seed = PythonReference.seed("types")
        try PythonReference.withFolder { folder in
            try PythonReference.run("safetensors_reference.py", [folder.path, String(seed)])
            let file = try SafeTensors(contentsOf: folder.appending(path: "types.safetensors"))
            let expected = try SafeTensors(contentsOf: folder.appending(path: "floats.safetensors")).tensors()
            #expect(file.metadata == ["café ☃ 😀": "a \"quoted\" \\ line\n"])
            #expect(Set(file.entries.values.map(\.type)) == Set(SafeTensors.ElementType.allCases))
            for (name, tensor) in try file.tensors() {
                let wanted = try #require(expected[name])
                #expect(tensor.shape == wanted.shape, "\(name)")
                #expect(tensor.values.map(\.bitPattern) == wanted.values.map(\.bitPattern), "\(name)")
            }
            #expect {
                try SafeTensors(contentsOf: folder.appending(path: "small.safetensors"))
            } throws: { "\($0)".contains("tensor tiny has the unsupported element type F8_E4M3") }
        }
    }

    @Test("All halves widen to the values of IEEE 754")
    func halves() throws {
        let header = #"{"h":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]}}"#
        var data = file(header, bytes: 0)
        for bits in 0...UInt16.max { withUnsafeBytes(of: bits.littleEndian) { data.append(contentsOf: $0) } }
        let values = try SafeTensors(data: data).tensor("h").values
        for bits in 0...UInt16.max {
            let (value, sign) = (values[Int(bits)], bits & 0x8000 == 0 ? Float(1) : -1)
            let (exponent, fraction) = (Int(bits >> 10 & 31), Float(bits & 1023))
            switch exponent {
            case 31 where fraction == 0: #expect(value == sign * .infinity)
            case 31: #expect(value.isNaN)
            case 0: #expect(value == sign * fraction * Float(sign: .plus, exponent: -24, significand: 1))
            default:
                #expect(
                    value == sign * (1 + fraction / 1024) * Float(sign: .plus, exponent: exponent - 15, significand: 1))
            }
            #expect(value.isNaN || (value.sign == .minus) == (bits & 0x8000 != 0))
        }
    }

    @Test("A tensor called as the metadata are cannot be written")
    func reservedName() throws {
        #expect(throws: RuntimeError.self) {
            try SafeTensors.encode(["__metadata__": Tensor(shape: [1], repeating: 0)])
        }
    }
}
