/// An attribute of a node: any JSON value, with the two special forms that scale with the batch size.
public enum AttributeValue: Sendable, Hashable, Codable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case list([AttributeValue])
    /// `{"batch": k}`: k times the batch size.
    case batch(Int)
    /// `{"number": c, "batch_power": p}`: c·Bᵖ.
    case scaled(Double, power: Int)
    /// Any other object: a setting of a loop that has settings of its own. No attribute of a node is one.
    case table([String: AttributeValue])

    private enum Key: String, CodingKey {
        case batch
        case number
        case power = "batch_power"
    }

    public init(from decoder: Decoder) throws {
        if let keyed = try? decoder.container(keyedBy: Key.self) {
            if keyed.contains(.batch) {
                if case .batch(let multiple) = try Dimension(from: decoder) {
                    self = .batch(multiple)
                } else {
                    self = .null
                }
            } else if !keyed.contains(.number), !keyed.contains(.power) {
                self = .table(try decoder.singleValueContainer().decode([String: AttributeValue].self))
            } else {
                let power = try keyed.decode(Int.self, forKey: .power)
                guard power == 1 || power == -1 else { throw RuntimeError.malformedGraph("a batch_power of \(power)") }
                self = .scaled(try keyed.decode(Double.self, forKey: .number), power: power)
            }
            return
        }
        if var list = try? decoder.unkeyedContainer() {
            var items: [AttributeValue] = []
            while !list.isAtEnd { items.append(try list.decode(AttributeValue.self)) }
            self = .list(items)
            return
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let flag = try? single.decode(Bool.self) {
            self = .bool(flag)
        } else if let number = try? single.decode(Double.self) {
            self = .number(number)
        } else {
            self = .string(try single.decode(String.self))
        }
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .batch(let multiple):
            try Dimension.batch(multiple).encode(to: encoder)
        case .scaled(let number, let power):
            var keyed = encoder.container(keyedBy: Key.self)
            try keyed.encode(number, forKey: .number)
            try keyed.encode(power, forKey: .power)
        case .table(let table):
            var single = encoder.singleValueContainer()
            try single.encode(table)
        case .list(let items):
            var list = encoder.unkeyedContainer()
            for item in items { try list.encode(item) }
        case .null, .bool, .number, .string:
            var single = encoder.singleValueContainer()
            switch self {
            case .bool(let flag): try single.encode(flag)
            case .number(let number):
                // Infinities have no JSON form; whole numbers look better without a fraction.
                if number.isInfinite {
                    try single.encode(number > 0 ? "inf" : "-inf")
                } else if let whole = Int(exactly: number) {
                    try single.encode(whole)
                } else {
                    try single.encode(number)
                }
            case .string(let string): try single.encode(string)
            default: try single.encodeNil()
            }
        }
    }
}

extension AttributeValue: ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByNilLiteral
{
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: AttributeValue...) { self = .list(elements) }
    public init(nilLiteral: ()) { self = .null }
}

/// Reads the attributes of a node at a batch size; errors name the operation, its source line and the attribute.
struct Attributes {
    let node: Graph.Node
    let batch: Int

    func failure(_ reason: String) -> RuntimeError {
        .invalidOperation(name: node.op, location: node.location, reason: reason)
    }

    private func value(_ name: String) -> AttributeValue? {
        guard let value = node.attributes[name], value != .null else { return nil }
        return value
    }

    func optionalNumber(_ name: String) throws -> Double? {
        try value(name).map { try number($0, name) }
    }

    func number(_ name: String, default fallback: Double? = nil) throws -> Double {
        guard let number = try optionalNumber(name) ?? fallback else {
            throw failure("the attribute \(name) is missing")
        }
        return number
    }

    func integer(_ name: String, default fallback: Int? = nil) throws -> Int {
        guard let value = value(name) else {
            guard let fallback else { throw failure("the attribute \(name) is missing") }
            return fallback
        }
        return try integer(value, name)
    }

    func flag(_ name: String, default fallback: Bool = false) throws -> Bool {
        guard let value = value(name) else { return fallback }
        guard case .bool(let flag) = value else { throw failure("the attribute \(name) is no boolean") }
        return flag
    }

    func string(_ name: String, default fallback: String? = nil) throws -> String {
        guard let value = value(name) else {
            guard let fallback else { throw failure("the attribute \(name) is missing") }
            return fallback
        }
        guard case .string(let string) = value else { throw failure("the attribute \(name) is no string") }
        return string
    }

    /// A list of integers; a single one stands for a list of one.
    func integers(_ name: String, default fallback: [Int]? = nil) throws -> [Int] {
        guard let value = value(name) else {
            guard let fallback else { throw failure("the attribute \(name) is missing") }
            return fallback
        }
        guard case .list(let items) = value else { return [try integer(value, name)] }
        guard items.count <= 16 else { throw failure("the attribute \(name) has \(items.count) entries") }
        return try items.map { try integer($0, name) }
    }

    /// Two positive (or with `minimum` 0, not negative) sizes along height and width; one integer stands for both.
    func extent(_ name: String, default fallback: Int? = nil, minimum: Int = 1) throws -> Extent {
        let sizes = try integers(name, default: fallback.map { [$0] })
        guard sizes.count == 1 || sizes.count == 2, sizes.allSatisfy({ $0 >= minimum && $0 <= 1 << 20 }) else {
            throw failure("\(sizes) is no \(name) along height and width")
        }
        return Extent(sizes[0], sizes[sizes.count - 1])
    }

    /// One size (at least `minimum`) for each of some spatial axes; a single one stands for all.
    func sizes(_ name: String, axes: Int, default fallback: Int? = nil, minimum: Int = 1) throws -> [Int] {
        let sizes = try integers(name, default: fallback.map { [$0] })
        guard sizes.count == 1 || sizes.count == axes, sizes.allSatisfy({ $0 >= minimum && $0 <= 1 << 20 }) else {
            throw failure("\(sizes) is no \(name) along \(axes) \(axes == 1 ? "axis" : "axes")")
        }
        return sizes.count == axes ? sizes : [Int](repeating: sizes[0], count: axes)
    }

    /// A list of numbers or nulls.
    func optionalNumbers(_ name: String) throws -> [Double?]? {
        guard let value = value(name) else { return nil }
        guard case .list(let items) = value else { return [try number(value, name)] }
        return try items.map { $0 == .null ? nil : try number($0, name) }
    }

    private func number(_ value: AttributeValue, _ name: String) throws -> Double {
        switch value {
        case .number(let number): return number
        case .bool(let flag): return flag ? 1 : 0
        case .batch(let multiple): return Double(multiple * batch)
        case .scaled(let number, let power): return power > 0 ? number * Double(batch) : number / Double(batch)
        case .string("inf"): return .infinity
        case .string("-inf"): return -.infinity
        case .string("nan"): return .nan
        default: throw failure("the attribute \(name) is no number")
        }
    }

    private func integer(_ value: AttributeValue, _ name: String) throws -> Int {
        let number = try number(value, name)
        // Slices without an end carry the largest 64-bit integer.
        if number >= 9e15 { return Int.max >> 1 }
        guard let whole = Int(exactly: number), number > -9e15 else {
            throw failure("the attribute \(name) is no integer")
        }
        return whole
    }
}
