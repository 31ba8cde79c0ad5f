import Foundation

/// What kind of mistake an exception is, in words a reader understands.
///
/// Rules are tried in order and the first that fits decides: from what names itself (a syntax error, a missing module) over what
/// the message names (a device, an element type, a shape) to what only the class suggests.
enum SubcategoryRules {
    struct Context {
        var errorClass: String
        var message: String
        var frame: ErrorReport.Frame?
        /// Paths of all frames, outermost first.
        var paths: [String]
        /// The innermost line of the program's own, as the traceback prints it.
        var source: String?
    }

    static func subcategory(_ context: Context) -> ErrorReport.Subcategory {
        if let decided = decidedByClass(context) ?? decidedBySource(context) ?? tensorflow(context) { return decided }
        let message = context.message.lowercased()
        if isExcel(context), !namesResourceOrPath(message) { return .excelOutput }
        for (subcategory, phrases) in byPhrase where phrases.contains(where: message.contains) { return subcategory }
        return suggestedByClass(context)
    }

    private static func decidedByClass(_ context: Context) -> ErrorReport.Subcategory? {
        switch context.errorClass {
        case "SyntaxError": .syntax
        case "ImportError": .missingImport
        case "MemoryError", "RecursionError": .resources
        case "NameError": isForgottenImport(context.message) ? .missingImport : .other
        case "FileNotFoundError", "PermissionError", "IsADirectoryError", "NotADirectoryError", "FileExistsError":
            isExcel(context) && context.errorClass == "PermissionError" ? .excelOutput : .filePath
        case "UnidentifiedImageError": .dataHandling
        // Its message names the attribute, which may well be called `shape` or `dtype`.
        case "AttributeError": attribute(context)
        // What is counted is nothing, which is no mistake of the data: `epoch % (epochs // 10)`.
        case "ZeroDivisionError" where context.message.contains("modulo"): .other
        default: nil
        }
    }

    /// An image that was not read is None; a misspelt attribute of the program's own objects is no library's.
    private static func attribute(_ context: Context) -> ErrorReport.Subcategory {
        let message = context.message
        if context.frame?.file == "dataset.py",
            ["shape", "astype", "size", "ndim", "dtype"].contains(where: {
                message.contains("'NoneType' object has no attribute '\($0)'")
            })
        {
            return .dataHandling
        }
        let names = message.split(separator: "'").map(String.init)
        let isOwn = names.count > 2 && context.source?.contains("self.\(names[2])") == true
        return isOwn ? .other : .apiMisuse
    }

    /// Values unpacked from a call that returns another number of them are no shape.
    private static func decidedBySource(_ context: Context) -> ErrorReport.Subcategory? {
        // The first of no GPUs: `list_physical_devices("GPU")[0]`.
        if context.errorClass == "IndexError", let source = context.source,
            ["physical_devices", "logical_devices", "gpus["].contains(where: source.contains)
        {
            return .device
        }
        guard context.message.contains("values to unpack"), let source = context.source, source.contains("("),
            !["shape", "size("].contains(where: source.contains)
        else { return nil }
        return context.frame?.file == "dataset.py" ? nil : .apiMisuse
    }

    /// `name 'np' is not defined`: names that everybody imports, and nobody assigns.
    private static func isForgottenImport(_ message: String) -> Bool {
        if message.contains("Did you forget to import") { return true }
        guard message.contains("is not defined"), let name = message.split(separator: "'").dropFirst().first else {
            return false
        }
        return importedNames.contains(String(name))
    }

    private static let importedNames: Set<String> = [
        "torch", "nn", "F", "optim", "tf", "tensorflow", "keras", "layers", "models", "ops", "backend", "K", "Model",
        "np", "numpy", "pd", "pandas", "plt", "matplotlib", "os", "sys", "json", "time",
        "random", "math", "glob", "argparse", "shutil", "re", "csv", "copy", "Path", "pathlib", "Image", "PIL", "cv2",
        "tqdm", "Dataset", "DataLoader", "Subset", "random_split", "transforms", "T", "TF", "torchvision", "summary",
        "torchinfo", "train_test_split", "openpyxl", "Workbook", "A", "albumentations", "skimage", "sklearn", "List",
        "Tuple", "Optional", "Dict", "Any", "Union", "UNet", "SegmentationDataset", "dataclass", "partial",
        "defaultdict", "datetime", "logging", "warnings", "functools", "Counter",
    ]

    private static let byPhrase: [(ErrorReport.Subcategory, [String])] = [
        // Lists of signatures follow, which name everything.
        (.apiMisuse, ["received an invalid combination of arguments"]),
        (
            .resources,
            [
                "can't allocate memory", "out of memory", "too many open files", "no space left on device",
                "file too large", "resource temporarily unavailable", "exited unexpectedly", "cannot allocate memory",
                "bus error", "unable to allocate", "timed out after", "insufficient shared memory",
                "can't start new thread",
            ]
        ),
        (
            .device,
            [
                "same device", "cuda", "nvidia", "device type", "invalid device", "mps backend", "on the cpu",
                "to host memory", "mps devices", "meta tensor", "cudnn", "autocast device",
            ]
        ),
        (
            .excelOutput,
            [
                ".xlsx", "excel", "worksheet", "workbook", "at least one sheet", "sheet name", "no engine for filetype",
            ]
        ),
        (
            .filePath,
            [
                "read-only file system", "no such file", "file not found", "does not exist", "could not find directory",
                "already exists",
                "non-existent directory", "parent directory",
                "open file failed", "is a directory",
            ]
        ),
        (
            .dtype,
            [
                "dtype", "scalar type", "input type", "result type", "can't be cast", "cannot be cast", "data type",
                "not implemented for '", "can't convert np.ndarray of type",
                "floating point", "bool tensor", "should be the same type", "unsupported array type", "torch.bool",
                "expected object of", "cannot handle this data type",
                "must be of integer", "used as indices must be", "index tensor of type", "two bool tensors",
                // What OpenCV says of an element type that it has no function for.
                "func != 0 in function", "scalartype", "without overflow", "not supported for the input types",
                "numpy boolean subtract", "cannot write mode", "should be a float tensor", "image types are supported",
                "got torch.uint8",
                "got torch.int", "got torch.float", "got torch.bool", "depth == cv_", "unsupported depth", "depth is",
                "type == cv_",
            ]
        ),
        (
            .apiMisuse,
            [
                "dropout probability", "option can only be", "option could only be", "invalid learning rate",
                "invalid beta", "invalid weight_decay", "invalid momentum", "empty parameter list",
                "as named arguments", "overload resolution failed", "not implemented. rebuild", "error: argument ",
                "validation error for", "tried to step", "is not a valid package style",
            ]
        ),
        (
            .shapeMismatch,
            [
                "dimensional. got", "number of channels", "to have 3 channels", "exceeds image extent",
                "larger than input image", "larger than the image", "is out of bounds for array of dimension",
                "target tensor expected", "height and width of", "found array with dim", "same length",
                "cannot be converted to scalar", "storage that is not resizable",
            ]
        ),
        (
            .dataHandling,
            [
                "num_samples", "n_samples", "negative strides", "test_size", "train_size", "batch must contain",
                "not json serializable",
                "between 0 and 1", "pic should be", "cannot identify image", "empty dataset", "decode", "imread",
                "list index out of range", "division by zero",
                "stack expects a non-empty",
                "no images", "no masks", "not found in",
                "iterable argument is empty", "empty sequence", "could not convert string", "invalid literal for",
                "contains nan", "contains infinity", "least populated class", "must be between -1 and 1", "data stream",
                "is shorter than argument", "is longer than argument", "is not in list", "requires at least",
                "larger sample than", "unless no samples are taken", "need at least one array",
                "expected a non-empty list", "zero-size array", "numel() == 0", "non-empty take",
                "sum of input lengths", "larger than population", "truncated", "greater than the number of samples",
            ]
        ),
        (
            .shapeMismatch,
            [
                "size mismatch", "inconsistent numbers of samples", "for all or no classes", "must match the size",
                "cannot be multiplied", "sizes of tensors must match",
                "channels, but got", "target size", "target (input) size", "the same as input size", "same size",
                "expected 4d", "expected 3d", "expected 2d", "is invalid for input of size", "equal size", "broadcast",
                "inhomogeneous", "given groups=", "more than 1 value per channel", "same shape",
                "output size is too small",
                "padding size should", "too many indices", "dimension out of range", "don't match", "does not match",
                "number of dimensions", "number of dims", "shape", "not match", "expected input",
                "running_mean should contain",
                "normalized_shape", "too many values to unpack", "not enough values to unpack", "invalid dimension",
                "only one element tensors", "scalars", "view size is not compatible", "must have the same number",
                "must be the same", "calculated padded input size", "size of tensor", "dimensions",
                "size should match", "all the input arrays", "spatial size", "spatial targets",
            ]
        ),
        (
            .apiMisuse,
            [
                "unexpected keyword", "positional argument", "required positional", "not callable", "multiple values",
                "has no attribute", "does not require grad", "requires grad", "backward through the graph",
                "in-place operation", "inplace operation", "pickle", "weights only", "unrecognized arguments",
                "conflicting option", "is not supported", "invalid choice", "must be called",
                "the following arguments are required", "object is not iterable", "not subscriptable", "abstract",
                "before super().__init__", "before module.__init__", "invalid value for", "bootstrapping phase",
            ]
        ),
    ]

    /// What is amiss before a workbook is written at all.
    private static func namesResourceOrPath(_ message: String) -> Bool {
        byPhrase.contains { subcategory, phrases in
            [.resources, .filePath].contains(subcategory) && phrases.contains(where: message.contains)
        }
    }

    private static func isExcel(_ context: Context) -> Bool {
        context.paths.contains { path in
            ["/openpyxl/", "/xlsxwriter/", "/pandas/io/excel/", "/pandas/io/formats/excel"].contains {
                path.contains($0)
            }
        }
    }

    private static func suggestedByClass(_ context: Context) -> ErrorReport.Subcategory {
        switch context.errorClass {
        case "cv2.error": return .dataHandling
        case "TypeError", "AttributeError", "NotImplementedError": return .apiMisuse
        case "AxisError": return .shapeMismatch
        case "KeyError", "IndexError", "UnicodeDecodeError", "JSONDecodeError", "ZeroDivisionError", "StopIteration":
            return .dataHandling
        case "OSError": return .filePath
        default: break
        }
        if isRaisedByProgram(context) { return context.frame?.file == "dataset.py" ? .dataHandling : .other }
        return isDataLibrary(context) ? .dataHandling : .apiMisuse
    }

    /// `raise` or `assert` in a file of the program's own, or an ending that it chose; what remains was raised by a library that it called.
    private static func isRaisedByProgram(_ context: Context) -> Bool {
        guard let source = context.source, let frame = context.frame else { return true }
        return context.paths.last?.hasSuffix("/" + frame.file) == true
            && (source.hasPrefix("raise") || source.hasPrefix("assert"))
    }

    /// Libraries that read and pair images, and do nothing else.
    private static func isDataLibrary(_ context: Context) -> Bool {
        guard let path = context.paths.last else { return false }
        return [
            "/PIL/", "/imageio/", "/tifffile/", "/json/", "/csv.py", "/random.py", "/glob.py",
            "/sklearn/model_selection/",
            "/torch/utils/data/_utils/collate.py", "/statistics.py", "/zipfile.py",
        ].contains(where: path.contains)
    }
}
