import Statistics

/// What the authors of a study set out to compare, and how: the section `statistics` of its file.
///
/// A comparison that was named before there were results is planned; every other one that a report shows is exploratory, and the
/// report says so. Exploratory tests are two-sided, and corrected by Holm's method.
public struct ComparisonPlan: Sendable, Hashable {
    public var questions: [CohortQuestion]
    /// Of the planned tests of two groups: the later year, reasoning, open weights, or the first name is the first group.
    public var alternative: Alternative
    /// Of planned tests, over those of one question.
    public var correction: MultipleTesting
    /// Of resampling.
    public var seed: UInt64

    public init(
        questions: [CohortQuestion] = [], alternative: Alternative = .twoSided, correction: MultipleTesting = .holm,
        seed: UInt64 = 20
    ) {
        self.questions = questions
        self.alternative = alternative
        self.correction = correction
        self.seed = seed
    }

    func isPlanned(_ question: CohortQuestion) -> Bool { questions.contains(question) }

    /// Vendors are compared all at once, which has no direction.
    func alternative(of question: CohortQuestion) -> Alternative {
        isPlanned(question) && question != .vendor ? alternative : .twoSided
    }

    func correction(of question: CohortQuestion) -> MultipleTesting { isPlanned(question) ? correction : .holm }

    /// Planned questions in their order, then the others; single models are compared only where that was planned.
    var order: [CohortQuestion] {
        questions + CohortQuestion.allCases.filter { $0 != .model && !isPlanned($0) }
    }
}
