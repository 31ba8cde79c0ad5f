/// Why drawings stop, each with the sentence the user reads. A failure to read an answer is none of these: it is a result.
public enum DrawingError: Error, Sendable, Hashable, CustomStringConvertible {
    case unknownControl(name: String, known: [String])
    /// The model's card does not say that it sees pictures.
    case blindModel(model: String)
    case unknownSkill(name: String, known: [String])
    /// A setting that only a model takes was given for a control, or one that the card refuses.
    case settingRefused(setting: String, drawer: String)
    /// A skill that asks several times, and a conversation that goes on.
    case loopOfLooks(skill: String)
    /// The cross-slice prior was asked for where no subject has several slices.
    case noVolumes(dataset: String)
    case number(setting: String, value: String, range: String)
    /// Another process works on this set.
    case locked(set: String)
    case budgetWithoutPrice(model: String)
    case budgetReached(budget: Double, spent: Double, next: Double, settled: Int, planned: Int)
    case unknownSet(name: String, study: String)
    case ambiguousSet(name: String, candidates: [String])
    case noTraining(dataset: String)
    /// A stored shape, or a file of a refinement, that is not of this harness.
    case damaged(what: String, reason: String)
    /// Fewer drawings than what was asked for needs.
    case tooFewDrawings(what: String, found: Int, needed: Int, advice: String)

    public var description: String {
        switch self {
        case .unknownControl(let name, let known):
            "there is no control '\(name)': this version knows \(known.joined(separator: ", "))"
        case .blindModel(let model):
            "the card of \(model) does not say that it sees pictures: choose a model that does, or write 'images: true' into its card in models.yaml"
        case .unknownSkill(let name, let known):
            "there is no skill '\(name)': this version knows \(known.joined(separator: ", "))"
        case .settingRefused(let setting, let drawer): "\(drawer) takes no \(setting): leave it out"
        case .loopOfLooks(let skill):
            "--turns does not go with --skill \(skill), which looks several times itself: leave one of them out"
        case .noVolumes(let dataset):
            "the dataset \(dataset) names no subject with several slices, which the skill cross-slice looks along: prepare it with --group-by, or choose another skill"
        case .number(let setting, let value, let range): "\(setting) \(value): give \(range)"
        case .locked(let set): "another llmbench works on \(set): wait for it"
        case .budgetWithoutPrice(let model):
            "the card of \(model) has no price, so that no budget can be kept: write one into models.yaml, or leave --budget out"
        case .budgetReached(let budget, let spent, let next, let settled, let planned):
            "the budget of \(Self.dollars(budget)) is reached: \(Self.dollars(spent)) were spent on \(settled) of \(planned) drawings, the next would cost about \(Self.dollars(next)); raise --budget and run the same command again"
        case .unknownSet(let name, let study):
            "study '\(study)' has no drawings '\(name)': `llmbench polygon draw` makes them"
        case .ambiguousSet(let name, let candidates):
            "'\(name)' fits \(candidates.count) sets of drawings, name more of the path: \(candidates.joined(separator: ", "))"
        case .noTraining(let dataset):
            "the dataset \(dataset) has no training mask with foreground: controls learn size and brightness from them"
        case .damaged(let what, let reason): "\(what) cannot be read: \(reason)"
        case .tooFewDrawings(let what, let found, let needed, let advice):
            "\(what) needs \(needed) drawings that could be read and there are \(found): \(advice)"
        }
    }

    /// "$0.0123": four digits, since a drawing costs cents.
    static func dollars(_ amount: Double) -> String {
        let scaled = Int((amount * 10_000).rounded())
        let fraction = String(scaled % 10_000)
        return "$\(scaled / 10_000)." + String(repeating: "0", count: 4 - fraction.count) + fraction
    }
}
