import Foundation
import TensorRuntime
import Testing

@Suite
struct SafeTensorsTests {
    /// A file with the given header text and so many bytes behind it.
    private func file(_ header: String, bytes: Int = 0, length: UInt64? = nil) -> Data {
        var data = Data()
        withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { data.append(contentsOf: $0) }
        data.append(contentsOf: header.utf8)
        data.append(Data(count: bytes))
        return data
    }

    @Test("What was written is read back, bit for bit, with its metadata")
    func roundTrip() throws {
        let tensors = [
            "a": try Tensor(shape: [2, 3], values: [1, -0.0, .infinity, .leastNonzeroMagnitude, 5, 6]),
            "scalar": try Tensor(shape: [], values: [7]), "empty": try Tensor(shape: [0, 4], values: []),
        ]
        try PythonReference.withFolder { folder in
            let url = folder.appending(path: "x.safetensors")
            try SafeTensors.write(tensors, metadata: ["epoch": "3"], to: url)
            let file = try SafeTensors(contentsOf: url)
            #expect(try file.tensors() == tensors)
            #expect(file.metadata == ["epoch": "3"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["x.safetensors"])
        }
    }

    @Test("Elements of every type are widened to floats")
    func widening() throws {
        let header = """
            {"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"i":{"dtype":"I64","shape":[1],"data_offsets":[8,16]},\
            "u":{"dtype":"U8","shape":[2],"data_offsets":[16,18]},"b":{"dtype":"BOOL","shape":[1],"data_offsets":[18,19]}}
            """
        var data = file(header)
        withUnsafeBytes(of: 0.5) { data.append(contentsOf: $0) }
        withUnsafeBytes(of: Int64(-3)) { data.append(contentsOf: $0) }
        data.append(contentsOf: [0, 255, 1])
        let tensors = try SafeTensors(data: data).tensors().mapValues(\.values)
        #expect(tensors == ["d": [0.5], "i": [-3], "u": [0, 255], "b": [1]])
    }

    @Test(
        "Files that claim what is not so are refused",
        arguments: [
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 4, "outside"),
            (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8, "shape needs 12"),
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8, "outside"),
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#, 8, "without sign"),
            (#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, 8, "without sign"),
            (#"{"a":{"dtype":"F32","shape":[99999999,99999999,99999999],"data_offsets":[0,8]}}"#, 8, "more than"),
            (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}"#, 8, "whole numbers"),
            (#"{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,4]}}"#, 4, "F4"),
            (#"{"a":{"dtype":"F32","shape":[2]}}"#, 8, "lacks"),
            (#"{"__metadata__":{"a":1}}"#, 0, "metadata"),
            (#"[1]"#, 0, "object"),
            (#"{"a""#, 0, "JSON"),
            (
                #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#,
                6, "overlap"
            ),
        ])
    func hostileHeaders(header: String, bytes: Int, reason: String) {
        #expect {
            try SafeTensors(data: file(header, bytes: bytes))
        } throws: {
            "\($0)".contains(reason)
        }
    }

    @Test("A header length beyond the cap or the file is refused before anything is read")
    func hostileLengths() {
        #expect(throws: RuntimeError.self) { try SafeTensors(data: Data([1, 2])) }
        #expect(throws: RuntimeError.self) { try SafeTensors(data: file("{}", length: .max)) }
        #expect(throws: RuntimeError.self) { try SafeTensors(data: file("{}", length: 3)) }
    }

    @Test("Symbolic links, FIFOs, folders and oversized files are refused")
    func hostileFiles() throws {
        try PythonReference.withFolder { folder in
            let target = folder.appending(path: "x.safetensors")
            try SafeTensors.write([:], to: target)
            let link = folder.appending(path: "link")
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
            let fifo = folder.appending(path: "fifo")
            #expect(mkfifo(fifo.path, 0o600) == 0)
            for url in [link, fifo, folder, folder.appending(path: "absent")] {
                #expect(throws: RuntimeError.self) { try SafeTensors(contentsOf: url) }
            }
            #expect(throws: RuntimeError.self) { try SafeTensors(contentsOf: target, maximumBytes: 4) }
        }
    }
}
