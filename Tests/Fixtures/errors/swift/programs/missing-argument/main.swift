import PipelineKit
import TensorRuntime

let split = try Split(count: 20)
