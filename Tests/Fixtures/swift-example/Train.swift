import PipelineKit
import TensorRuntime

func segmentationLoss(_ logits: Variable, _ masks: Variable) throws -> Variable {
    try Loss.binaryCrossEntropyWithLogits(logits, masks) + Loss.dice(logits.sigmoid(), masks)
}

/// The mean loss of one pass over the batches.
func trainEpoch(_ model: DilatedNet, _ batches: [Samples], _ optimizer: Optimizer) throws -> Double {
    model.train()
    var total = 0.0
    for batch in batches {
        model.zeroGradients()
        let loss = try segmentationLoss(model(Variable(batch.images)), Variable(batch.masks))
        try loss.backward()
        try optimizer.step(model.parameters)
        total += Double(try loss.scalar)
    }
    return total / Double(batches.count)
}

/// The mean loss, and the Dice of each batch.
func validate(_ model: DilatedNet, _ batches: [Samples], threshold: Float) throws -> (loss: Double, dice: [Double]) {
    model.evaluate()
    var (total, dice) = (0.0, [Double]())
    try withoutGradients {
        for batch in batches {
            let logits = try model(Variable(batch.images))
            total += Double(try segmentationLoss(logits, Variable(batch.masks)).scalar)
            dice.append(try meanDice(logits.sigmoid().value, batch.masks, threshold: threshold))
        }
    }
    return (total / Double(batches.count), dice)
}

func predict(_ model: DilatedNet, _ images: Tensor) throws -> Tensor {
    model.evaluate()
    return try withoutGradients { try model(Variable(images)).sigmoid().value }
}
