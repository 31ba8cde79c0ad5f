import TensorRuntime

print("training")
