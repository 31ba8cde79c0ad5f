/// The mark at the number of epochs that a model had chosen itself, in a figure of a training that was given another.
enum OwnEpochs {
    static let legend = Legend.Entry(name: "the model's own number of epochs", colour: .ink, dash: dash)
    private static let dash: [Double] = [1.5, 1.5]

    /// A line at the epoch; at the end of the axis, with an arrow and the number, where the training ended before.
    static func draw(_ epochs: Int, of label: String, on axis: Axis, in area: PlotArea, _ canvas: Canvas) {
        let isBeyond = Double(epochs) > axis.upper
        let x = isBeyond ? area.right : axis.position(max(Double(epochs), axis.lower))
        if !isBeyond { canvas.line([(x, area.top), (x, area.bottom)], .ink, width: 0.8, dash: dash) }
        let fitsRight = x + 4 + canvas.width(of: "own: \(epochs)", size: 6) < area.right
        canvas.text(
            isBeyond ? "own: \(epochs) →" : "own: \(epochs)", x: fitsRight ? x + 2 : x - 2, y: area.bottom - 4, size: 6,
            anchor: fitsRight ? .start : .end)
        canvas.mark(
            x: x - 3, y: area.top, width: 6, height: area.bottom - area.top,
            "\(label): its own choice, \(epochs) epochs")
    }
}
