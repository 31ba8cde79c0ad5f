import PipelineKit
import TensorRuntime

func half(_ x: Double) -> Double { x / 2 }
func half(_ x: Double) -> Double { x * 0.5 }
print(half(1))
