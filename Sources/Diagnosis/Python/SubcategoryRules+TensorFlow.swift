extension SubcategoryRules {
    /// What TensorFlow and Keras say, tried before the general phrases where one of their files stands in the traceback: their messages
    /// name nodes, devices and signatures, which the general phrases would take for the matter.
    static func tensorflow(_ context: Context) -> ErrorReport.Subcategory? {
        guard context.paths.contains(where: { $0.contains("/tensorflow/") || $0.contains("/keras/") }) else {
            return nil
        }
        // `{{function_node __wrapped__Mul_device_/job:localhost/…}}`, `[Op:Mul] name: `
        let said = context.message.replacing(/\{\{[^}]*\}\}|\[Op:[^\]]*\]/, with: "").lowercased()
        return tensorflowPhrases.first { $0.1.contains(where: said.contains) }?.0
    }

    private static let tensorflowPhrases: [(ErrorReport.Subcategory, [String])] = [
        (.resources, ["oom when allocating", "out of memory", "failed to allocate"]),
        (
            .device,
            [
                "device specification", "could not satisfy explicit device", "unknown device", "no gpu",
                "no matching devices",
            ]
        ),
        (
            .filePath,
            [
                "no such file", "file not found", "read-only file system", "could not find directory",
                "failed to create a directory",
                "parent directory",
            ]
        ),
        (
            .dtype,
            [
                "is not in the list of allowed values", "was expected to be a", "that does not match type",
                "converted to the expected type", "tensor conversion requested dtype", "expected to be of type",
                "data types", "don't all match", "must have the same dtype",
            ]
        ),
        (
            .dataHandling,
            [
                "data cardinality is ambiguous", "unknown image file format", "unable to decode", "not a valid png",
                "invalid png", "buffer_size must be greater", "empty logs", "unexpected result of `train_function`",
                "expected image (jpeg", "input is empty", "did not hold", "outside the valid range", "slice index",
                "is not in [", "empty file", "your input ran out of data",
            ]
        ),
        (
            .shapeMismatch,
            [
                "incompatible shapes", "incompatible with the layer", "matching shapes", "must have the same shape",
                "size-incompatible", "dimensions must be equal", "different shapes", "input to reshape",
                "output size would be zero or negative", "must be broadcastable", "dimension size must", "same rank",
                "ranks of all input tensors", "must be at least rank", "must have rank", "number of channels",
                "logits and labels must", "shapes must be equal", "unknown rank", "unknown tensorshape",
                "invalid input shape", "same length", "is <= 0", "output size would be negative",
            ]
        ),
        (
            .apiMisuse,
            [
                "could not interpret", "not recognized", "unrecognized keyword", "filepath", "must end in",
                "extension for saving", "could not locate function", "could not locate class", "`compile()`",
                "no gradients provided", "`call()` method", "symbolic", "kerastensor", "singleton tf.variable",
                "unexpected keyword", "positional argument", "has no attribute", "`super().__init__()`",
                "unknown optimizer", "has not been built", "has not yet been built", "unknown loss", "expected 1 input",
                "input(s)", "are not supported", "no variables to optimize",
            ]
        ),
    ]
}
