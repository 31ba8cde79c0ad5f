import Foundation
import TensorRuntime
import Testing

@testable import NNUNet

/// The inputs and weights of `Reference/values.py`, and what nnunetv2 made of them.
enum HashedValues {
    /// Numbers in 0 … 1 from a hash of their places.
    static func uniform(_ key: Int, _ count: Int) -> [Double] {
        (0..<count).map { Double(GeneratedDataset.hashed(key, $0)) / 4_294_967_296 }
    }

    static func image(_ key: Int, _ shape: [Int], scale: Float = 1) throws -> Tensor {
        let numbers = uniform(key, shape.reduce(1, *)).map { Float(($0 - 0.5) * 4) * scale }
        return try Tensor(shape: shape, values: numbers)
    }

    static func labels(_ key: Int, _ shape: [Int], classes: Int) -> [Int16] {
        uniform(key, shape.reduce(1, *)).map { Int16($0 * Double(classes)) }
    }

    /// A network of two channels and three classes, small enough for a test.
    static func tiny() throws -> Architecture {
        try Architecture(
            features: [8, 16, 24, 32], kernels: [[3, 3], [1, 3], [3, 3], [3, 3]],
            strides: [[1, 1], [2, 2], [1, 2], [2, 2]], encoderConvolutions: [2, 2, 2, 2],
            decoderConvolutions: [2, 2, 2])
    }

    static let tinyPatch = [24, 40]

    /// A stored plan of nnunetv2.
    static func plan(_ name: String, classes: Int = 3) throws -> NNUNetPlan {
        let file = try Data(contentsOf: NNUNetReference.folder.appending(path: "plans.json"))
        let json = try JSONSerialization.jsonObject(with: file) as? [String: Any]
        let all = try #require(json?["datasets"] as? [String: Any])
        let entry = try #require(all[name] as? [String: Any])
        return try NNUNetPlan(
            json: JSONSerialization.data(withJSONObject: try #require(entry["plans"])), classes: classes)
    }

    /// The plan that `prediction` of the script is made with.
    static func tinyPlan() throws -> NNUNetPlan {
        var plan = try plan("mixed_spacing")
        (plan.architecture, plan.patchSize) = (try tiny(), tinyPatch)
        (plan.normalizations, plan.usesMaskForNormalization) = ([.ct, .zScore], [false, true])
        return plan
    }

    static func network(_ name: String) throws -> PlainConvUNet {
        var plan = try tinyPlan()
        if name == "square" {
            (plan.architecture, plan.patchSize) = (try self.plan("small_square").architecture, [32, 32])
        }
        return try PlainConvUNet(plan)
    }

    /// Weights by a hash of their places and the number of their name.
    static func weights(_ network: PlainConvUNet) throws -> [String: Tensor] {
        let shapes = network.parameterShapes.sorted { $0.name < $1.name }
        return try Dictionary(
            uniqueKeysWithValues: shapes.enumerated().map { key, parameter in
                let (name, shape) = parameter
                let fan = Double(shape.dropFirst().reduce(1, *))
                let numbers = uniform(key, shape.reduce(1, *)).map { number -> Float in
                    let u = number - 0.5
                    if shape.count > 1 { return Float(u * 2 * pow(6 / fan, 0.5)) }
                    return Float(u * 0.2 + (name.hasSuffix("norm.weight") ? 1 : 0))
                }
                return (name, try Tensor(shape: shape, values: numbers))
            })
    }

    /// What the script wrote, now or earlier.
    static func withReference<R>(_ source: NNUNetReference.Source, _ body: (SafeTensors) throws -> R) throws -> R {
        guard source == .live else {
            return try body(SafeTensors(contentsOf: NNUNetReference.folder.appending(path: "values.safetensors")))
        }
        return try body(try live.get())
    }

    /// Run once for all tests.
    private static let live = Swift.Result {
        try NNUNetReference.withFolder { folder in
            let file = folder.appending(path: "values.safetensors")
            try NNUNetReference.run("values.py", [file.path, "live"])
            return try SafeTensors(data: Data(contentsOf: file))
        }
    }
}

/// The largest distance between numbers, as a share of the largest of them.
func distance(_ ours: [Float], _ theirs: [Float]) -> Double {
    guard ours.count == theirs.count else { return .infinity }
    let largest = max(theirs.reduce(0) { max($0, abs($1)) }, 1e-12)
    return Double(zip(ours, theirs).reduce(0) { max($0, abs($1.0 - $1.1)) } / largest)
}
