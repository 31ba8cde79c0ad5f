// Runs the generation loop in a process of its own, so that tests can kill it, fill its disk, or start two of it.
//
//     generation-probe WORKSPACE SECONDS-A-REPLY [RUN-NUMBER]
//
// Exit status: 0 the run is at its end, 3 it stopped and can go on; the sentence goes to standard error.

import Endpoints
import Foundation
import Generation
import GenerationTestSupport
import ResultStore

let arguments = CommandLine.arguments
guard arguments.count >= 3, let seconds = Double(arguments[2]) else {
    FileHandle.standardError.write(Data("usage: generation-probe WORKSPACE SECONDS [RUN-NUMBER]\n".utf8))
    exit(2)
}
do {
    let workspace = Workspace(root: URL(filePath: arguments[1], directoryHint: .isDirectory))
    let store = try ResultStore(path: workspace.database(study: "default"))
    let key = RunKey(
        study: "default", dataset: "tiny", model: "scripted", target: "pytorch", promptHash: "00000000",
        index: arguments.count > 3 ? Int(arguments[3]) ?? 1 : 1)
    let loop = GenerationLoop(
        endpoint: ScriptedEndpoint(TinyPrograms.eventful, seconds: seconds), check: PlainPythonCheck(), store: store,
        workspace: workspace, texts: PlainTexts(),
        settings: GenerationSettings(prompt: "Write it.", prices: .init(input: 1, output: 2)))
    let run = try await loop.run(RunRecord(key: key, provider: "scripted", endpointModel: "scripted"))
    print(run.status.rawValue)
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(3)
}
