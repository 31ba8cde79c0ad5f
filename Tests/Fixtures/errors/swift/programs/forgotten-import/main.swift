import PipelineKit

let x = Variable(1.0)
print(x.shape)
