/// A place in a figure that stands for values: what a page shows when the pointer or the keyboard is on it.
public struct FigureMark: Sendable, Hashable {
    /// Points, from the top left.
    public var x, y, width, height: Double
    /// "fixture-steady, engine swift: median 0.812, quartiles 0.790 and 0.833".
    public var label: String
}

extension Canvas {
    /// Says what the mark in a rectangle stands for. Draws nothing.
    public func mark(x: Double, y: Double, width: Double, height: Double, _ label: @autoclosure () -> String) {
        // A page offers so many of them; a figure of thousands of points is read in the table.
        guard marks.count < Self.mostMarks else { return }
        marks.append(FigureMark(x: x, y: y, width: width, height: height, label: label()))
    }

    /// Says what the mark around a point stands for.
    public func mark(x: Double, y: Double, radius: Double = 3, _ label: @autoclosure () -> String) {
        mark(x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius, label())
    }

    static let mostMarks = 2000
}
