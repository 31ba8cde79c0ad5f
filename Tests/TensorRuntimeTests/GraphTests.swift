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
