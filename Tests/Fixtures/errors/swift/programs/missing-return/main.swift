import PipelineKit
import TensorRuntime

func area(_ shape: [Int]) -> Int {
    var area = 1
    for side in shape { area *= side }
}
print(area([2, 3]))
