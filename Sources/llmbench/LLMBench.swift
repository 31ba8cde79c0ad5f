import ArgumentParser

@main
struct LLMBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "llmbench",
        abstract: "Can a language model write a medical image segmentation pipeline that runs, trains and segments well?")
}
