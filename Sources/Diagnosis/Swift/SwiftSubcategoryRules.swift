/// What kind of mistake a compiler's diagnostic or a trap is, in words a reader understands. Rules are tried in order.
enum SwiftSubcategoryRules {
    /// The kinds of the compiler's messages (swiftlang/swift, include/swift/AST/Diagnostics*.def).
    static func compilation(_ message: String) -> ErrorReport.Subcategory {
        let message = message.lowercased()
        return byDiagnostic.first { $0.1.contains(where: message.contains) }?.0 ?? .other
    }

    private static let byDiagnostic: [(ErrorReport.Subcategory, [String])] = [
        (.missingImport, ["no such module", "missing import of defining module"]),
        (.unknownName, ["cannot find ", "undeclared type", "use of unresolved", "undefined symbol"]),
        (
            .errorHandling,
            [
                "can throw", "errors thrown from here", "not marked with 'try'", "'try' cannot appear", "thrown error",
                "is not handled", "not marked with 'await'", "'async' call", "catch",
            ]
        ),
        (
            .typeMismatch,
            [
                "cannot convert", "cannot be applied to operands", "cannot assign value of type",
                "conflicting arguments",
                "requires that", "does not conform", "expected argument type", "mismatching types", "must be unwrapped",
                "could not be inferred", "cannot infer", "ambiguous", "to type-check this expression",
                "cannot force unwrap value of non-optional", "optional type", "result values in",
                "no exact matches in call", "binary operator", "unary operator", "cannot use optional",
            ]
        ),
        (
            .apiMisuse,
            [
                "has no member", "argument label", "missing argument", "extra argument", "incorrect argument",
                "inaccessible", "is unavailable", "cannot call value of non-function", "no calls to", "override",
                "non-open", "final class", "cannot be constructed", "missing return", "must be called",
                "required initializer", "designated initializer", "no overload", "has no subscript",
                "no accessible initializers", "cannot specialize",
            ]
        ),
        (
            .declaration,
            [
                "redeclaration", "cannot assign to", "is a 'let' constant", "is immutable", "before being initialized",
                "before it is declared", "without initializing", "used before", "return from initializer",
                "'self' used", "'main' attribute", "top-level code", "not initialized", "mutating",
                "not concurrency-safe",
                "actor-isolated", "sendable",
            ]
        ),
        (
            .syntax,
            [
                "expected ", "unterminated", "extraneous", "consecutive statements", "invalid character",
                "unexpected ", "attributes should", "keyword", "expressions are not allowed at the top level",
            ]
        ),
    ]

    /// What a program trapped on: the standard library's preconditions, and the errors of the libraries that nobody caught.
    static func trap(_ message: String) -> ErrorReport.Subcategory {
        let lower = message.lowercased()
        if let kind = byTrap.first(where: { $0.1.contains(where: lower.contains) })?.0 { return kind }
        // The runtime's errors speak of shapes and settings as PyTorch's do.
        let context = SubcategoryRules.Context(errorClass: "RuntimeTrap", message: message, frame: nil, paths: [])
        return SubcategoryRules.subcategory(context)
    }

    private static let byTrap: [(ErrorReport.Subcategory, [String])] = [
        (.missingValue, ["unexpectedly found nil", "found nil while"]),
        (
            .shapeMismatch,
            [
                "of shape", "operands of shape", "do not go together", "elements, but", "lies outside a tensor",
                "do not fit an input", "is no scalar",
            ]
        ),
        (
            .dataHandling,
            ["out of range", "out of bounds", "is empty", "array index", "can't remove", "cannot be split"]
        ),
        (
            .dataHandling,
            [
                "overflow", "division by zero", "no representation", "not enough bits", "negative", "range requires",
                "cannot be converted to",
            ]
        ),
        (.filePath, ["cannot access", "cannot write", "there is no folder", "is missing", "no such file"]),
        (.typeMismatch, ["could not cast value"]),
        (.resources, ["of memory", "refused as too large", "bad pointer dereference"]),
        (.apiMisuse, ["there is no option", "needs a value", "set up", "has no operation"]),
    ]
}
