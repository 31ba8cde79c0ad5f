extension Variable {
    // Operands are broadcast as in NumPy. Scalars become part of the compiled program.

    public static func + (a: Variable, b: Variable) throws -> Variable { try a.apply("add", [b]) }
    public static func - (a: Variable, b: Variable) throws -> Variable { try a.apply("sub", [b]) }
    public static func * (a: Variable, b: Variable) throws -> Variable { try a.apply("mul", [b]) }
    public static func / (a: Variable, b: Variable) throws -> Variable { try a.apply("div", [b]) }

    public static func + (a: Variable, b: Double) throws -> Variable { try a.apply("add_scalar", b) }
    public static func - (a: Variable, b: Double) throws -> Variable { try a.apply("add_scalar", -b) }
    public static func * (a: Variable, b: Double) throws -> Variable { try a.apply("mul_scalar", b) }
    public static func / (a: Variable, b: Double) throws -> Variable { try a.apply("div_scalar", b) }

    public static func + (a: Double, b: Variable) throws -> Variable { try b.apply("add_scalar", a) }
    public static func - (a: Double, b: Variable) throws -> Variable { try b.apply("rsub_scalar", a) }
    public static func * (a: Double, b: Variable) throws -> Variable { try b.apply("mul_scalar", a) }
    public static func / (a: Double, b: Variable) throws -> Variable { try b.apply("rdiv_scalar", a) }

    public static prefix func - (a: Variable) throws -> Variable { try a.apply("neg") }

    // Comparisons yield 1 where they hold and 0 elsewhere, and have no gradient.

    public static func .> (a: Variable, b: Variable) throws -> Variable { try a.apply("gt", [b]) }
    public static func .>= (a: Variable, b: Variable) throws -> Variable { try a.apply("ge", [b]) }
    public static func .< (a: Variable, b: Variable) throws -> Variable { try a.apply("lt", [b]) }
    public static func .<= (a: Variable, b: Variable) throws -> Variable { try a.apply("le", [b]) }
    public static func .== (a: Variable, b: Variable) throws -> Variable { try a.apply("eq", [b]) }
    public static func .!= (a: Variable, b: Variable) throws -> Variable { try a.apply("ne", [b]) }

    public static func .> (a: Variable, b: Double) throws -> Variable { try a.apply("gt_scalar", b) }
    public static func .>= (a: Variable, b: Double) throws -> Variable { try a.apply("ge_scalar", b) }
    public static func .< (a: Variable, b: Double) throws -> Variable { try a.apply("lt_scalar", b) }
    public static func .<= (a: Variable, b: Double) throws -> Variable { try a.apply("le_scalar", b) }
    public static func .== (a: Variable, b: Double) throws -> Variable { try a.apply("eq_scalar", b) }
    public static func .!= (a: Variable, b: Double) throws -> Variable { try a.apply("ne_scalar", b) }

    /// a where this is not zero, b elsewhere.
    public func choose(_ a: Variable, otherwise b: Variable) throws -> Variable { try apply("where", [a, b]) }

    /// The larger of two elements; equal ones share the gradient.
    public func maximum(_ other: Variable) throws -> Variable { try apply("maximum", [other]) }

    /// The smaller of two elements; equal ones share the gradient.
    public func minimum(_ other: Variable) throws -> Variable { try apply("minimum", [other]) }

    public func power(_ exponent: Double) throws -> Variable { try apply("pow_scalar", exponent) }
    public func power(_ exponent: Variable) throws -> Variable { try apply("pow", [exponent]) }
    public func absolute() throws -> Variable { try apply("abs") }
    public func exp() throws -> Variable { try apply("exp") }
    /// The natural logarithm.
    public func log() throws -> Variable { try apply("log") }
    /// log(1 + x), exact near zero.
    public func log1p() throws -> Variable { try apply("log1p") }
    public func squareRoot() throws -> Variable { try apply("sqrt") }
    public func reciprocalSquareRoot() throws -> Variable { try apply("rsqrt") }
    public func squared() throws -> Variable { try apply("square") }
    public func reciprocal() throws -> Variable { try apply("reciprocal") }
    /// -1, 0 or 1; its gradient is zero.
    public func sign() throws -> Variable { try apply("sign") }
    /// Rounded down; its gradient is zero.
    public func floor() throws -> Variable { try apply("floor") }
    /// Rounded to the nearest, ties to even; its gradient is zero.
    public func rounded() throws -> Variable { try apply("round") }

    /// Cut off below and above.
    public func clamped(minimum: Double = -.infinity, maximum: Double = .infinity) throws -> Variable {
        try apply("clamp", [], ["min": .number(minimum), "max": .number(maximum)])
    }

    private func apply(_ name: String, _ scalar: Double) throws -> Variable {
        try apply(name, [], ["scalar": .number(scalar)])
    }

    /// The product of matrices … M K and … K N.
    public func matmul(_ other: Variable) throws -> Variable { try apply("matmul", [other]) }
}
