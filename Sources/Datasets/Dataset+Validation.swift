/// A training part, divided into what a baseline learns from and what it watches itself on.
public struct ValidationSplit: Sendable, Hashable {
    /// In order of their names.
    public var training: [String]
    /// In order of their names.
    public var validation: [String]
}

extension Dataset {
    /// Four fifths of the training part for learning, one fifth for validation: the shares of nnU-Net's folds, and the share that a
    /// generated pipeline learns from.
    ///
    /// Simulated acquisitions of one slice stay on one side. The order is seeded by a constant, so that every baseline of a dataset
    /// has the same split. Both sides have at least one sample where there are two groups or more.
    public func validationSplit() -> ValidationSplit {
        let groups = Dictionary(grouping: split.training.sorted()) { id in
            description.acquisitions[id].map { "slice \($0.slice)" } ?? "sample \(id)"
        }
        var generator = SeededGenerator(seed: 0)
        let wanted = max(1, (split.training.count + 2) / 5)
        var validation: [String] = []
        for group in groups.keys.sorted().shuffled(using: &generator).dropLast() {
            if validation.count >= wanted { break }
            validation += groups[group] ?? []
        }
        let chosen = Set(validation)
        return ValidationSplit(
            training: split.training.sorted().filter { !chosen.contains($0) }, validation: validation.sorted())
    }
}
