/// True and false pixels of a class.
struct ClassOverlap: Equatable {
    var truePositives = 0
    var falsePositives = 0
    var falseNegatives = 0

    /// 2 tp / (2 tp + fp + fn); nil where the class is in neither mask, which nnU-Net leaves out of its means.
    var dice: Double? {
        let whole = 2 * truePositives + falsePositives + falseNegatives
        return whole == 0 ? nil : 2 * Double(truePositives) / Double(whole)
    }

    /// Adds the pixels of two masks.
    mutating func count(_ label: Int16, predicted: [Int16], truth: [Int16]) {
        for (a, b) in zip(predicted, truth) {
            switch (a == label, b == label) {
            case (true, true): truePositives += 1
            case (true, false): falsePositives += 1
            case (false, true): falseNegatives += 1
            default: break
            }
        }
    }

    /// The mean over cases of the Dice of each foreground class, as nnU-Net's `summary.json`; nil for a class that no case has.
    static func meanDice(_ predicted: [LabelMap], _ truth: [LabelMap], classes: Int) -> [Double?] {
        (1..<classes).map { label in
            let scores = zip(predicted, truth).compactMap { predicted, truth -> Double? in
                var overlap = ClassOverlap()
                overlap.count(Int16(label), predicted: predicted.values, truth: truth.values)
                return overlap.dice
            }
            return scores.isEmpty ? nil : scores.reduce(0, +) / Double(scores.count)
        }
    }
}

/// The mean of those that are known.
func mean(_ values: [Double?]) -> Double? {
    let known = values.compactMap { $0 }
    return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
}
