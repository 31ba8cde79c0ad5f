import Foundation
import TensorRuntime

/// What `optim_reference.py` is asked for, and what it answers.
struct OptimizerReference {
    struct Case: Encodable {
        var name: String
        var groups: [[String: AttributeValue]]
        var steps = 30
        var report = [1, 10, 30]
    }

    struct Schedule: Encodable {
        var optimizer = "Adam"
        var lr: [Double]
        var scheduler: [String: AttributeValue]
        var metrics: [Double]
    }

    struct Clip: Encodable {
        var kind: String
        var max: Double
        var normType: AttributeValue = 2
        var tensors: [String]

        enum CodingKeys: String, CodingKey {
            case kind, max, tensors
            case normType = "norm_type"
        }
    }

    struct Average: Encodable {
        var decay: Double
        var correctsBias: Bool
        var steps: Int
        var parameters: [String]
        var buffers: [String]

        enum CodingKeys: String, CodingKey {
            case decay, steps, parameters, buffers
            case correctsBias = "corrects_bias"
        }
    }

    struct Plan: Encodable {
        var optimizers: [Case] = []
        var schedules: [Schedule] = []
        var clips: [Clip] = []
        var averages: [Average] = []
    }

    struct Answer: Decodable {
        struct Schedule: Decodable {
            var rates: [Double]
            var momenta: [Double?]
        }

        var norms: [Double?]
        var schedules: [Schedule]
    }

    static func run(_ plan: Plan, data: [String: Tensor]) throws -> (answer: Answer, tensors: [String: Tensor]) {
        try PythonReference.withFolder { folder in
            try JSONEncoder().encode(plan).write(to: folder.appending(path: "plan.json"))
            try SafeTensors.write(data, to: folder.appending(path: "data.safetensors"))
            try PythonReference.run("optim_reference.py", [folder.path])
            let answer = try JSONDecoder().decode(
                Answer.self, from: Data(contentsOf: folder.appending(path: "results.json")))
            return (answer, try SafeTensors(contentsOf: folder.appending(path: "results.safetensors")).tensors())
        }
    }
}

extension KernelRandom {
    mutating func tensor(_ shape: [Int], scale: Float = 1) throws -> Tensor {
        try Tensor(shape: shape, values: (0..<shape.reduce(1, *)).map { _ in scale * float() })
    }

    /// One to three axes, odd sizes among them.
    mutating func shape() -> [Int] {
        (0..<int(1...3)).map { _ in int(1...7) }
    }

    mutating func pick<T>(_ choices: [T]) -> T { choices[int(0...choices.count - 1)] }

    mutating func double(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (Double(float()) + 1) / 2 * (range.upperBound - range.lowerBound)
    }
}
