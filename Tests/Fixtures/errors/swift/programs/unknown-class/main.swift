import PipelineKit
import TensorRuntime

print(UNet().namedParameters.count)
