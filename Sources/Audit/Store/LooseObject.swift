import Foundation

/// A JSON object that generated code had a hand in, read without trust in its shape.
public struct LooseObject: Sendable, Hashable {
    enum Value: Sendable, Hashable {
        case null
        case flag(Bool)
        case number(Double)
        case text(String)
        case list([Value])
        case object([String: Value])

        var shown: String {
            switch self {
            case .null: "null"
            case .flag(let flag): "\(flag)"
            case .number(let value): Wording.number(value, digits: 10)
            case .text(let text): String(text.prefix(80))
            case .list(let values): "[" + values.prefix(12).map(\.shown).joined(separator: ", ") + "]"
            case .object: "an object"
            }
        }
    }

    private let fields: [String: Value]

    /// `nil` for what is no JSON object, is larger than 16 MiB, or nests deeper than 32 levels.
    public init?(_ json: String) {
        guard json.utf8.count <= 16 << 20, let any = try? JSONSerialization.jsonObject(with: Data(json.utf8)),
            case .object(let fields)? = Self.value(any, depth: 0)
        else { return nil }
        self.fields = fields
    }

    private init(fields: [String: Value]) {
        self.fields = fields
    }

    subscript(key: String) -> Value? { fields[key] }

    func object(_ key: String) -> LooseObject? {
        if case .object(let fields)? = fields[key] { LooseObject(fields: fields) } else { nil }
    }

    func list(_ key: String) -> [Value]? {
        if case .list(let values)? = fields[key] { values } else { nil }
    }

    func objects(_ key: String) -> [LooseObject] {
        (list(key) ?? []).compactMap { if case .object(let fields) = $0 { LooseObject(fields: fields) } else { nil } }
    }

    func number(_ key: String) -> Double? {
        if case .number(let value)? = fields[key] { value } else { nil }
    }

    /// A whole number that fits.
    func integer(_ key: String) -> Int? {
        number(key).flatMap { $0 == $0.rounded() && abs($0) < 1e15 ? Int($0) : nil }
    }

    func flag(_ key: String) -> Bool? {
        if case .flag(let flag)? = fields[key] { flag } else { nil }
    }

    /// Strings of a list; what is no string is nil.
    func names(_ key: String) -> [String?]? {
        list(key)?.map { if case .text(let text) = $0 { text } else { nil } }
    }

    private static func value(_ any: Any, depth: Int) -> Value? {
        guard depth < 32 else { return nil }
        switch any {
        case let text as String: return .text(text)
        case let number as NSNumber:
            return String(cString: number.objCType) == "c" ? .flag(number.boolValue) : .number(number.doubleValue)
        case let list as [Any]: return .list(list.map { value($0, depth: depth + 1) ?? .null })
        case let object as [String: Any]: return .object(object.compactMapValues { value($0, depth: depth + 1) })
        default: return .null
        }
    }
}
