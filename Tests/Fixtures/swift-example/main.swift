import PipelineKit
import TensorRuntime

let arguments = try PipelineArguments(defaultEpochs: 12)
let (batchSize, threshold, learningRate) = (8, Float(0.5), 3e-3)
let samples = try loadSamples(arguments.data)
let split = try Split(count: samples.count, seed: 42)
let training = try samples.subset(split.training)
let validation = try samples.subset(split.validation).batches(size: batchSize)
print("training \(split.training.count), validation \(split.validation.count), test \(split.test.count)")

let model = DilatedNet(channels: 8)
let optimizer = try Optimizer(.adam(.init(learningRate: learningRate)), parameters: model.parameters)
let order = RandomGenerator(seed: 42)
let results = PipelineResults(arguments)
for _ in 1...arguments.epochs {
    let batches = try training.batches(size: batchSize, shuffledBy: order)
    let trainingLoss = try trainEpoch(model, batches, optimizer)
    let (loss, dice) = try validate(model, validation, threshold: threshold)
    try results.record(trainingLoss: trainingLoss, validationLoss: loss, validationDice: dice)
}

let configuration = PipelineConfiguration(
    encoderChannels: [], decoderChannels: [], bottleneckChannels: nil, convBlock: "conv3x3-batchnorm-relu, dilated",
    normalization: "batch", upsampling: "none", skip: "none", finalLayer: "conv1x1", outputActivation: "none",
    loss: "binary cross-entropy + soft Dice", optimizer: "Adam", learningRate: learningRate)
try results.finish(
    model: model, samples: samples, split: split, batchSize: batchSize, threshold: threshold,
    configuration: configuration
) { images in try predict(model, images) }
