import Foundation

/// A JSON object written by generated code's side of the sandbox, read without trust in its shape.
struct JSONFacts {
    enum Value: Hashable {
        case text(String)
        case number(Double)
        case list([Value])

        var shown: String {
            switch self {
            case .text(let text): String(text.prefix(80))
            case .number(let value): value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
            case .list(let values): values.prefix(12).map(\.shown).joined(separator: values.separator)
            }
        }

        var cell: ReportTable.Cell {
            guard case .number(let value) = self else { return .text(shown) }
            if value == value.rounded(), abs(value) < 1e15 { return .integer(Int(value)) }
            // Learning rates and weight decays: as many digits as they need.
            return .text("\(value)")
        }
    }

    /// The list of words of a key, `none` where it is empty.
    func words(_ key: String) -> Value? {
        guard case .list(let values) = self[key] else { return nil }
        return values.isEmpty ? .text("none") : .list(values)
    }

    private let object: [String: Any]

    init?(_ json: String) {
        guard let object = (try? JSONSerialization.jsonObject(with: Data(json.utf8))) as? [String: Any] else {
            return nil
        }
        self.object = object
    }

    private init(object: [String: Any]) {
        self.object = object
    }

    subscript(key: String) -> Value? { object[key].flatMap(Self.value) }

    /// The same object with another value, or none, of a key.
    func replacing(_ key: String, with value: Value?) -> JSONFacts {
        var changed = object
        changed[key] = value.map(Self.any)
        return JSONFacts(object: changed)
    }

    private static func any(_ value: Value) -> Any {
        switch value {
        case .text(let text): text
        case .number(let number): NSNumber(value: number)
        case .list(let values): values.map(any)
        }
    }

    /// `yes` or `no`.
    func flag(_ key: String) -> Value? { (object[key] as? Bool).map { .text($0 ? "yes" : "no") } }

    /// How long the lists of these keys are; nil where none is there.
    func counts(_ keys: [String]) -> Value? {
        let counts = keys.map { (object[$0] as? [Any])?.count }
        guard counts.contains(where: { $0 != nil }) else { return nil }
        return .list(counts.map { .number(Double($0 ?? 0)) })
    }

    /// A number, where there is one.
    func number(_ key: String) -> Double? {
        guard case .number(let value) = self[key] else { return nil }
        return value
    }

    func object(_ key: String) -> JSONFacts? { (object[key] as? [String: Any]).map(JSONFacts.init(object:)) }

    func firstObject(_ key: String) -> JSONFacts? {
        (object[key] as? [[String: Any]])?.first.map(JSONFacts.init(object:))
    }

    private static func value(_ any: Any) -> Value? {
        switch any {
        case let text as String: return .text(text)
        case let number as NSNumber: return .number(number.doubleValue)
        case let list as [Any]: return .list(list.compactMap(value))
        default: return nil
        }
    }
}

extension [JSONFacts.Value] {
    /// Channels of stages are written 8-16-32, words with commas.
    fileprivate var separator: String {
        contains { if case .text = $0 { true } else { false } } ? ", " : "-"
    }
}
