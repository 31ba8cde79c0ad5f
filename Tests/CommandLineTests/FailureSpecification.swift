import Testing

/// A call that cannot succeed, and what its one line says.
struct FailureSpecification: Sendable, CustomTestStringConvertible {
    var name: String
    var arguments: [String]
    var status: Int32
    /// Every part stands in the one line.
    var says: [String]
    var variables: [String: String] = [:]
    /// The current folder; the workspace's when nil.
    var folder: String?

    var testDescription: String { name }

    static let withoutStudy: [FailureSpecification] = [
        .init(
            name: "a file where a dataset's folder should go",
            arguments: ["datasets", "build", "generated-polyp", "--into", "models.yaml"], status: 2,
            says: ["models.yaml is a file: name a folder with --into"]),
        .init(
            name: "a folder that is no workspace", arguments: ["models", "list", "--workspace", "datasets"], status: 2,
            says: ["datasets is no llmbench workspace", "it has no models.yaml"]),
        .init(
            name: "no workspace anywhere above", arguments: ["models", "list"], status: 2,
            says: ["no models.yaml here or in any folder above", "--workspace DIR"], folder: "/"),
        .init(
            name: "a model of a slightly wrong name", arguments: ["generate", "--model", "fixture-nevr"], status: 2,
            says: ["there is no model 'fixture-nevr' in models.yaml", "did you mean fixture-never"]),
        .init(
            name: "a model card of a wrong name", arguments: ["models", "show", "remot"], status: 2,
            says: ["there is no model 'remot'", "did you mean remote"]),
        .init(
            name: "a dataset of a slightly wrong name",
            arguments: ["generate", "--model", "fixture-never", "--dataset", "disk"], status: 2,
            says: ["there is no dataset 'disk' in ", "datasets/", "did you mean disc?"]),
        .init(
            name: "a dataset to show of a wrong name", arguments: ["datasets", "show", "dis"], status: 2,
            says: ["there is no dataset 'dis'", "did you mean disc?"]),
        .init(
            name: "a folder to check that is not there", arguments: ["datasets", "check", "no/where"], status: 2,
            says: ["there is no folder no/where"]),
        .init(
            name: "a folder to prepare that is not there",
            arguments: [
                "datasets", "prepare", "nowhere", "--name", "n", "--image-kind", "scans", "--foreground", "it",
            ], status: 2, says: ["there is no folder nowhere", "images/ and masks/"]),
        .init(
            name: "an nnU-Net that is not there", arguments: ["baseline", "nnunet", "--dataset", "disc"], status: 3,
            says: ["nnU-Net is not installed: LLMBENCH_NNUNET_PYTHON names /nowhere/python", "run scripts/setup"],
            variables: ["LLMBENCH_NNUNET_PYTHON": "/nowhere/python"]),
        .init(
            name: "a missing key", arguments: ["generate", "--model", "remote", "--dataset", "disc"], status: 3,
            says: ["the key for remote is missing", "set the environment variable SCRATCH_KEY"],
            variables: ["OTHER_KEY": "other-secret-2718"]),
        .init(
            name: "an endpoint that is down", arguments: ["generate", "--model", "keyless", "--dataset", "disc"],
            status: 3,
            says: ["http://127.0.0.1:9/v1/chat/completions cannot be reached", "check the address"]),
        .init(
            name: "an address that is none",
            arguments: ["generate", "--model", "keyless", "--dataset", "disc", "--base-url", "ftp://there"], status: 2,
            says: ["'ftp://there' is no address of an endpoint", "--base-url"]),
        .init(
            name: "a model card whose recording is gone",
            arguments: ["generate", "--model", "fixture-lost", "--dataset", "disc"], status: 3,
            says: ["recordings/lost.jsonl", "no readable file"]),
        .init(
            name: "a recording to replay that is not there",
            arguments: ["generate", "--model", "fixture-never", "--dataset", "disc", "--replay", "gone.jsonl"],
            status: 3,
            says: ["gone.jsonl is no recording that can be replayed"]),
        .init(
            name: "an interpreter that is not there",
            arguments: ["generate", "--model", "fixture-never", "--dataset", "disc"], status: 3,
            says: ["the Python environment is unusable", "/nowhere/python", "check LLMBENCH_PYTHON"],
            variables: ["LLMBENCH_PYTHON": "/nowhere/python"]),
        .init(
            name: "an interpreter that is no Python",
            arguments: ["generate", "--model", "fixture-never", "--dataset", "disc"], status: 3,
            says: [
                "the Python environment is unusable", "/bin/false does not run Python 3", "check LLMBENCH_PYTHON",
            ], variables: ["LLMBENCH_PYTHON": "/bin/false"]),
        .init(
            name: "an interpreter that repeats what it is given",
            arguments: ["generate", "--model", "fixture-never", "--dataset", "disc"], status: 3,
            says: ["/bin/echo does not run Python 3"], variables: ["LLMBENCH_PYTHON": "/bin/echo"]),
        .init(
            name: "an interpreter that is no Python, for a model file",
            arguments: ["unet", "describe", "net.py"], status: 3,
            says: ["/bin/false does not run Python 3", "check LLMBENCH_PYTHON"],
            variables: ["LLMBENCH_PYTHON": "/bin/false"]),
        .init(
            name: "a template without text",
            arguments: ["generate", "--model", "fixture-never", "--dataset", "disc", "--prompt", "empty.md"], status: 2,
            says: ["the prompt template ", "empty.md cannot be read: it is empty"]),
        .init(
            name: "a template without a slot",
            arguments: ["generate", "--model", "fixture-never", "--dataset", "disc", "--prompt", "models.yaml"],
            status: 2, says: ["models.yaml has no slot", "{{colour}}", "foreground_hint"]),
        .init(
            name: "a system's message that is not there",
            arguments: ["generate", "--model", "fixture-never", "--dataset", "disc", "--system", "gone.txt"],
            status: 2, says: ["the system's message ", "gone.txt cannot be read: there is no readable file"]),
        .init(
            name: "no TensorFlow for the target that needs it",
            arguments: [
                "generate", "--model", "fixture-prose", "--target", "tensorflow", "--dataset", "disc",
            ], status: 3,
            says: [
                "the Python environment is unusable", "/llmbench/tensorflow/", "run scripts/setup --tensorflow",
            ],
            variables: ["LLMBENCH_TENSORFLOW_PYTHON": "", "XDG_CACHE_HOME": "/nowhere"]),
        .init(
            name: "a compiler that is not there",
            arguments: ["generate", "--model", "fixture-swift", "--target", "swift", "--dataset", "disc"], status: 3,
            says: ["the target swift cannot be used here", "there is no compiler at LLMBENCH_SWIFTC=/nowhere/swiftc"],
            variables: ["LLMBENCH_SWIFTC": "/nowhere/swiftc"]),
        .init(
            name: "prebuilt modules that are not there",
            arguments: ["generate", "--model", "fixture-swift", "--target", "swift", "--dataset", "disc"], status: 3,
            says: [
                "the target swift cannot be used here", "TensorRuntime.swiftmodule is not in /nowhere",
                "swift build -c release --product PipelineKit",
            ], variables: ["LLMBENCH_SWIFT_MODULES": "/nowhere"]),
        .init(
            name: "a model that sees no pictures",
            arguments: ["polygon", "draw", "--model", "keyless", "--dataset", "disc"], status: 2,
            says: ["the card of keyless does not say that it sees pictures", "images: true"]),
        .init(
            name: "a control of a wrong name", arguments: ["polygon", "draw", "--model", "control-oval"], status: 2,
            says: ["there is no control 'control-oval'", "control-ellipse", "truth-60"]),
        .init(
            name: "a drawer of a slightly wrong name", arguments: ["polygon", "draw", "--model", "fixture-trace"],
            status: 2, says: ["there is no model 'fixture-trace'", "did you mean fixture-tracer"]),
        .init(
            name: "a skill of a wrong name",
            arguments: ["polygon", "draw", "--model", "seer", "--dataset", "disc", "--skill", "sharp"], status: 2,
            says: ["there is no skill 'sharp'", "dermoscopy", "auto"]),
        .init(
            name: "pictures of a wrong name",
            arguments: ["polygon", "draw", "--model", "control-otsu", "--dataset", "disk"], status: 2,
            says: ["there is no dataset 'disk'", "did you mean disc?"]),
        .init(
            name: "pictures that a recording knows nothing of",
            arguments: ["polygon", "draw", "--model", "fixture-tracer", "--dataset", "disc"], status: 3,
            says: ["recordings/fixture-tracer.jsonl has no answer for disc/", "/polygon/plain/draw-0"]),
        .init(
            name: "a vision model that is down",
            arguments: [
                "polygon", "draw", "--model", "seer", "--dataset", "disc", "--base-url", "http://127.0.0.1:9/v1",
                "--limit", "1",
            ],
            status: 3, says: ["http://127.0.0.1:9/v1/chat/completions cannot be reached"]),
        .init(
            name: "a refinement that is not there",
            arguments: ["polygon", "draw", "--model", "control-otsu", "--refine-with", "gone.json"], status: 3,
            says: ["gone.json cannot be read: there is no readable file of that name"]),
        .init(
            name: "a refinement that is none",
            arguments: ["polygon", "draw", "--model", "control-otsu", "--refine-with", "requirements.txt"], status: 3,
            says: ["requirements.txt cannot be read: it is no refinement"]),
        .init(
            name: "gates of a study without drawings", arguments: ["polygon", "gates", "--study", "empty"], status: 2,
            says: ["study 'empty' has no drawings yet", "llmbench polygon draw"]),
        .init(
            name: "a list of a study without drawings", arguments: ["polygon", "list", "--study", "empty"], status: 2,
            says: ["study 'empty' has no drawings yet"]),
        .init(
            name: "a report of a study without runs", arguments: ["report", "all", "--study", "empty"], status: 2,
            says: ["study 'empty' has no runs to report", "llmbench generate"]),
        .init(
            name: "a view of a study without runs", arguments: ["view", "--study", "empty"], status: 2,
            says: ["study 'empty' has no runs to report", "llmbench generate"]),
        .init(
            name: "a training in a study without runs", arguments: ["train", "run-01", "--study", "empty"], status: 2,
            says: ["study 'empty' has no runs yet", "llmbench generate"]),
        .init(
            name: "a device without end to diagnose", arguments: ["diagnose", "/dev/zero"], status: 2,
            says: ["/dev/zero goes on after 256 MiB", "tail -c 4M"]),
        .init(
            name: "a dataset of a name like no other",
            arguments: ["generate", "--model", "fixture-never", "--dataset", "xylophones"], status: 2,
            says: ["there is no dataset 'xylophones'", "llmbench datasets list"]),
        .init(
            name: "a recording of drawings where a program is asked for",
            arguments: ["generate", "--model", "fixture-tracer", "--dataset", "disc"], status: 3,
            says: ["fixture-tracer.jsonl holds answers about", "llmbench polygon draw"]),
        .init(
            name: "a ceiling that the study does not have", arguments: ["polygon", "draw", "--model", "truth-7"],
            status: 2, says: ["there is no control 'truth-7'", "truth-10"]),
        .init(
            name: "a model's name that would colour the terminal",
            arguments: ["generate", "--model", "a\u{1b}[31mb\u{7}"], status: 2, says: ["there is no model 'a[31mb'"]),
        .init(
            name: "a file to diagnose that is not there", arguments: ["diagnose", "nowhere.txt"], status: 2,
            says: ["there is no file nowhere.txt"]),
        .init(
            name: "a folder to diagnose", arguments: ["diagnose", "prompts"], status: 2,
            says: ["prompts is a folder", "the file that holds the output"]),
        .init(
            name: "threads that are no number", arguments: ["models"], status: 2,
            says: ["LLMBENCH_THREADS is 'abc'", "from 1 to 1024"], variables: ["LLMBENCH_THREADS": "abc"]),
        .init(
            name: "an output without an error", arguments: ["diagnose", "requirements.txt"], status: 1,
            says: ["requirements.txt shows no Python or Swift error"]),
        .init(
            name: "a model file that is not there", arguments: ["unet", "describe", "nowhere.py"], status: 2,
            says: ["there is no file nowhere.py"]),
    ]
}
