import PipelineKit
import TensorRuntime

let epochs = 3
let optimizer = try Optimizer(.adam(.init(learningRate: epochs)), parameters: Conv2d(1, 1, kernel: 1).parameters)
