import PipelineKit
import TensorRuntime

print(Parameter(try Tensor(shape: [1], repeating: 2)).gradient!.values)
