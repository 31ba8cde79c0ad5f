extension PublishedModel: PublishedValue {
    var key: String { id }

    init(_ row: PublishedRow) throws(PublishedFiguresError) {
        id = try row.text("id")
        name = try row.text("name")
        vendor = try row.text("vendor")
        cohort = try row.cohort()
        isReasoning = try row.flag("reasoning")
        hasOpenWeights = try row.flag("open_weights")
    }
}

extension PublishedArchitecture: PublishedValue {
    var key: String { id }

    init(_ row: PublishedRow) throws(PublishedFiguresError) {
        id = try row.text("id")
        batchSize = try row.whole("batch_size")
        epochs = try row.whole("epochs")
        optimizer = try row.text("optimizer")
        learningRate = try row.number("learning_rate", in: 0...1)
        weightDecay = try row.number("weight_decay", in: 0...1)
        loss = try row.text("loss")
        imageSize = try row.whole("image_size")
        encoderStages = try row.whole("encoder_stages")
        decoderStages = try row.whole("decoder_stages")
        convolutionBlock = try row.text("conv_block")
        bottleneckChannels = try row.whole("bottleneck_channels")
        encoderChannels = try row.channels("encoder_channels")
        decoderChannels = try row.channels("decoder_channels")
        trainableParameters = try row.whole("trainable_parameters")
        meanTrainingTime = try row.number("mean_training_time_s", in: 0...1e9)
    }
}

extension PublishedTestDice: PublishedValue {
    var key: String { "\(dataset) \(cohort) \(rank)" }

    init(_ row: PublishedRow) throws(PublishedFiguresError) {
        dataset = try row.text("dataset")
        cohort = try row.cohort()
        rank = try row.whole("rank")
        dice = try row.number("mean_test_dice", in: 0...1)
    }
}

extension PublishedComparison: PublishedValue {
    var key: String { dataset }

    init(_ row: PublishedRow) throws(PublishedFiguresError) {
        dataset = try row.text("dataset")
        median2024 = try row.number("median_2024", in: 0...1)
        quartiles2024 = try row.range("q1_2024", "q3_2024")
        median2025 = try row.number("median_2025", in: 0...1)
        quartiles2025 = try row.range("q1_2025", "q3_2025")
        difference = try row.number("delta_median", in: -1...1)
        u = try row.number("U", in: 0...88)
        p = try row.number("p", in: 0...1)
        isSignificant = try row.flag("significant")
    }
}

extension PublishedPooledComparison: PublishedValue {
    var key: String { "\(source) \(comparison) \(split)" }

    init(_ row: PublishedRow) throws(PublishedFiguresError) {
        source = try row.text("source")
        comparison = try row.text("comparison")
        split = try row.text("split")
        u = try row.number("U", in: 0...90)
        p = try row.number("p", in: 0...1)
    }
}

extension PublishedRepeat: PublishedValue {
    var key: String { "\(id) \(run)" }

    init(_ row: PublishedRow) throws(PublishedFiguresError) {
        id = try row.text("id")
        run = try row.whole("run")
        batchSize = try row.whole("batch_size")
        epochs = try row.whole("epochs")
        learningRate = try row.number("learning_rate", in: 0...1)
        loss = try row.text("loss")
        encoderStages = try row.whole("encoder_stages")
        decoderStages = try row.whole("decoder_stages")
        trainableParameters = try row.whole("trainable_parameters")
        trainingTime = try row.number("training_time_s", in: 0...1e9)
        errors = try row.list("errors")
    }
}

extension PublishedLabelBudget: PublishedValue {
    var key: String { "\(report) \(dataset) \(method) \(labels)" }

    init(_ row: PublishedRow) throws(PublishedFiguresError) {
        report = try row.text("report")
        dataset = try row.text("dataset")
        modality = try row.text("modality")
        method = try row.text("method")
        labels = try row.whole("n_labels", atLeast: 0)
        dice = try row.number("dice", in: 0...1)
    }
}

extension PublishedGliomaResult: PublishedValue {
    var key: String { "\(task) \(system) \(metric)" }

    init(_ row: PublishedRow) throws(PublishedFiguresError) {
        task = try row.text("task")
        system = try row.text("system")
        metric = try row.text("metric")
        value = try row.number("value", in: 0...1000)
    }
}
