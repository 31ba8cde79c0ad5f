/// A value of the JSON-like text in an answer.
indirect enum AnswerValue: Sendable {
    case number(Double, isPercent: Bool)
    case text(String)
    case list([AnswerValue])
    /// Keys in lower case without separators, in the order of the text.
    case object([(key: String, value: AnswerValue)])
    /// `...` in the place of a value.
    case elision
    /// true, false, null.
    case word

    /// Whether a value somewhere inside was left out.
    var holdsElision: Bool {
        switch self {
        case .elision: true
        case .list(let values): values.contains(where: \.holdsElision)
        case .object(let members): members.contains { $0.value.holdsElision }
        default: false
        }
    }

    var number: Double? { if case .number(let value, _) = self { value } else { nil } }

    var holdsPercent: Bool {
        switch self {
        case .number(_, let isPercent): isPercent
        case .list(let values): values.contains(where: \.holdsPercent)
        case .object(let members): members.contains { $0.value.holdsPercent }
        default: false
        }
    }
}
