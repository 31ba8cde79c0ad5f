import Foundation
import TensorRuntime
import Testing

/// max|a - b| / max|b|, the yardstick for tensors; an exact match of zeros is no error.
func relativeError(_ a: [Float], _ b: [Float]) -> Double {
    guard a.count == b.count else { return .infinity }
    var (difference, size) = (0.0, 0.0)
    for (x, y) in zip(a, b) {
        if x.isNaN || y.isNaN { return x.isNaN && y.isNaN ? 0 : .infinity }
        difference = max(difference, Double(abs(x - y)))
        size = max(size, Double(abs(y)))
    }
    return difference == 0 ? 0 : difference / max(size, 1e-6)
}

/// The largest difference beside the largest value or, where that is smaller, beside the size of the terms that were added up to it:
/// a sum that ends near 0 was rounded at the size of its terms.
func relativeError(_ a: [Float], _ b: [Float], beside terms: Double) -> Double {
    let largest = b.reduce(0) { max($0, Double(abs($1))) }
    let error = relativeError(a, b)
    return largest > 0 ? error * largest / max(largest, terms) : error
}

/// A graph with reference values beside it, as `op_reference.py` writes them.
struct ReferenceCase {
    let name: String
    let graph: Graph
    let tensors: [String: Tensor]

    /// All graphs of a pair of files, by name: an object of graphs, and tensors named `graph/tensor`.
    static func all(_ file: String, in folder: URL) throws -> [ReferenceCase] {
        let graphs = try JSONDecoder().decode(
            [String: Graph].self, from: Data(contentsOf: folder.appending(path: "\(file).json")))
        var tensors: [String: [String: Tensor]] = [:]
        for (key, tensor) in try SafeTensors(contentsOf: folder.appending(path: "\(file).safetensors")).tensors() {
            let parts = key.split(separator: "/", maxSplits: 1).map { String($0) }
            tensors[parts[0], default: [:]][parts[1]] = tensor
        }
        return graphs.sorted { $0.key < $1.key }.map { name, graph in
            ReferenceCase(name: name, graph: graph, tensors: tensors[name] ?? [:])
        }
    }

    private func tensor(_ name: String) throws -> Tensor { try #require(tensors[name], "\(self.name): \(name)") }

    /// The largest error of the loss, the gradients and the running statistics, and what it belongs to.
    func worstError(_ options: RuntimeOptions) throws -> (error: Double, what: String) {
        func given(_ bindings: [Graph.Binding]) throws -> [String: Tensor] {
            try Dictionary(uniqueKeysWithValues: bindings.map { ($0.name, try tensor("in.\($0.name)")) })
        }
        let tensors = try given(graph.parameters).merging(given(graph.buffers)) { first, _ in first }
        let session = try GraphSession(train: graph, evaluation: nil, tensors: tensors, options: options)
        let loss = try session.step(given(graph.inputs))
        let expected = try tensor("loss").values
        // The loss is a sum with random signs: what matters is its error beside the size of its terms; where those are sums
        // that cancel themselves, beside a hundredth, inputs being of order one.
        let size = try tensor("result").values.reduce(0) { $0 + Double(abs($1)) }
        var worst = (Double(abs(loss - expected[0])) / max(size, 1e-2), "loss")
        for name in tensors.keys.sorted() where name.hasPrefix("grad.") || name.hasPrefix("buffer.") {
            let key = String(name.drop { $0 != "." }.dropFirst())
            let got =
                name.hasPrefix("grad.") ? try session.parameters.gradient(key) : try session.parameters.tensor(key)
            let want = try tensor(name)
            var error = got.map { $0.shape == want.shape ? relativeError($0.values, want.values) : .infinity }
            // A gradient of a few numbers can be a sum that cancels, or the slope of a saturated function, and then be a thousandth
            // of its terms, which float32 cannot tell to the bound: it is judged beside its terms, inputs being of order one.
            if let got, want.values.count <= 4, got.shape == want.shape {
                let off = zip(got.values, want.values).map { Double(abs($0 - $1)) }.max() ?? 0
                let largest = want.values.map { Double(abs($0)) }.max() ?? 0
                error = off.isFinite ? off / max(largest, 0.05 * size, 1e-2) : error
            }
            // A gradient of zeros may be none.
            let found = error ?? (want.values.allSatisfy { $0 == 0 } ? 0 : .infinity)
            if found > worst.0 { worst = (found, name) }
        }
        return worst
    }
}

@Suite(.serialized)
struct OperationTests {
    @Test(
        "Every operation agrees with PyTorch, forward and backward, on random shapes",
        arguments: PythonReference.sources)
    func operationsAgree(_ source: PythonReference.Source) throws {
        let seed = source == .live ? PythonReference.seed("operationsAgree") : 1
        let count = source == .stored ? 1 : PythonReference.isVerifying ? 200 : 5
        try PythonReference.withValues(
            source, "op_reference.py", ["--seed", "\(seed)", "--count", "\(count)"]
        ) { folder in
            var worst: (error: Double, name: String) = (0, "")
            for index in 0..<count {
                let cases = try ReferenceCase.all("graphs-\(index)", in: folder)
                #expect(cases.count >= 135)
                for reference in cases {
                    let found = try reference.worstError(RuntimeOptions(threads: index % 2 + 1))
                    #expect(found.error < 1e-4, "\(reference.name)-\(index), seed \(seed): \(found.what)")
                    if found.error > worst.error { worst = (found.error, "\(reference.name)-\(index) \(found.what)") }
                }
            }
            print("operationsAgree: \(count) configurations of each, worst error \(worst.error) (\(worst.name))")
        }
    }

    @Test("The formulas that stand in for losses PyTorch lacks agree with finite differences in double precision")
    func formulasAgreeWithFiniteDifferences() throws {
        let seed = PythonReference.seed("formulasAgreeWithFiniteDifferences")
        let count = PythonReference.isVerifying ? 50 : 2
        let names = try PythonReference.run(
            "op_reference.py", ["--seed", "\(seed)", "--count", "\(count)", "--gradcheck"])
        #expect(names.split(whereSeparator: \.isWhitespace).count == 4)
    }
}
