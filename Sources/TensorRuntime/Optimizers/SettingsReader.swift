/// Reads PyTorch's keyword arguments.
struct SettingsReader {
    let name: String
    let settings: [String: AttributeValue]

    private static let withoutEffect: Set = [
        "foreach", "fused", "capturable", "differentiable", "initial_lr", "verbose",
    ]

    func failure(_ reason: String) -> RuntimeError { .invalidOptimizer("\(name): \(reason)") }

    func allow(_ known: Set<String>) throws {
        for key in settings.keys.sorted() where !known.contains(key) && !Self.withoutEffect.contains(key) {
            // Groups that went through OneCycleLR or a captured optimizer carry their schedule along.
            guard ["max_lr", "min_lr", "max_momentum", "base_momentum", "parameters", "params"].contains(key) else {
                throw failure("the argument \(key) is not supported")
            }
        }
    }

    func number(_ key: String, default fallback: Double? = nil) throws -> Double {
        switch settings[key] {
        case .number(let number)?: return number
        case .bool(let flag)?: return flag ? 1 : 0
        case nil, .null?:
            if let fallback { return fallback }
            throw failure("the argument \(key) is missing")
        default: throw failure("the argument \(key) is no number")
        }
    }

    func integer(_ key: String, default fallback: Int? = nil) throws -> Int {
        guard let whole = Int(exactly: try number(key, default: fallback.map(Double.init))) else {
            throw failure("the argument \(key) is no integer")
        }
        return whole
    }

    func betas() throws -> (Double, Double) {
        let betas = try numbers("betas", default: [0.9, 0.999])
        guard betas.count == 2 else { throw failure("betas are two numbers") }
        return (betas[0], betas[1])
    }

    func flag(_ key: String, default fallback: Bool = false) throws -> Bool {
        switch settings[key] {
        case .bool(let flag)?: return flag
        case .number(let number)?: return number != 0
        case nil, .null?: return fallback
        default: throw failure("the argument \(key) is no boolean")
        }
    }

    /// The position of a word in a list of allowed ones; the first is the default.
    func choice(_ key: String, of words: [String]) throws -> Int {
        switch settings[key] {
        case .string(let word)?:
            if let index = words.firstIndex(of: word) { return index }
            throw failure("the argument \(key) is \(word), none of \(words.joined(separator: ", "))")
        case nil, .null?: return 0
        default: throw failure("the argument \(key) is no string")
        }
    }

    /// A list of numbers; a single number stands for a list of one.
    func numbers(_ key: String, default fallback: [Double]? = nil) throws -> [Double] {
        guard case .list(let items)? = settings[key] else {
            if let fallback, settings[key] == nil { return fallback }
            return [try number(key)]
        }
        return try items.map {
            guard case .number(let number) = $0 else { throw failure("the argument \(key) is no list of numbers") }
            return number
        }
    }
}
