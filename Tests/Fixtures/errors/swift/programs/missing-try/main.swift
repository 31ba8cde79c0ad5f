import PipelineKit
import TensorRuntime

let images = try Tensor(shape: [1, 1, 4, 4], repeating: 1)
let x = Variable(images).relu()
print(x.shape)
