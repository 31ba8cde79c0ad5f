import PipelineKit
import TensorRuntime

let p = Variable(try Tensor(shape: [2, 1, 4, 4], repeating: 0.5))
let t = Variable(try Tensor(shape: [2, 4, 4], repeating: 1))
print(try Loss.binaryCrossEntropy(p, t).scalar)
