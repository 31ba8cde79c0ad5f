import PipelineKit
import TensorRuntime

let layer = Conv2d(1, 8, 3, padding: 1)
