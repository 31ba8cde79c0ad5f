import Foundation
import TensorRuntime
import Testing

@Suite
struct GraphTests {
    private func json(nodes: String, values: String = "", extra: String = "") -> Data {
        Data(
            """
            {"schema":1,"kind":"train","batch":2,
             "values":[{"id":0,"shape":[{"batch":1},3],"dtype":"float32"},{"id":1,"shape":[],"dtype":"float32"}\(values)],
             "inputs":[{"value":0,"name":"image"}],"parameters":[],"nodes":[\(nodes)],"outputs":{"loss":1}\(extra)}
            """.utf8)
    }

    private let mean =
        #"{"op":"mean","inputs":[0],"outputs":[1],"attributes":{"axes":[],"keepdim":false},"source":"a.py:3"}"#

    @Test("A graph is read, written and read again without a change")
    func roundTrip() throws {
        for graph in [
            try Graph(json: json(nodes: mean)), UNetGraph(baseChannels: 2, depth: 1, size: 4).evaluation,
        ] {
            #expect(try Graph(json: graph.encoded()) == graph)
        }
    }

    @Test("An unknown operation is an error that names it and its source line")
    func unknownOperation() {
        let node = #"{"op":"fft","inputs":[0],"outputs":[1],"source":"model.py:18","module":"enc1"}"#
        #expect(throws: RuntimeError.unknownOperation(name: "fft", location: "enc1, model.py:18")) {
            try Graph(json: json(nodes: node))
        }
    }

    @Test(
        "Graphs that contradict themselves are refused with the reason",
        arguments: [
            (#"{"op":"mean","inputs":[7],"outputs":[1]}"#, "", "before it is defined"),
            (#"{"op":"mean","inputs":[0],"outputs":[9]}"#, "", "undeclared"),
            (#"{"op":"mean","inputs":[0],"outputs":[0]}"#, "", "second time"),
            (#"{"op":"mean","inputs":[0],"outputs":[]}"#, "", "outputs"),
            ("", "", "never defined"),
            (#"{"op":"mean"}"#, "", "inputs is missing"),
            ("", #",{"id":1,"shape":[],"dtype":"float32"}"#, "declared twice"),
            ("", #",{"id":2,"shape":[99999999,99999999],"dtype":"float32"}"#, "elements"),
            ("", #",{"id":2,"shape":[{"batch":-1}],"dtype":"float32"}"#, "batch multiple"),
            ("", #",{"id":2,"shape":[-1],"dtype":"float32"}"#, "negative"),
            ("", #",{"id":2,"shape":[],"dtype":"object"}"#, "dtype"),
        ])
    func contradictions(nodes: String, values: String, reason: String) {
        #expect {
            try Graph(json: json(nodes: nodes, values: values))
        } throws: {
            "\($0)".contains(reason)
        }
    }

    @Test("Another schema, a wrong batch size and text that is no JSON are refused")
    func wrongFiles() {
        for text in ["", "{", "[]", #"{"schema":2}"#] {
            #expect(throws: RuntimeError.self) { try Graph(json: Data(text.utf8)) }
        }
        let zero = String(decoding: json(nodes: mean), as: UTF8.self).replacing(#""batch":2"#, with: #""batch":0"#)
        #expect(throws: RuntimeError.self) { try Graph(json: Data(zero.utf8)) }
    }

    @Test(
        "Operands and attributes that do not fit are errors when the graph is compiled, with the source line",
        arguments: [
            (#"{"op":"mean","inputs":[0,0],"outputs":[1],"source":"a.py:3"}"#, "operands"),
            (#"{"op":"sum","inputs":[0],"outputs":[1],"attributes":{"axes":[5]},"source":"a.py:3"}"#, "axis 5"),
            (#"{"op":"relu","inputs":[0],"outputs":[1],"source":"a.py:3"}"#, "declares"),
            (#"{"op":"softmax","inputs":[0],"outputs":[1],"source":"a.py:3"}"#, "axis is missing"),
            (#"{"op":"mean","inputs":[null],"outputs":[1],"source":"a.py:3"}"#, "absent"),
            (
                #"{"op":"full","inputs":[],"outputs":[1],"attributes":{"shape":[9e9,9e9],"value":0},"source":"a.py:3"}"#,
                "shape"
            ),
            (#"{"op":"reshape","inputs":[0],"outputs":[1],"attributes":{"shape":[4]},"source":"a.py:3"}"#, "cannot"),
            (
                #"{"op":"max_pool2d","inputs":[0],"outputs":[1],"attributes":{"kernel":[2,2]},"source":"a.py:3"}"#,
                "pooled"
            ),
            (#"{"op":"dropout","inputs":[0],"outputs":[1],"attributes":{"p":3},"source":"a.py:3"}"#, "probability"),
        ])
    func compileErrors(node: String, reason: String) throws {
        let graph = try Graph(json: json(nodes: node))
        #expect {
            let session = try GraphSession(train: graph, evaluation: nil, tensors: [:])
            _ = try session.step(["image": Tensor(shape: [2, 3], repeating: 1)])
        } throws: {
            "\($0)".contains(reason) && "\($0)".contains("a.py:3")
        }
    }

    @Test("Sizes and numbers that scale with the batch follow it")
    func batchMultiples() throws {
        let nodes = """
            {"op":"reshape","inputs":[0],"outputs":[2],"attributes":{"shape":[{"batch":3}]}},
            {"op":"sum","inputs":[2],"outputs":[3],"attributes":{"axes":[],"keepdim":false}},
            {"op":"mul_scalar","inputs":[3],"outputs":[1],"attributes":{"scalar":{"number":2,"batch_power":-1}}}
            """
        let values = #",{"id":2,"shape":[{"batch":3}],"dtype":"float32"},{"id":3,"shape":[],"dtype":"float32"}"#
        let session = try GraphSession(
            train: try Graph(json: json(nodes: nodes, values: values)), evaluation: nil, tensors: [:])
        for batch in [1, 2, 5] {
            #expect(try session.loss(["image": Tensor(shape: [batch, 3], repeating: 1)]) == 6)
        }
    }

    @Test("Thresholds follow their comparison")
    func thresholds() {
        #expect(!Threshold(value: 0.5, comparison: .greater).admits(0.5))
        #expect(Threshold(value: 0.5, comparison: .greaterOrEqual).admits(0.5))
    }

    @Test("Tensors of impossible shapes are refused")
    func tensorShapes() throws {
        #expect(throws: RuntimeError.self) { try Tensor(shape: [2], values: [1]) }
        #expect(throws: RuntimeError.self) { try Tensor(shape: [-1], values: []) }
        #expect(throws: RuntimeError.self) { try Tensor(shape: [1 << 40, 1 << 40], repeating: 0) }
        let tensor = try Tensor(shape: [3, 2], values: [0, 1, 2, 3, 4, 5])
        #expect(try tensor.rows([2, 0]).values == [4, 5, 0, 1])
        #expect(throws: RuntimeError.self) { try tensor.rows([3]) }
    }
}

@Suite
struct HostileAttributeTests {
    /// A train graph of one operation on an image N 2 6 6 (and weights 4 2 3 3), whose result is declared with the given shape.
    private func compile(_ op: String, _ attributes: String, weighted: Bool) throws {
        let json = """
            {"schema":1,"kind":"train","batch":1,"values":[{"id":0,"shape":[{"batch":1},2,6,6],"dtype":"float32"},
            {"id":1,"shape":[4,2,3,3],"dtype":"float32"},{"id":2,"shape":[1],"dtype":"float32"}],
            "inputs":[{"value":0,"name":"image"},{"value":1,"name":"weight"}],"parameters":[],
            "nodes":[{"op":"\(op)","inputs":[0\(weighted ? ",1" : "")],"outputs":[2],"attributes":\(attributes)}],
            "outputs":{"loss":2}}
            """
        let session = try GraphSession(train: Graph(json: Data(json.utf8)), evaluation: nil, tensors: [:])
        _ = try session.step([
            "image": Tensor(shape: [1, 2, 6, 6], repeating: 1), "weight": Tensor(shape: [4, 2, 3, 3], repeating: 1),
        ])
    }

    @Test(
        "Absurd attributes are errors, never a crash",
        arguments: [
            ("slice", #"{"axis":0,"start":0,"end":1,"step":9000000000000000000}"#),
            ("slice", #"{"axis":0,"start":-9000000000000000,"end":-9000000000000001}"#),
            ("reshape", #"{"shape":[72,72,72,72,72,72]}"#), ("reshape", #"{"shape":[-1,-1]}"#),
            ("reshape", #"{"shape":[0,-1]}"#), ("expand", #"{"shape":[8e15,8e15,1,2,6,6]}"#),
            ("select", #"{"axis":7,"index":0}"#), ("permute", #"{"axes":[0,0,1,2]}"#),
            ("pad", #"{"padding":[8e15,0]}"#), ("pad", #"{"padding":[-9,0]}"#), ("pad", #"{"padding":[1]}"#),
            ("group_norm", #"{"groups":0}"#), ("group_norm", #"{"groups":8e15}"#),
            ("layer_norm", #"{"normalized_shape":[]}"#), ("softmax", #"{"axis":-9}"#),
            ("max_pool2d", #"{"kernel":[0,0]}"#), ("max_pool2d", #"{"kernel":[99,99]}"#),
            ("max_pool2d", #"{"kernel":[2,2],"padding":[5,5]}"#), ("avg_pool2d", #"{"kernel":[2,2],"stride":[0,1]}"#),
            ("avg_pool2d", #"{"kernel":[7,7]}"#), ("adaptive_avg_pool2d", #"{"output_size":[1e9,1]}"#),
            ("upsample_nearest2d", #"{"output_size":[1000000,1000000]}"#),
            ("upsample_bilinear2d", #"{"output_size":[4,4],"scale":[0,0]}"#),
            ("sum", #"{"axes":[0,0]}"#), ("cast", #"{"dtype":"complex"}"#), ("dropout", #"{"p":"often"}"#),
            ("mul_scalar", #"{"scalar":{"number":1,"batch_power":3}}"#), ("bernoulli", #"{"shape":[1],"p":0.5}"#),
        ])
    func absurdAttributes(op: String, attributes: String) {
        #expect(throws: RuntimeError.self) { try compile(op, attributes, weighted: false) }
    }

    @Test(
        "Absurd convolutions are errors, never a crash",
        arguments: [
            #"{"groups":8000000000000000}"#, #"{"groups":0}"#, #"{"groups":3}"#, #"{"stride":[0,1]}"#,
            #"{"padding":[-1,0]}"#, #"{"dilation":[9,9]}"#, #"{"stride":[1,2,3]}"#,
            #"{"transposed":true,"output_padding":[5,5]}"#, #"{"transposed":true,"padding":[900000,900000]}"#,
        ])
    func absurdConvolutions(attributes: String) {
        #expect(throws: RuntimeError.self) { try compile("convolution", attributes, weighted: true) }
    }
}
