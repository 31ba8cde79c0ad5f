import Foundation
import TensorRuntime
import Testing

/// What pipelines call in PyTorch, recorded as graphs by the capture's own helper (Tests/Fixtures/runtime/captured_operations.py),
/// gives the same loss and gradients here. The script compares the helper's interpreter of the same graphs with PyTorch.
struct CapturedOperationTests {
    @Test(
        "A function of PyTorch, recorded as a graph, has PyTorch's value and gradients",
        arguments: PythonReference.sources)
    func recordedFunctionsAgree(_ source: PythonReference.Source) throws {
        let seed = source == .live ? PythonReference.seed("recordedFunctionsAgree") : 1
        func check(_ folder: URL) throws {
            let cases = try ReferenceCase.all("captured-graphs", in: folder)
            #expect(cases.count > 90)
            var worst = (error: Float(0), place: "nowhere")
            for reference in cases {
                do {
                    for (what, error) in try errors(of: reference) {
                        #expect(error <= 1e-4, "\(reference.name), \(what)")
                        if !(error <= worst.error) { worst = (error, "\(reference.name), \(what)") }
                    }
                } catch {
                    Issue.record("\(reference.name): \(error)")
                }
            }
            print("recordedFunctionsAgree: \(cases.count) functions, worst error \(worst.error) (\(worst.place))")
        }
        guard source == .live else { return try check(PythonReference.fixtures.appending(path: "stored")) }
        try PythonReference.withFolder { folder in
            try PythonReference.run(
                "captured_operations.py", [folder.path, PythonReference.captureHelper.path, "\(seed)"])
            try check(folder)
        }
    }

    /// The error of the loss and of each gradient, beside the largest element, or beside 0.1 where all are smaller: inputs are of
    /// order one, and gradients that cancel have rounding of that size.
    private func errors(of reference: ReferenceCase) throws -> [(String, Float)] {
        let (name, graph, tensors) = (reference.name, reference.graph, reference.tensors)
        let session = try GraphSession(train: graph, evaluation: nil, tensors: tensors)
        let loss = try session.step(["image": try #require(tensors["image"])])
        var pairs = [("loss", try Tensor(shape: [1], values: [loss]), try #require(tensors["loss"]))]
        for parameter in session.parameters.parameterNames {
            let wanted = try #require(tensors["gradient.\(parameter)"], "\(name), \(parameter)")
            pairs.append((parameter, try #require(try session.parameters.gradient(parameter)), wanted))
        }
        for buffer in session.parameters.bufferNames {
            guard let wanted = tensors["after.\(buffer)"] else { continue }
            pairs.append((buffer, try session.parameters.tensor(buffer), wanted))
        }
        #expect(pairs.count > 1, "\(name) has gradients")
        return pairs.map { what, ours, theirs in
            #expect(ours.shape == theirs.shape, "\(name), \(what)")
            let size = max(theirs.values.map(abs).max() ?? 0, 0.1)
            let differences = zip(ours.values, theirs.values).map { abs($0 - $1) / size }
            return (what, differences.contains(where: \.isNaN) ? .infinity : differences.max() ?? .infinity)
        }
    }
}
