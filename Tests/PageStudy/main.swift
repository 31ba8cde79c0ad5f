// Writes a made-up study of so many runs, for timing and for looking at its pages.
//
//     page-study RUNS FOLDER
//
// FOLDER becomes a workspace with the study `synthetic`.

import Foundation
import PageTestSupport

guard CommandLine.arguments.count == 3, let runs = Int(CommandLine.arguments[1]), runs > 0 else {
    FileHandle.standardError.write(Data("usage: page-study RUNS FOLDER\n".utf8))
    exit(2)
}
do {
    let root = URL(filePath: CommandLine.arguments[2], directoryHint: .isDirectory)
    try SyntheticStudy(root: root).addRuns(runs)
} catch {
    FileHandle.standardError.write(Data("page-study: \(error)\n".utf8))
    exit(1)
}
