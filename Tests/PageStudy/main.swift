// Writes a made-up study of so many runs, for timing and for looking at its pages.
//
//     page-study RUNS FOLDER [DATASETS [SEEDS]]
//
// FOLDER becomes a workspace with the study `synthetic`; 1 dataset and 1 seed when not given.

import Foundation
import PageTestSupport

let numbers = CommandLine.arguments.dropFirst().enumerated().filter { $0.offset != 1 }.map { Int($0.element) ?? 0 }
guard (3...5).contains(CommandLine.arguments.count), numbers.allSatisfy({ $0 > 0 }) else {
    FileHandle.standardError.write(Data("usage: page-study RUNS FOLDER [DATASETS [SEEDS]]\n".utf8))
    exit(2)
}
do {
    let root = URL(filePath: CommandLine.arguments[2], directoryHint: .isDirectory)
    try SyntheticStudy(
        root: root, datasets: numbers.count > 1 ? numbers[1] : 1, seeds: numbers.count > 2 ? numbers[2] : 1
    ).addRuns(numbers[0])
} catch {
    FileHandle.standardError.write(Data("page-study: \(error)\n".utf8))
    exit(1)
}
