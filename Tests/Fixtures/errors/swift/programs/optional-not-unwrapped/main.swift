import PipelineKit
import TensorRuntime

let w = Parameter(try Tensor(shape: [1], repeating: 2))
try (w * w).sum().backward()
print(w.gradient.values)
