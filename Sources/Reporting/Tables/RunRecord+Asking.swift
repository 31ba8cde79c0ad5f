import ResultStore

extension RunRecord {
    /// What a study's file calls the prompt, else its hash.
    var promptLabel: String { promptName ?? promptHash }

    /// How the prompt was asked beyond its own text: "system message 1a2b3c4d, temperature 0.2, seed 7"; empty for the prompt alone.
    var asking: String { asking(seed: samplingSeed) }

    /// The same of all runs of a prompt: the first run's seed, which each further run counts on from.
    var sharedAsking: String { asking(seed: samplingSeed.map { $0 - runIndex + 1 }) }

    private func asking(seed: Int?) -> String {
        [
            systemHash.map { "system message \($0.prefix(8))" }, temperature.map { "temperature \($0)" },
            seed.map { "seed \($0)" },
        ].compactMap { $0 }.joined(separator: ", ")
    }
}
