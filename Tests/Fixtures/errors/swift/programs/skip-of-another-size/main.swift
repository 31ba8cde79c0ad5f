import PipelineKit
import TensorRuntime

let a = Variable(try Tensor(shape: [1, 4, 15, 15], repeating: 1))
let b = Variable(try Tensor(shape: [1, 4, 14, 14], repeating: 1))
print(try Variable.concatenated([a, b]).shape)
