import PipelineKit
import TensorRuntime

let images = Variable(try Tensor(shape: [2, 1, 8, 8], repeating: 1))
print(try Net()(images).value.shape)
