extension Variable {
    // Operands are broadcast as in NumPy: shapes are aligned at the last axis, and sizes of one are stretched. Scalars become part of the
    // compiled program; a number that changes from step to step belongs in a `Variable`.

    /// The sum of elements.
    public static func + (a: Variable, b: Variable) throws -> Variable { try a.apply("add", [b]) }

    /// The difference of elements.
    public static func - (a: Variable, b: Variable) throws -> Variable { try a.apply("sub", [b]) }

    /// The product of elements.
    public static func * (a: Variable, b: Variable) throws -> Variable { try a.apply("mul", [b]) }

    /// The quotient of elements.
    public static func / (a: Variable, b: Variable) throws -> Variable { try a.apply("div", [b]) }

    /// The sum of each element and a number.
    public static func + (a: Variable, b: Double) throws -> Variable { try a.apply("add_scalar", b) }

    /// The difference of each element and a number.
    public static func - (a: Variable, b: Double) throws -> Variable { try a.apply("add_scalar", -b) }

    /// The product of each element and a number.
    public static func * (a: Variable, b: Double) throws -> Variable { try a.apply("mul_scalar", b) }

    /// The quotient of each element and a number.
    public static func / (a: Variable, b: Double) throws -> Variable { try a.apply("div_scalar", b) }

    /// The sum of a number and each element.
    public static func + (a: Double, b: Variable) throws -> Variable { try b.apply("add_scalar", a) }

    /// The difference of a number and each element.
    public static func - (a: Double, b: Variable) throws -> Variable { try b.apply("rsub_scalar", a) }

    /// The product of a number and each element.
    public static func * (a: Double, b: Variable) throws -> Variable { try b.apply("mul_scalar", a) }

    /// The quotient of a number and each element.
    public static func / (a: Double, b: Variable) throws -> Variable { try b.apply("rdiv_scalar", a) }

    /// The elements with the other sign.
    public static prefix func - (a: Variable) throws -> Variable { try a.apply("neg") }
}

extension Variable {
    // Comparisons and logical operations yield 1 where they hold and 0 elsewhere, and have no gradient. What is not zero is true.

    /// Where an element is larger than the other.
    public static func .> (a: Variable, b: Variable) throws -> Variable { try a.apply("gt", [b]) }

    /// Where an element is larger than a number.
    public static func .> (a: Variable, b: Double) throws -> Variable { try a.apply("gt_scalar", b) }

    /// Where an element is at least the other.
    public static func .>= (a: Variable, b: Variable) throws -> Variable { try a.apply("ge", [b]) }

    /// Where an element is at least a number.
    public static func .>= (a: Variable, b: Double) throws -> Variable { try a.apply("ge_scalar", b) }

    /// Where an element is less than the other.
    public static func .< (a: Variable, b: Variable) throws -> Variable { try a.apply("lt", [b]) }

    /// Where an element is less than a number.
    public static func .< (a: Variable, b: Double) throws -> Variable { try a.apply("lt_scalar", b) }

    /// Where an element is at most the other.
    public static func .<= (a: Variable, b: Variable) throws -> Variable { try a.apply("le", [b]) }

    /// Where an element is at most a number.
    public static func .<= (a: Variable, b: Double) throws -> Variable { try a.apply("le_scalar", b) }

    /// Where an element equals the other.
    public static func .== (a: Variable, b: Variable) throws -> Variable { try a.apply("eq", [b]) }

    /// Where an element equals a number.
    public static func .== (a: Variable, b: Double) throws -> Variable { try a.apply("eq_scalar", b) }

    /// Where an element differs from the other.
    public static func .!= (a: Variable, b: Variable) throws -> Variable { try a.apply("ne", [b]) }

    /// Where an element differs from a number.
    public static func .!= (a: Variable, b: Double) throws -> Variable { try a.apply("ne_scalar", b) }

    /// Where both are true.
    public static func .& (a: Variable, b: Variable) throws -> Variable { try a.apply("logical_and", [b]) }

    /// Where one or both are true.
    public static func .| (a: Variable, b: Variable) throws -> Variable { try a.apply("logical_or", [b]) }

    /// Where an element is zero.
    public static prefix func .! (a: Variable) throws -> Variable { try a.apply("logical_not") }

    /// a where this is not zero, b elsewhere; all three are broadcast.
    public func choose(_ a: Variable, otherwise b: Variable) throws -> Variable { try apply("where", [a, b]) }

    /// The larger of two elements; equal ones share the gradient.
    public func maximum(_ other: Variable) throws -> Variable { try apply("maximum", [other]) }

    /// The smaller of two elements; equal ones share the gradient.
    public func minimum(_ other: Variable) throws -> Variable { try apply("minimum", [other]) }
}

extension Variable {
    /// Elements to the power of a number.
    public func power(_ exponent: Double) throws -> Variable { try apply("pow_scalar", exponent) }

    /// Elements to the power of other elements, which have a gradient too.
    public func power(_ exponent: Variable) throws -> Variable { try apply("pow", [exponent]) }

    /// The absolute value; its gradient at zero is zero.
    public func absolute() throws -> Variable { try apply("abs") }

    /// e to the power of each element.
    public func exp() throws -> Variable { try apply("exp") }

    /// The natural logarithm.
    public func log() throws -> Variable { try apply("log") }

    /// log(1 + x), exact near zero.
    public func log1p() throws -> Variable { try apply("log1p") }

    /// √x.
    public func squareRoot() throws -> Variable { try apply("sqrt") }

    /// 1 / √x.
    public func reciprocalSquareRoot() throws -> Variable { try apply("rsqrt") }

    /// x².
    public func squared() throws -> Variable { try apply("square") }

    /// 1 / x.
    public func reciprocal() throws -> Variable { try apply("reciprocal") }

    /// -1, 0 or 1; its gradient is zero.
    public func sign() throws -> Variable { try apply("sign") }

    /// Rounded down; its gradient is zero.
    public func floor() throws -> Variable { try apply("floor") }

    /// Rounded towards zero; without a gradient.
    public func truncated() throws -> Variable { try apply("cast", [], ["dtype": "int64"]) }

    /// Rounded to the nearest, ties to even; its gradient is zero.
    public func rounded() throws -> Variable { try apply("round") }

    /// Cut off below and above.
    public func clamped(minimum: Double = -.infinity, maximum: Double = .infinity) throws -> Variable {
        try apply("clamp", [], ["min": .number(minimum), "max": .number(maximum)])
    }

    private func apply(_ name: String, _ scalar: Double) throws -> Variable {
        try apply(name, [], ["scalar": .number(scalar)])
    }
}
