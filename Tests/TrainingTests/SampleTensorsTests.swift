import Foundation
import TensorRuntime
import Testing

@testable import Training

@Suite("Captured data")
struct SampleTensorsTests {
    /// A safetensors file byte by byte, so that its U8 tensors and its lies are ours.
    private func file(_ header: String, _ bytes: [UInt8], in folder: TemporaryFolder) throws -> URL {
        var data = Data()
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(Data(header.utf8))
        data.append(contentsOf: bytes)
        let url = folder.url.appending(path: "train.safetensors")
        try data.write(to: url)
        return url
    }

    private func header(
        ids: String = #"[\"a\",\"b\"]"#, scale: String = "0.00392156862745098", masks: String = "[2,1,1]"
    ) -> String {
        #"{"__metadata__":{"ids":"\#(ids)","images.scale":"\#(scale)"},"#
            + #""images":{"dtype":"U8","shape":[2,1,1,1],"data_offsets":[0,2]},"#
            + #""masks":{"dtype":"U8","shape":\#(masks),"data_offsets":[2,4]}}"#
    }

    @Test("of bytes and a scale become the floats that were yielded")
    func scaled() throws {
        let folder = try TemporaryFolder()
        let samples = try SampleTensors(contentsOf: file(header(), [255, 51, 1, 0], in: folder))
        #expect(samples.images.values == [1, 0.2])
        #expect(samples.masks?.values == [1, 0])
        #expect(samples.ids == ["a", "b"])
        #expect(try samples.batch([1, 0, 1]).images.values == [0.2, 1, 0.2])
    }

    @Test(
        "that lie are refused with the file's name",
        arguments: [
            (#"[\"a\"]"#, "0.1", "[2,1,1]", "1 samples have images of shape"),
            (#"[\"a\",\"b\"]"#, "nan", "[2,1,1]", "scale"),
            (#"[\"a\",\"b\"]"#, "-1", "[2,1,1]", "scale"),
            (#"[\"a\",\"b\"]"#, "1e300", "[2,1,1]", "not finite"),
            (#"[\"a\",\"b\"]"#, "1", "[1,1,2]", "masks of shape"),
            (#"[\"a\",\"b\"]"#, "1", "[9,9,9]", "bytes"),
            (#"{}"#, "1", "[2,1,1]", "sample ids"),
        ])
    func hostile(ids: String, scale: String, masks: String, expected: String) throws {
        let folder = try TemporaryFolder()
        let url = try file(header(ids: ids, scale: scale, masks: masks), [255, 51, 1, 0], in: folder)
        do {
            _ = try SampleTensors(contentsOf: url)
            Issue.record("read a file that lies")
        } catch let error as TrainingError {
            #expect("\(error)".contains("data/train.safetensors") && "\(error)".contains(expected), "\(error)")
        }
    }

    @Test("that are not there are refused")
    func missing() throws {
        let folder = try TemporaryFolder()
        #expect(throws: TrainingError.self) {
            try SampleTensors(contentsOf: folder.url.appending(path: "train.safetensors"))
        }
    }
}
