import PipelineKit
import TensorRuntime

print(try ImagePairs(folder: "/data/train").count)
