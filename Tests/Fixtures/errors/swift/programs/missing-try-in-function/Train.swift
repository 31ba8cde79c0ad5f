import TensorRuntime

func lossOf(_ logits: Variable, _ masks: Variable) -> Variable {
    return try Loss.binaryCrossEntropyWithLogits(logits, masks)
}
