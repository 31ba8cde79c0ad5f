import PipelineKit
import TensorRuntime

print(try Tensor(shape: [2, 2], values: [1, 2, 3]).shape)
