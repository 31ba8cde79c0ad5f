// TensorRuntime
