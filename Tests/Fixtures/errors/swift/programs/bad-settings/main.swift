import PipelineKit
import TensorRuntime

_ = try Optimizer(.adam(.init(learningRate: -1)), parameters: Conv2d(1, 1, kernel: 1).parameters)
