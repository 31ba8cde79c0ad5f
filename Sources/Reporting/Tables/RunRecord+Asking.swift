import ResultStore

extension RunRecord {
    /// How the prompt was asked beyond its own text: "system message 1a2b3c4d, temperature 0.2, seed 7"; empty for the prompt alone.
    var asking: String {
        [
            systemHash.map { "system message \($0.prefix(8))" }, temperature.map { "temperature \($0)" },
            samplingSeed.map { "seed \($0)" },
        ].compactMap { $0 }.joined(separator: ", ")
    }
}
