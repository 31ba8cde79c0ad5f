import PipelineKit
import TensorRuntime

let total = 0.0
for loss in [1.0, 2.0] { total += loss }
print(total)
