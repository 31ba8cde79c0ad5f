import PipelineKit
import TensorRuntime

let x = Variable(try Tensor(shape: [2, 3], repeating: 0))
print(try x.view([3, 2]).shape)
